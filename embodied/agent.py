"""The whole data flow on one page: a sentence in, verified robot motion out.

    sentence -> Interpreter (act, answer, tell, ask or refuse?) -> Translator -> Program
        -> Route (picked by the program's type)
        -> StageRun: begin, advance, revise, ask, stop safe -> Body -> World
        -> observations -> StateMemory -> Verdict from what was measured

A route says how one kind of program moves a robot; the loop here is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from embodied.body import Body
from embodied.errors import Diagnostic, NotUnderstoodError, ProgramError
from embodied.language.asked_for import unasked
from embodied.language.interpreter import Act, Ask, Interpreter, NotAnActError, Reading, kind_of
from embodied.language.interpreter.wording import in_words
from embodied.outcome import NOT_REACHED, NOT_UNDERSTOOD, REACHED, Outcome
from embodied.protocols import Emit, StateMemory, Translator
from embodied.recovery import Ask as AskPerson
from embodied.recovery import Question, RecoveryStep, nobody
from embodied.route import AnyRoute, Perceive, Run, StageRun, Write, as_measured
from embodied.types import Atom, Program
from embodied.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Bounds on how long the agent keeps trying.

    Attributes:
        questions: How often a person is asked for help with one stage.
        revisions: How often a route may write another program for the same sentence.
        only_asked: Ask before a program, or an action that a strategy chose, acts on things that
            the sentence does not name: language models may obey what they read elsewhere.
    """

    questions: int = 2
    revisions: int = 1
    only_asked: bool = False


