"""The reward route of the command line: sentence, rewards, model-predictive control, verdict.

The world goes on between sentences of a conversation, and the plan so far is the warm start of the
next program: a correction changes the motion at the next replan.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from embodied_controllers.mpc.controller import Mode, RewardState

from embodied.app.settings import NOT_REACHED, REACHED, Artifact, Outcome, Settings
from embodied.errors import ConfigurationError, Diagnostic, EmbodiedError, NotUnderstoodError
from embodied.language.reward import check, program_to_json
from embodied.language.reward.amending import Conversation
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.translator import RewardTranslator
from embodied.protocols import Emit, Event, Translator
from embodied.routes.reward.live import Correction, Listener, TypedLines, refusal
from embodied.routes.reward.setup import DEFAULT_SCENE, REWARD_ROBOTS, Rig, build_rig, drawing_spec
from embodied.routes.reward.stage_run import Pursuit, announce
from embodied.types import (
    Array,
    Command,
    ControlStatus,
    Observation,
    Program,
    RewardProgram,
)

MOTION_REPAIRS = 1
"""How often a model may mend a program whose terms stayed high after it was carried out."""


def open_reward_session(settings: Settings) -> RewardSession:
    """Build robot, world, controller and translator.

    Raises:
        ConfigurationError: Unknown robot, or no translator for it.
        ModelError: The model's key is missing.
    """
    robot = "arm" if settings.robot in ("arm", "fr3") else settings.robot
    if robot not in REWARD_ROBOTS:
        raise ConfigurationError(
            f"the reward route moves {', '.join(REWARD_ROBOTS)}, not {settings.robot!r}"
        )
    return RewardSession(
        build_rig(
            robot,
            seed=settings.seed,
            mode=Mode.ASYNCHRONOUS if settings.asynchronous else Mode.SYNCHRONOUS,
        ),
        open_reward_translator(settings, robot),
        settings,
    )


def open_reward_translator(settings: Settings, robot: str) -> Translator:
    """Rules, or a language model in two steps."""
    if settings.model == "rules":
        return RewardRules(robot)
    if settings.model == "offline":
        from embodied.language.offline.offline import offline_translator, reward_scene

        return offline_translator(RewardRules(robot), "reward", scene=reward_scene(robot))
    from embodied.language.models import open_model

    model = open_model(
        settings.model,
        base_url=settings.base_url,
        max_calls=settings.max_calls,
        max_tokens=settings.max_tokens,
        record=settings.record,
    )
    return RewardTranslator(model, robot)


def drawing_model(header: Mapping[str, Any]) -> Any:
    """The simulation model that recorded states of this route belong to."""
    return drawing_spec(str(header["robot"]), tuple(header["things"])).compile()


class RewardSession:
    """One robot in its scene, kept over several sentences (Session protocol)."""

    def __init__(self, rig: Rig, translator: Translator, settings: Settings) -> None:
        self.rig, self._translator, self._settings = rig, translator, settings
        self._observer: Callable[[float], None] | None = None
        self._memory = Conversation()
        self._observation = rig.world.reset(seed=settings.seed)
        self._control: RewardState | None = None
        self._costs: tuple[str, ...] = ()
        self._due = 0.0
        """Wall time at which the next control period begins, in asynchronous mode."""

    @property
    def translator(self) -> str:
        """Who translates."""
        if self._settings.model == "rules":
            return "rules (a deterministic grammar, not a language model)"
        return self._translator.name

    @property
    def about(self) -> Mapping[str, Any]:
        """First fields of ``run.json``."""
        return {
            "scene": self.rig.world.spec.name,
            "robot": self.rig.robot,
            "route": "reward",
            "model": self._settings.model,
            "seed": self._settings.seed,
            "object_source": self.rig.world.spec.object_source,
            "planning": self.rig.controller.mode.value,
        }

    @property
    def states_header(self) -> dict[str, Any]:
        """What a painter needs."""
        return {
            "route": "reward",
            "robot": self.rig.robot,
            "things": list(DEFAULT_SCENE[self.rig.robot]),
        }

    def watch(self, observer: Callable[[float], None] | None) -> None:
        """Set who is told the simulated time after every step."""
        self._observer = observer

    def time_s(self) -> float:
        """Simulated time now."""
        return self._observation.time

    def qpos(self) -> Array:
        """Generalised positions now."""
        return np.array(self.rig.world.data.qpos)

    def model_and_data(self) -> tuple[Any, Any]:
        """The simulator's own model and state."""
        return self.rig.world.model, self.rig.world.data

    def run(self, instruction: str, *, emit: Emit, artifact: Artifact, move: bool) -> Outcome:
        """Translate and, if ``move`` is set, act and judge; raises EmbodiedError."""
        emit(Event(kind="instruction", data={"text": instruction}))
        begin = time.perf_counter()
        program = self._understood(instruction)
        translated_s = time.perf_counter() - begin
        if move:
            outcome = self.pursue(program, emit=emit, artifact=artifact)
            program, outcome = self._repaired(instruction, program, outcome, emit, artifact)
        else:
            announce(program, emit)
            artifact("reward.json", program_to_json(program))
            outcome = Outcome(
                exit_code=REACHED,
                message="understood; nothing moved",
                notes=program.notes,
                details={"program": json.loads(program_to_json(program))},
            )
        self._memory = self._memory.told(instruction, program)
        return replace(outcome, timings_s={"translate": translated_s, **outcome.timings_s})

    def _repaired(
        self,
        instruction: str,
        program: RewardProgram,
        outcome: Outcome,
        emit: Emit,
        artifact: Artifact,
    ) -> tuple[RewardProgram, Outcome]:
        """Ask a model for a better program while terms stay high, and carry that out."""
        if not isinstance(self._translator, RewardTranslator):
            return program, outcome
        for _ in range(MOTION_REPAIRS):
            unmet = tuple(part for g in outcome.goals for part in g.unmet)
            if outcome.reached or not unmet:
                break
            text = f"asking for a better program: {'; '.join(unmet)}"
            emit(Event(kind="diagnostic", data={"text": text}))
            try:
                program = self._translator.repair_motion(
                    instruction, program, (*unmet, *self._costs)
                )
            except EmbodiedError as error:
                emit(Event(kind="diagnostic", data={"text": refusal(error)}))
                break
            first = outcome.message
            outcome = self.pursue(program, emit=emit, artifact=artifact)
            note = f"repaired after the first program was {first}"
            outcome = replace(outcome, notes=(*outcome.notes, note))
        return program, outcome

    def pursue(self, program: Program, *, emit: Emit, artifact: Artifact) -> Outcome:
        """Carry out a reward program and judge every stage from measured state.

        Raises:
            NotUnderstoodError: The program is of another kind or not legal.
            WorldError: The simulation diverged.
        """
        if not isinstance(program, RewardProgram):
            raise NotUnderstoodError("", [Diagnostic(where="program", problem="not a reward")])
        wrong = check(program)
        if wrong:
            raise NotUnderstoodError(program_to_json(program), wrong)
        artifact("reward.json", program_to_json(program))
        announce(program, emit)
        begin, simulated = time.perf_counter(), self.time_s()
        pursuit = self._pursuit(program, emit)
        while pursuit.step() and not pursuit.settled():
            pass
        self._control = pursuit.control
        moved_s = time.perf_counter() - begin
        artifact("costs.csv", pursuit.trace.csv())
        artifact("costs.svg", pursuit.trace.svg())
        self._costs = pursuit.trace.trend()
        goals, stuck = pursuit.goals(), pursuit.status is ControlStatus.STUCK
        unmet = [part for g in goals for part in g.unmet]
        good = not unmet and not stuck
        message = "; ".join(unmet)
        message = "reached" if good else f"not reached: {message}" if message else "not reached"
        if stuck:
            message = f"stopped: {self._control.message}"
        simulated = self.time_s() - simulated
        returns = self._control.returns
        return Outcome(
            exit_code=REACHED if good else NOT_REACHED,
            message=message,
            goals=goals,
            notes=program.notes,
            details={
                "program": json.loads(program_to_json(program)),
                "simulated_s": round(simulated, 2),
                "realtime_factor": round(simulated / max(moved_s, 1e-9), 2),
                **({"stepped_back": returns} if returns else {}),
            },
            timings_s={"move": moved_s},
        )

    def _pursuit(self, program: RewardProgram, emit: Emit) -> Pursuit:
        return Pursuit(
            self.rig, program, self._control, self._observation, advance=self._advance, emit=emit
        )

    def converse(
        self, lines: TypedLines, say: Callable[[str], None], *, emit: Emit, artifact: Artifact
    ) -> Outcome:
        """Follow sentence after sentence, each from the moment that it is understood.

        The robot stands still until the first one; then it moves until ``quit``, or, where the
        lines come from a file or a pipe, until the last program is reached or has had its time.
        The verdict is on the last program.
        """
        listener = Listener(lines, self._understood, say=say, state=self.state)
        taken: list[Correction] = []
        parts: list[str] = []
        pursuit: Pursuit | None = None
        moving = False
        begin, simulated = time.perf_counter(), self.time_s()
        try:
            while True:
                try:
                    heard = listener.poll(self.time_s(), wait=not moving)
                except EmbodiedError as error:
                    emit(Event(kind="diagnostic", data={"text": refusal(error)}))
                    continue
                if heard is not None:
                    program, correction = heard
                    if pursuit is not None:
                        parts.append(pursuit.trace.csv())
                    self._memory = self._memory.told(correction.sentence, program)
                    taken.append(correction)
                    emit(Event(kind="instruction", data={"text": correction.sentence}))
                    announce(program, emit)
                    pursuit = self._pursuit(program, emit)
                elif listener.quit or (listener.ended and (not moving or pursuit is None)):
                    break
                if pursuit is None:
                    continue
                moving = pursuit.step()
                self._control = pursuit.control
                if listener.lines.ended and listener.ended and pursuit.settled():
                    break
        finally:
            listener.close()
        if pursuit is None:
            return Outcome(exit_code=REACHED, message="nothing was asked for")
        moved_s = time.perf_counter() - begin
        artifact("reward.json", program_to_json(pursuit.program))
        header, rows = "", ""
        for part in (*parts, pursuit.trace.csv()):
            header, _, more = part.partition("\n")
            rows += more
        artifact("costs.csv", f"{header}\n{rows}")
        artifact("costs.svg", pursuit.trace.svg())
        goals = pursuit.goals()
        unmet = [part for g in goals for part in g.unmet]
        stuck = pursuit.status is ControlStatus.STUCK
        simulated = self.time_s() - simulated
        message = f"{len(taken)} sentence{'' if len(taken) == 1 else 's'} followed"
        if unmet:
            message += "; off at the end: " + "; ".join(unmet)
        if stuck:
            message = f"stopped: {pursuit.control.message}"
        return Outcome(
            exit_code=NOT_REACHED if unmet or stuck else REACHED,
            message=message,
            goals=goals,
            details={
                "program": json.loads(program_to_json(pursuit.program)),
                "corrections": [asdict(c) for c in taken],
                "simulated_s": round(simulated, 2),
                "realtime_factor": round(simulated / max(moved_s, 1e-9), 2),
            },
            timings_s={"move": moved_s},
        )

    def _understood(self, sentence: str) -> RewardProgram:
        """Translate one sentence.

        Raises:
            NotUnderstoodError: It asks for no motion.
        """
        program = self._translator.translate(sentence, self._memory, self.rig.world.spec)
        if not isinstance(program, RewardProgram):
            problem = "it does not ask for a motion"
            raise NotUnderstoodError(
                sentence, [Diagnostic(where="sentence", problem=problem, hint="")]
            )
        return program

    def _advance(self, command: Command) -> Observation:
        self._observation = self.rig.world.step(command).observation
        if self.rig.controller.mode is Mode.ASYNCHRONOUS:
            self._keep_real_time()
        if self._observer is not None:
            self._observer(self._observation.time)
        return self._observation

    def _keep_real_time(self) -> None:
        """Wait until a control period of wall time has passed since the last step."""
        self._due += self.rig.world.spec.control_dt_s
        late = time.perf_counter() - self._due
        if late < 0:
            time.sleep(-late)
        else:
            self._due += late

    def undo(self, *, emit: Emit, artifact: Artifact) -> Outcome:
        """Go back to the program before the last one; the world itself cannot be unmoved."""
        if len(self._memory.exchanges) < 2:
            raise ConfigurationError("there is no earlier program to go back to")
        exchanges = self._memory.exchanges[:-1]
        self._memory = Conversation(exchanges=exchanges)
        return self.pursue(exchanges[-1][1], emit=emit, artifact=artifact)

    def state(self) -> tuple[str, ...]:
        """What is measured now."""
        view = self.rig.judge.view_of(self.rig.world.full_state()[None, None])
        names = ("torso_height", "torso_pitch", "torso_roll", "torso_heading", "torso_turn_rate")
        if self.rig.robot == "quadruped":
            return tuple(f"{n} = {float(view.value(n)[0, 0]):.3f}" for n in names)
        items = [n for n, o in self.rig.world.spec.objects.items() if o.kind == "item"]
        return tuple(
            f"object_height({n}) = {float(view.value('object_height', (n,))[0, 0]):.3f} m"
            for n in items
        )

    def describe(self, action: str) -> str:
        """Reward programs have no actions."""
        return action

    def stop(self) -> None:
        """Hold the joints where they are."""
        self._control = None
        self.rig.world.step(Command(q=self._observation.q))
        self._observation = self.rig.world.observe()

    def close(self) -> None:
        """Release everything; may be called twice."""
        self.rig.close()
