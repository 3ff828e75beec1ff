"""A translator of your own: "tidy up" means that every block is in the bin.

Name ``open_tidy`` in your package's metadata and ``embodied run --model tidy "tidy up"`` finds it:

    [project.entry-points."embodied.translators"]
    tidy = "own_translator:open_tidy"
"""

from __future__ import annotations

from embodied import Settings
from embodied.app.wiring import open_environment, session_of
from embodied.errors import ConfigurationError, Diagnostic, NotUnderstoodError
from embodied.opening import Opening
from embodied.protocols import StateMemory, SymbolGrounder
from embodied.routes.pddl.route import PddlRoute
from embodied.symbolic import read_domain, render_problem
from embodied.types import PddlProgram, WorldSpec

GOALS = {"tidy up": "(forall (?b - block) (in ?b bin))"}


class Tidy:
    """Understands the sentences of ``GOALS`` and refuses all others."""

    name = "tidy"

    def __init__(self, grounder: SymbolGrounder) -> None:
        self.domain_text, self.objects = grounder.domain_text, dict(grounder.objects)

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> PddlProgram:
        """One sentence to a program; raises NotUnderstoodError."""
        del spec
        goal = GOALS.get(instruction.strip(" .!").lower())
        if goal is None:
            hint = f"say {', '.join(GOALS)}"
            problem = Diagnostic(where="sentence", problem="not about tidying", hint=hint)
            raise NotUnderstoodError(instruction, [problem])
        domain = read_domain(self.domain_text)
        problem = render_problem("tidy", domain, self.objects, memory.facts, [goal])
        return PddlProgram(
            domain=self.domain_text, problem=problem, stages=(goal,), source=self.name
        )


def open_tidy(route: str, opening: Opening) -> Tidy:
    """Open the translator for a route."""
    if route != "pddl":
        raise ConfigurationError(f"the translator tidy writes PDDL, not programs of {route}")
    return Tidy(opening.environment.grounder)


if __name__ == "__main__":
    settings = Settings(scene="blocks", seed=3)
    opening = Opening(environment=open_environment(settings), settings=settings)
    route = PddlRoute.open(opening)
    route.translator = open_tidy("pddl", opening)
    session = session_of(settings, opening.environment, route)
    outcome = session.run("Tidy up!")
    print(outcome.message, *outcome.verdicts[0].holds)
    assert outcome.reached
    session.close()