class Agent:
    """Carries out sentences and programs with the routes of one world.

    Args:
        body: The robot in its world, already reset.
        routes: The routes by the type of program that they carry out.
        memory: What is believed; updated by every observation and action.
        emit: Receives every event.
        write: Receives files for the run folder.
        perceive: What an observation looks like to the robot: as it is where the world's own poses
            are taken for true; None where nothing has been seen yet.
        object_source: Where object poses come from, in words; by default what the world says.
        options: Bounds.
        ask: Puts questions to a person; nobody is there by default.
    """

    def __init__(
        self,
        *,
        body: Body,
        routes: Mapping[type[Program], AnyRoute],
        memory: StateMemory,
        perceive: Perceive = as_measured,
        object_source: str = "",
        emit: Emit = lambda event: None,
        write: Write = lambda name, content: None,
        options: Options | None = None,
        ask: AskPerson = nobody,
    ) -> None:
        self.body, self.routes, self.object_source = body, routes, object_source
        self.options = options or Options()
        self._emit, self._write, self._ask, self._perceive = emit, write, ask, perceive
        self.run = self._fresh(memory, "")

    @property
    def memory(self) -> StateMemory:
        """What is believed now."""
        return self.run.memory

    def carry_out(self, instruction: str, translator: Translator) -> Outcome:
        """Translate a sentence and pursue it; raises as ``translate`` and ``pursue`` do."""
        return self.pursue(self.translate(instruction, translator))

    def read(self, instruction: str, translator: Translator) -> Reading:
        """Read a sentence about the world as it is measured now: is it to be carried out at all?

        Raises:
            ProgramError: The program stayed unusable after the allowed repairs.
            ModelError: The model could not be reached or is out of budget.
        """
        self.run = run = self._fresh(self.memory, instruction)
        run.measure()
        run.say("instruction", text=instruction, translator=translator.name)
        if not isinstance(translator, Interpreter):
            translator = Interpreter(translator=translator, covers=self.options.only_asked)
        with run.timed("translate"):
            reading = translator.read(instruction, run.memory, self.body.spec)
        about = {"reading": kind_of(reading), "by": reading.by, "unused": reading.unused}
        if isinstance(reading, Act | Ask) and reading.program is not None:
            about["words"] = in_words(reading.program, run.memory)
        run.say("reading", **about, evidence=reading.evidence)
        return reading

    def settle(self, instruction: str, reading: Reading) -> Program:
        """The program of a reading, if it is one to be carried out or a person says so.

        Raises:
            NotUnderstoodError: It is nothing to be done, or the program acts on what the sentence
                does not name, and nobody allows it.
        """
        run = self.run
        match reading:
            case Act(program=program):
                self.hold_to(program, instruction, run)
            case Ask(question=text, program=asked) if asked is not None:
                answer = run.ask(Question(text=text, kind="reading", about=reading.unused))
                run.escalate(RecoveryStep.ASK, f"{text} {'Yes.' if answer else 'No.'}")
                if not answer:
                    raise NotAnActError(instruction, reading)
                program = asked
            case _:
                raise NotAnActError(instruction, reading)
        self._tell(instruction, program)
        return program

    def translate(self, instruction: str, translator: Translator) -> Program:
        """Translate a sentence; raises as ``read`` and ``settle`` do."""
        return self.settle(instruction, self.read(instruction, translator))

    def hold_to(self, program: Program, instruction: str, run: Run, *, ask: bool = True) -> None:
        """Ask before a program does things to objects that the person did not speak of.

        Args:
            program: What the sentence became.
            instruction: The sentence.
            run: Asks the person.
            ask: Whether to ask; else the program is refused.

        Raises:
            NotUnderstoodError: Nobody allows it.
        """
        if not self.options.only_asked or program.source == "rules":  # they read the sentence alone
            return
        said = [*(sentence for sentence, _ in run.memory.exchanges), instruction]
        names = unasked(said, program, self.body.spec.objects, run.memory.facts)
        if not names:
            return
        reading = "; then ".join(self.route_of(program).stages(program))
        problem = f"it acts on {', '.join(names)}, which the sentence does not name"
        text = f"I read: {reading}. {problem[0].upper()}{problem[1:]}. Shall I do it?"
        answer = ask and run.ask(Question(text=text, kind="unasked", about=names))
        run.escalate(RecoveryStep.ASK, f"{text} {'Yes.' if answer else 'No.'}")
        if not answer:
            diagnostic = Diagnostic(
                where=f"program ({reading})", problem=problem, hint="name what is to be moved"
            )
            raise NotUnderstoodError(instruction, [diagnostic])

    def pursue(self, program: Program, *, done: int = 0) -> Outcome:
        """Carry out a program and judge it by what is measured.

        Args:
            program: The program.
            done: Stages that an earlier, interrupted pursuit has reached; they are kept true where
                possible, and judged again.

        Raises:
            NotUnderstoodError: The program is not legal, or no route carries it out.
            WorldError: The simulator or the robot failed.
        """
        if self.run.stages:  # of an earlier program
            self.run = self._fresh(self.memory, self.run.instruction)
        route, run = self.route_of(program), self.run
        outcome = self._carry_out(route, program, run, done)
        for _ in range(self.options.revisions):
            other = None if outcome.reached else route.revise(program, outcome, run)
            if other is None or not self._holds_to(other, run):
                break
            first, program = (program, outcome), other
            note = f"repaired after the first program ended: {outcome.message}"
            outcome, run = self._again(route, program, note, run)
            if route.settles and not outcome.reached and outcome.miss >= first[1].miss:
                program = first[0]
                note = f"the first program again: the repaired one ended: {outcome.message}"
                outcome, run = self._again(route, program, note, run)
                break
        data = {
            "reached": outcome.reached,
            "message": outcome.message,
            "goals": [
                {"goal": v.text, "holds": v.holds, "unmet": v.unmet} for v in outcome.verdicts
            ],
            "object_source": self.object_source or self.body.spec.object_source,
        }
        run.say("verdict", **data)
        return outcome

    def aside(self) -> Agent:
        """An agent with the same memory whose events and files nobody gets, for previews."""
        return Agent(
            body=self.body,
            routes=self.routes,
            memory=self.memory,
            perceive=self._perceive,
            object_source=self.object_source,
            options=self.options,
        )

    def preview(self, program: Program) -> Outcome:
        """Say what would be done, without motion; raises as ``pursue`` does."""
        route, run = self.route_of(program), self.run
        self._announce(route, program)
        outcome = route.preview(program, run)
        return replace(outcome, timings_s=dict(run.timings_s), program=program)

    def announce(self, program: Program) -> None:
        """Check a program and put it on record, for a route that carries it out by itself."""
        self._announce(self.route_of(program), program)

    def take_up(
        self,
        instruction: str,
        program: Program,
        *,
        believed: frozenset[Atom] | None = None,
        translator: str = "",
    ) -> None:
        """Take up a sentence that is not to be translated.

        Args:
            instruction: The sentence.
            program: What it became.
            believed: What an interrupted run held true last.
            translator: Who translated it, if not whoever wrote the program.
        """
        self.run = run = self._fresh(self.memory, instruction)
        self._tell(instruction, program)
        run.say("instruction", text=instruction, translator=translator or program.source)
        if believed is not None:
            self.route_of(program).take_up(believed, run)

    def route_of(self, program: Program) -> AnyRoute:
        """The route that carries out a program.

        Raises:
            ProgramError: There is none in this session; the message lists what there is.
        """
        if type(program) in self.routes:
            return self.routes[type(program)]
        legal = ", ".join(t.__name__ for t in self.routes)
        problem = f"{type(program).__name__} is not a program that this session carries out"
        raise ProgramError(str(program), [Diagnostic(where="program", problem=problem, hint=legal)])

    # ----------------------------------------------------------------- private

    def _carry_out(self, route: AnyRoute, program: Program, run: Run, done: int) -> Outcome:
        texts = self._announce(route, program)
        verdicts: list[Verdict] = []
        problem = ""
        for number, text in enumerate(texts):
            stage = route.begin(program, number, run, done=number < done)
            run.stages.append(stage)
            problem = "" if number < done else self._reach(stage, run)
            verdicts.append(stage.verdict())
            if problem:
                break
            if number >= done:
                run.say("milestone", stage=number, goal=text, of=len(texts))
        route.rest(run)
        seen = run.measure()
        positions = {n: [round(float(x), 4) for x in p.position] for n, p in seen.poses.items()}
        facts = [str(f) for f in sorted(run.memory.facts)]
        run.say("observation", time_s=seen.time, facts=facts, positions=positions)
        verdicts = [s.review(v) for s, v in zip(run.stages, verdicts, strict=True)]
        unmet = [p for v in verdicts for p in v.problems]
        reached = not problem and not unmet and len(verdicts) == len(texts)
        message = "the goal holds in measured state"
        if not reached:
            message = problem or "not reached: " + "; ".join(unmet)
        code = REACHED if reached else NOT_UNDERSTOOD if run.unsupported else NOT_REACHED
        return Outcome(
            exit_code=code,
            message=message,
            verdicts=tuple(verdicts),
            notes=program.notes,
            program=program,
            details={"program": route.summary(program), **route.details(run)},
            timings_s=dict(run.timings_s),
            escalations=tuple(run.escalations),
        )

    def _announce(self, route: AnyRoute, program: Program) -> tuple[str, ...]:
        """Check a program and put it on record; returns its stages in words."""
        wrong = route.check(program)
        if wrong:
            raise NotUnderstoodError(str(program), wrong)
        for name, content in route.files(program).items():
            self.run.write(name, content)
        texts = route.stages(program)
        about = {"stages": texts, "source": program.source, "notes": program.notes}
        self.run.say("program", route=route.name, **about, **route.record(program))
        return texts

    def _again(self, route: AnyRoute, program: Program, note: str, run: Run) -> tuple[Outcome, Run]:
        """Carry out another program for the same sentence."""
        self.run = run = self._fresh(self.memory, run.instruction, run)
        self._tell(run.instruction, program)
        outcome = self._carry_out(route, program, run, 0)
        return replace(outcome, notes=(*outcome.notes, note)), run

    def _holds_to(self, program: Program, run: Run) -> bool:
        """Whether a program that was written again may be carried out."""
        try:
            self.hold_to(program, run.instruction, run)
        except NotUnderstoodError as error:
            run.say("diagnostic", text=f"the new program is left out: {error}")
            return False
        return True

    def _tell(self, instruction: str, program: Program) -> None:
        """Let the memory know what a sentence was understood to mean."""
        meaning = "; ".join(self.route_of(program).stages(program))
        self.run.memory = self.run.memory.told(instruction, program, meaning)

    def _reach(self, stage: StageRun, run: Run) -> str:
        """Carry out one stage; returns what went wrong, or ``""``."""
        asked = 0
        while problem := stage.advance():
            if not run.declined:
                if stage.revise(problem):
                    continue
                if asked < self.options.questions and self._helped(stage, problem, run):
                    asked += 1
                    continue
            run.escalate(RecoveryStep.STOP, problem)
            stage.stop_safe(problem)
            return problem
        return ""

    def _helped(self, stage: StageRun, problem: str, run: Run) -> bool:
        """Ask a person; returns whether something was put right."""
        if not run.attended:
            return False
        gone = stage.missing()
        missing = f"I cannot find {', '.join(gone)}. " if gone else ""
        text = f"{missing}{problem}. Can you put this right?"
        answer = run.ask(Question(text=text, kind="help", about=gone))
        run.escalate(RecoveryStep.ASK, f"{text} {'Yes.' if answer else 'No.'}")
        if answer:
            run.measure()
            stage.helped()
        return answer

    def _fresh(self, memory: StateMemory, instruction: str, earlier: Run | None = None) -> Run:
        """The record of the next program; after ``earlier`` for the same sentence."""
        run = Run(
            body=self.body,
            memory=memory,
            perceive=self._perceive,
            emit=self._emit,
            write=self._write,
            ask=self._ask,
            instruction=instruction,
            only_asked=self.options.only_asked,
        )
        if earlier is not None:
            run.timings_s.update(earlier.timings_s)
            run.escalations += earlier.escalations
        return run
