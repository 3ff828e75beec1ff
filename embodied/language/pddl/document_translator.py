"""Document mode, LLM+P as published: a description in words becomes a whole problem file.

Liu et al. 2023, arXiv 2304.11477: the model gets the domain, optionally one solved pair of
description and problem file (the "context"), and the new description; a classical planner does the
rest. Here the file is additionally linted, mended where only one meaning is sensible, type-checked,
and its initial state is checked against the domain's own invariants; what is wrong goes back to the
model a bounded number of times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from embodied.errors import Diagnostic, ProgramError
from embodied.language.pddl.init_checks import suspicions
from embodied.language.prompting import fill, prompt_text
from embodied.language.repair import DoubtError, Writer
from embodied.protocols import LanguageModel, Request
from embodied.symbolic import Domain, Problem, read_domain, read_problem, repair
from embodied.types import PddlProgram


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplePair:
    """A solved problem of the domain, shown to the model as context.

    Attributes:
        description: The problem in words.
        problem: Its problem file.
        plan: A plan for it, for ``PlanWriter``; empty if there is none.
    """

    description: str
    problem: str
    plan: str = ""


class DocumentWriter(Writer):
    """Any language model that is shown a domain, perhaps a solved problem, and a new problem.

    Attributes:
        kind: What it writes: the prompts' name, ``"document"`` or ``"plan"``.
        purpose: Purpose of its requests.
    """

    kind = "document"
    purpose = "pddl-problem"

    def shown(self, example: ExamplePair) -> str:
        """The example's solution as the prompt introduces it; empty if it has none."""
        return (
            f"\nAn example. This description:\n\n{example.description.strip()}\n\n"
            f"has this problem file:\n\n{example.problem.strip()}\n"
        )

    def build_request(
        self,
        domain_text: str,
        domain_nl: str,
        problem_nl: str,
        example: ExamplePair | None = None,
    ) -> Request:
        """The first request for a description."""
        words = domain_nl.strip()
        user = fill(
            "pddl",
            f"{self.kind}_user",
            domain=domain_text.strip(),
            explanation=f"\nIn words: {words}\n" if words else "",
            example="" if example is None else self.shown(example),
            problem=problem_nl.strip(),
        )
        return self.request(prompt_text("pddl", f"{self.kind}_system"), user, self.purpose)


class DocumentTranslator(DocumentWriter):
    """Any language model as a writer of problem files.

    Args:
        model: Who writes.
        repairs: How often the model is asked again after a faulty file; 0 is the published method.
        max_tokens: Longest answer.
    """

    def __init__(self, model: LanguageModel, *, repairs: int = 2, max_tokens: int = 4096) -> None:
        super().__init__(model, repairs=repairs, max_tokens=max_tokens)

    def translate_document(
        self,
        domain_text: str,
        domain_nl: str,
        problem_nl: str,
        example: ExamplePair | tuple[str, str] | None = None,
    ) -> PddlProgram:
        """Turn a description into a task.

        Suspicions about the initial state are fed back once; a model that stays with its facts is
        believed, and the notes of the program say so.

        Args:
            domain_text: The domain, PDDL.
            domain_nl: The domain in words; may be empty.
            problem_nl: The problem in words.
            example: A solved pair of the same domain (or just its two texts, description first),
                or None for the variant without context.

        Returns:
            The task; its ``domain`` and ``problem`` are mended texts where ``notes`` say so.

        Raises:
            ProgramError: The domain is malformed, or the problem stayed unusable after the repairs.
            ModelError: The model could not be reached or is out of budget.
        """
        if isinstance(example, tuple):
            example = ExamplePair(description=example[0], problem=example[1])
        mended_domain, _, _ = repair(domain_text, _EMPTY_PROBLEM)
        read_domain(mended_domain)
        reader = _Reader(domain_text, example, ask_once=self.repairs > 0)
        request = self.build_request(domain_text, domain_nl, problem_nl, example)
        answer = self.ask(request, reader.read)
        domain, problem, goal, notes = answer.value
        if answer.repairs:
            notes = (*notes, f"the problem file took {answer.repairs} repairs")
        return PddlProgram(
            domain=domain,
            problem=problem,
            stages=(goal,),
            source=answer.response.model or self.name,
            notes=notes,
        )


_EMPTY_PROBLEM = "(define (problem none) (:domain none) (:init) (:goal (and)))"

_Read = tuple[str, str, str, tuple[str, ...]]


class _Reader:
    """From model text to a checked task; remembers whether suspicions were already fed back."""

    def __init__(self, domain_text: str, example: ExamplePair | None, *, ask_once: bool) -> None:
        self._domain_text = domain_text
        self._example = example
        self._may_ask = ask_once

    def read(self, text: str) -> _Read:
        found = extract_problem(text)
        domain_text, problem_text, notes = repair(self._domain_text, found)
        domain = read_domain(domain_text)
        problem = read_problem(problem_text, domain)
        doubts = suspicions(domain, problem, self._known_good(domain))
        if doubts and self._may_ask:
            self._may_ask = False
            raise DoubtError(text, doubts)
        notes = (*notes, *(f"unusual: {d}" for d in doubts))
        return domain_text, problem_text, str(problem.goal), notes

    def _known_good(self, domain: Domain) -> Problem | None:
        """The example's problem, if it can be read: some published ones cannot."""
        if self._example is None:
            return None
        try:
            return read_problem(repair(self._domain_text, self._example.problem)[1], domain)
        except ProgramError:
            return None


_START = re.compile(r"\(\s*define\s*\(\s*problem\b", re.IGNORECASE)


def extract_problem(text: str) -> str:
    """The problem file within an answer that may hold prose, code fences or a domain as well.

    The last one counts, for models correct themselves. A file that lacks closing parentheses is
    returned to the end of the text (or of its code fence).

    Raises:
        ProgramError: There is no ``(define (problem`` in the text.
    """
    starts = [m.start() for m in _START.finditer(text)]
    if not starts:
        raise ProgramError(
            text,
            [
                Diagnostic(
                    where="answer",
                    problem="it holds no problem file",
                    hint="start with (define (problem NAME)",
                )
            ],
        )
    start = starts[-1]
    depth = 0
    in_comment = False
    for i in range(start, len(text)):
        c = text[i]
        if in_comment:
            in_comment = c != "\n"
        elif c == ";":
            in_comment = True
        elif text.startswith("```", i):
            return text[start:i].rstrip()
        elif c in "()":
            depth += 1 if c == "(" else -1
            if depth == 0:
                return text[start : i + 1]
    return text[start:].rstrip()
