"""The baseline of LLM+P: the model writes the plan itself (arXiv 2304.11477, "LLM-as-planner")."""

from __future__ import annotations

import re
from collections.abc import Mapping

from embodied.errors import Diagnostic, ProgramError
from embodied.language.pddl.document_translator import DocumentWriter, ExamplePair
from embodied.protocols import LanguageModel
from embodied.symbolic import Domain, read_domain, repair
from embodied.types import GroundAction


class PlanWriter(DocumentWriter):
    """Any language model as a planner. Its plans are claims: validate them before use.

    Args:
        model: Who plans.
        repairs: How often the model is asked again after a plan that cannot be read; 0 is the
            published method.
        max_tokens: Longest answer.
    """

    kind = "plan"
    purpose = "plan"

    def __init__(self, model: LanguageModel, *, repairs: int = 1, max_tokens: int = 2048) -> None:
        super().__init__(model, repairs=repairs, max_tokens=max_tokens)

    def shown(self, example: ExamplePair) -> str:
        """The example's plan as the prompt introduces it; empty if it has none."""
        if not example.plan.strip():
            return ""
        return (
            f"\nAn example. This problem:\n\n{example.description.strip()}\n\n"
            f"has this plan:\n\n{example.plan.strip()}\n"
        )

    def write_plan(
        self,
        domain_text: str,
        domain_nl: str,
        problem_nl: str,
        example: ExamplePair | None = None,
        *,
        objects: Mapping[str, str] | None = None,
    ) -> tuple[GroundAction, ...]:
        """Ask for a plan.

        Args:
            domain_text: The domain, PDDL.
            domain_nl: The domain in words; may be empty.
            problem_nl: The problem in words.
            example: A solved problem of the same domain.
            objects: Names that the plan must use, with their types; None where the words name them.

        Raises:
            ProgramError: The domain is malformed, or no plan could be read after the repairs.
            ModelError: The model could not be reached or is out of budget.
        """
        domain = read_domain(repair(domain_text, "(define (problem p) (:init) (:goal (and)))")[0])
        if objects:
            names = ", ".join(f"{n} ({t})" if domain.types else n for n, t in objects.items())
            problem_nl = f"{problem_nl.strip()}\n\nThe plan names the objects so: {names}."
        request = self.build_request(domain_text, domain_nl, problem_nl, example)
        return self.ask(request, lambda text: read_plan(text, domain)).value


_STEP = re.compile(r"\(\s*([a-z][\w-]*)((?:\s+[\w-]+)*)\s*\)")
_CALL = re.compile(r"^\s*(?:\d+[.):]|[-*])?\s*([a-z][\w-]*)\s*\(([^()]*)\)", re.MULTILINE)


def read_plan(text: str, domain: Domain) -> tuple[GroundAction, ...]:
    """The actions of a plan, in the order in which they stand in the text.

    ``(stack a b)`` and, in a text without any such step, ``stack(a, b)`` are read, whatever
    numbering and prose stands around them. ``(nothing)`` is the empty plan.

    Raises:
        ProgramError: No step, an unknown action, or a wrong number of arguments.
    """
    low = text.lower()
    steps = [(m[1], tuple(m[2].split())) for m in _STEP.finditer(low)]
    if not any(name in domain.actions or name == "nothing" for name, _ in steps):
        calls = [(m[1], tuple(re.split(r"[,\s]+", m[2].strip()))) for m in _CALL.finditer(low)]
        steps = calls or steps
    if steps == [("nothing", ())]:
        return ()
    names = ", ".join(domain.actions)
    problems: list[Diagnostic] = []
    plan: list[GroundAction] = []
    for number, (name, arguments) in enumerate(steps, start=1):
        action = domain.actions.get(name)
        if action is None:
            problem, hint = f"unknown action '{name}'", f"the actions are {names}"
        elif len(action.parameters) != len(arguments):
            wanted = " ".join((name, *map(str, action.parameters)))
            problem = f"'{name}' takes {len(action.parameters)} objects, got {len(arguments)}"
            hint = f"write ({wanted})"
        else:
            plan.append(GroundAction(name, arguments))
            continue
        problems.append(Diagnostic(where=f"step {number}", problem=problem, hint=hint))
    if not steps:
        problem = "it holds no step of a plan"
        problems.append(
            Diagnostic(where="answer", problem=problem, hint=f"write (action ...); {names}")
        )
    if problems:
        raise ProgramError(text, problems)
    return tuple(plan)
