"""The reward route of the command line: sentence, rewards, model-predictive control, verdict.

The world goes on between sentences of a conversation, and the plan so far is the warm start of the
next program: a correction changes the motion at the next replan.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from embodied_controllers.mpc.controller import RewardState
from embodied_controllers.mpc.terms import condition_holds, term_label
from numpy.typing import NDArray

from embodied.app.reward_rig import DEFAULT_SCENE, REWARD_ROBOTS, Rig, build_rig, drawing_spec
from embodied.app.reward_trace import Trace, judged
from embodied.app.session import NOT_REACHED, REACHED, Artifact, Goal, Outcome, Settings
from embodied.errors import ConfigurationError, Diagnostic, NotUnderstoodError
from embodied.language.reward import check, program_to_json
from embodied.language.reward.conversation import Conversation
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.translator import RewardTranslator
from embodied.protocols import Emit, Event, Translator
from embodied.types import (
    Command,
    ControlStatus,
    Observation,
    Program,
    RewardGoal,
    RewardProgram,
)

SETTLE_S = 8.0
"""Longest simulated time for a last stage that has no duration of its own."""
LEAST_S = 1.5
JUDGED_OVER_S = 0.5


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
        build_rig(robot, seed=settings.seed), open_reward_translator(settings, robot), settings
    )


def open_reward_translator(settings: Settings, robot: str) -> Translator:
    """Rules, or a language model in two steps."""
    if settings.model == "rules":
        return RewardRules(robot)
    if settings.model == "offline":
        from embodied.language.local_translator.offline import offline_translator, reward_scene

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

    def qpos(self) -> NDArray[np.float64]:
        """Generalised positions now."""
        return np.array(self.rig.world.data.qpos)

    def model_and_data(self) -> tuple[Any, Any]:
        """The simulator's own model and state."""
        return self.rig.world.model, self.rig.world.data

    def run(self, instruction: str, *, emit: Emit, artifact: Artifact, move: bool) -> Outcome:
        """Translate and, if ``move`` is set, act and judge; raises EmbodiedError."""
        emit(Event(kind="instruction", data={"text": instruction}))
        begin = time.perf_counter()
        program = self._translator.translate(instruction, self._memory, self.rig.world.spec)
        if not isinstance(program, RewardProgram):
            raise NotUnderstoodError(
                instruction,
                [Diagnostic(where="sentence", problem="it does not ask for a motion", hint="")],
            )
        translated_s = time.perf_counter() - begin
        if move:
            outcome = self.pursue(program, emit=emit, artifact=artifact)
        else:
            self._announce(program, emit, artifact)
            outcome = Outcome(
                exit_code=REACHED,
                message="understood; nothing moved",
                notes=program.notes,
                details={"program": json.loads(program_to_json(program))},
            )
        self._memory = self._memory.told(instruction, program)
        return replace(outcome, timings_s={"translate": translated_s, **outcome.timings_s})

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
        self._announce(program, emit, artifact)
        begin, simulated = time.perf_counter(), self.time_s()
        trace, goals, status = self._drive(program, emit)
        moved_s = time.perf_counter() - begin
        artifact("costs.csv", trace.csv())
        artifact("costs.svg", trace.svg())
        good = all(not g.unmet for g in goals) and status is not ControlStatus.STUCK
        message = "reached" if good else "not reached"
        unmet = [part for g in goals for part in g.unmet]
        if unmet:
            message += ": " + "; ".join(unmet)
        if status is ControlStatus.STUCK and self._control is not None:
            message = f"stopped: {self._control.message}"
        simulated = self.time_s() - simulated
        return Outcome(
            exit_code=REACHED if good else NOT_REACHED,
            message=message,
            goals=tuple(goals),
            notes=program.notes,
            details={
                "program": json.loads(program_to_json(program)),
                "simulated_s": round(simulated, 2),
                "realtime_factor": round(simulated / max(moved_s, 1e-9), 2),
            },
            timings_s={"move": moved_s},
        )

    def _announce(self, program: RewardProgram, emit: Emit, artifact: Artifact) -> None:
        stages = [", ".join(term_label(t) for t in s.terms) for s in program.stages]
        emit(
            Event(
                kind="program",
                data={
                    "stages": stages,
                    "source": program.source,
                    "notes": program.notes,
                    "reward": json.loads(program_to_json(program)),
                },
            )
        )
        artifact("reward.json", program_to_json(program))

    def _drive(self, program: RewardProgram, emit: Emit) -> tuple[Trace, list[Goal], ControlStatus]:
        """Control until the program is over, its last stage is reached, or time is up."""
        controller = self.rig.controller
        if self._control is None:
            state = controller.init(RewardGoal(program=program), self._observation)
        else:
            state = controller.redirect(
                replace(self._control, observation=self._observation), program
            )
        trace = Trace(program, self.rig.judge.view, self.rig.judge.layout)
        goals: list[Goal] = []
        status = ControlStatus.RUNNING
        shown = -1
        while status is ControlStatus.RUNNING:
            command, state, status = controller.step(state, self._observation)
            if state.stage != shown:
                if shown >= 0:
                    goals.append(self._goal(program, shown, trace))
                shown = state.stage
                if shown < len(program.stages):
                    data = {"part": "move", "state": "started", "stage": shown}
                    emit(Event(kind="stage", data=data))
            if status is not ControlStatus.RUNNING:
                break
            self._advance(command)
            sensors = self.rig.judge.sensors_of(self.rig.world.full_state())
            trace.add(shown, self.rig.world.full_state(), sensors)
            stage = program.stages[shown]
            elapsed = self._observation.time - state.stage_time
            if shown == len(program.stages) - 1 and stage.duration_s is None:
                reached = (
                    elapsed >= LEAST_S
                    and round(elapsed / 0.01) % 10 == 0
                    and not self._goal(program, shown, trace).unmet
                )
                if reached or elapsed >= SETTLE_S:
                    break
        if shown < len(program.stages):
            goals.append(self._goal(program, shown, trace))
        self._control = state
        return trace, goals, status

    def _goal(self, program: RewardProgram, stage: int, trace: Trace) -> Goal:
        """What was measured of a stage.

        A stage on the way that ends by a condition is judged by that condition alone; a time-out
        there does not count against the whole: the stages after it show whether it mattered.
        """
        text = f"stage {stage + 1}"
        asked = program.stages[stage]
        if asked.until is not None and stage + 1 < len(program.stages):
            condition = asked.until
            words = " ".join([condition.sensor, *condition.arguments])
            words = f"{words} {condition.op} {condition.value:g}"
            now = trace.view(stage, 0.0)
            met = condition_holds(condition, now, trace.seconds(stage))
            return Goal(text=text, holds=(words,) if met else ())
        holds, unmet = judged(asked, trace.view(stage, JUDGED_OVER_S))
        return Goal(text=text, holds=holds, unmet=unmet)

    def _advance(self, command: Command) -> Observation:
        self._observation = self.rig.world.step(command).observation
        if self._observer is not None:
            self._observer(self._observation.time)
        return self._observation

    def undo(self, *, emit: Emit, artifact: Artifact) -> Outcome:
        """Go back to the program before the last one; the world itself cannot be unmoved."""
        if len(self._memory.exchanges) < 2:
            raise ConfigurationError("there is no earlier program to go back to")
        exchanges = self._memory.exchanges[:-1]
        self._memory = Conversation(exchanges=exchanges)
        return self.pursue(exchanges[-1][1], emit=emit, artifact=artifact)

    def live(
        self,
        poll: Callable[[], RewardProgram | None],
        *,
        seconds: float,
        program: RewardProgram | None = None,
    ) -> Sequence[tuple[float, int]]:
        """Move while ``poll`` may hand in another program at any control step.

        Returns:
            Simulated times at which a new program took over, with the number of the exchange.
        """
        taken: list[tuple[float, int]] = []
        controller = self.rig.controller
        state = self._control
        if program is not None:
            state = controller.init(RewardGoal(program=program), self._observation)
        if state is None:
            raise ConfigurationError("nothing has been asked for yet")
        end = self._observation.time + seconds
        while self._observation.time < end - 1e-9:
            new = poll()
            if new is not None:
                state = controller.redirect(replace(state, observation=self._observation), new)
                taken.append((self._observation.time, len(taken)))
            command, state, _ = controller.step(state, self._observation)
            self._advance(command)
        self._control = state
        return taken

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
