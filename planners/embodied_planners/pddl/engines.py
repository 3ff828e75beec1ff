"""Fast Downward and SymK as child processes: where they are and how they are called.

Both are GPL programs: they are started as separate processes and never imported. Their translator
and their search binary are called directly, without the driver between them, which saves one
interpreter start and leaves no grandchild that could survive a kill.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from embodied.errors import EnvironmentMissingError

# First iteration of LAMA (Richter and Westphal, JAIR 39, 2010): lazy greedy search with the FF and
# landmark heuristics and their preferred operators, action costs ignored.
_LANDMARKS = "landmark_sum(lm_factory=lm_reasonable_orders_hps(lm_rhw()),pref=false)"
LAMA_FIRST = (
    f"let(hlm,eval_modify_costs({_LANDMARKS},cost_type=one),"
    "let(hff,eval_modify_costs(ff(),cost_type=one),"
    "lazy_greedy([hff,hlm],preferred=[hff,hlm],cost_type=one,reopen_closed=false)))"
)
# LAMA's later iterations: weighted A* with falling weights, action costs respected.
LAMA_IMPROVE = (
    f"let(hlm,eval_modify_costs({_LANDMARKS},cost_type=plusone),"
    "let(hff,eval_modify_costs(ff(),cost_type=plusone),iterated(["
    "lazy_greedy([hff,hlm],preferred=[hff,hlm],reopen_closed=false),"
    + "".join(f"lazy_wastar([hff,hlm],preferred=[hff,hlm],w={w})," for w in (5, 3, 2))
    + "lazy_wastar([hff,hlm],preferred=[hff,hlm],w=1)"
    "],repeat_last=true)))"
)

BLIND = "astar(blind())"


class Outcome(Enum):
    """What an exit code of Fast Downward says."""

    SOLVED = "solved"
    UNSOLVABLE = "unsolvable"
    INCOMPLETE = "search ended without a plan"
    OUT_OF_MEMORY = "out of memory"
    OUT_OF_TIME = "out of time"
    UNSUPPORTED = "unsupported"
    CRASHED = "crashed"


_OUTCOMES = {
    **dict.fromkeys((0, 1, 2, 3), Outcome.SOLVED),
    **dict.fromkeys((10, 11), Outcome.UNSOLVABLE),
    12: Outcome.INCOMPLETE,
    **dict.fromkeys((20, 22), Outcome.OUT_OF_MEMORY),
    **dict.fromkeys((21, 23, 24), Outcome.OUT_OF_TIME),
    34: Outcome.UNSUPPORTED,
}


def outcome(exit_code: int) -> Outcome:
    """Meaning of an exit code of translator or search."""
    return _OUTCOMES.get(exit_code, Outcome.CRASHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An installed planner of the Fast Downward family.

    Attributes:
        name: Distribution-independent name.
        translator: Module of the translator.
        python_path: Folder that holds this module.
        search: The search binary.
        optimal_config: Search that proves optimality.
    """

    name: str
    translator: str
    python_path: Path
    search: Path
    optimal_config: str

    def translate_command(self, domain: Path, problem: Path, sas: Path) -> tuple[str, ...]:
        """Command that grounds PDDL files into ``sas``."""
        module = ("-S", "-m", self.translator)
        return (sys.executable, *module, str(domain), str(problem), "--sas-file", str(sas))

    def search_command(self, config: str, plan: Path) -> tuple[str, ...]:
        """Command that reads a grounded task on its input and writes ``plan``."""
        return (str(self.search), "--search", config, "--internal-plan-file", str(plan))


def fast_downward() -> Engine:
    """The Fast Downward of the package ``up-fast-downward``.

    Raises:
        EnvironmentMissingError: It is not installed.
    """
    found = _locate("up_fast_downward", "downward/builds/release/bin")
    if found is None:
        raise missing("Fast Downward", "'up-fast-downward>=1.0,<2'")
    packaged = (found / "fast_downward" / "translate").is_dir()
    return Engine(
        name="fast-downward",
        translator="fast_downward.translate" if packaged else "translate",
        python_path=found,
        search=found / "downward",
        optimal_config="astar(lmcut())",
    )


def symk() -> Engine | None:
    """The SymK of the package ``up-symk`` (extra ``[optimal]``), None where it is missing."""
    found = _locate("up_symk", "symk/builds/release/bin")
    if found is None:
        return None
    return Engine(
        name="symk",
        translator="translate",
        python_path=found,
        search=found / "downward",
        optimal_config="sym_bd()",
    )


def missing(name: str, requirement: str) -> EnvironmentMissingError:
    """The error to raise when an engine is not installed."""
    return EnvironmentMissingError(f"{name} is not installed here: pip install {requirement}")


def _locate(package: str, folder: str) -> Path | None:
    spec = importlib.util.find_spec(package)  # finds the files, imports nothing
    for root in spec.submodule_search_locations or () if spec else ():
        found = Path(root) / folder
        if (found / "downward").is_file() and os.access(found / "downward", os.X_OK):
            return found
    return None
