"""The value-map route of the command line: sentence, maps, closed-loop motion, verdict.

Objects are seen through the world's cameras; the verdict is judged from what is seen and from the
arm's own joints. The simulator's own poses are only used to report how far perception was off.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from embodied_planners.value_map import warm_up
from rich.console import Console

from embodied.app.settings import (
    NOT_REACHED,
    NOT_UNDERSTOOD,
    REACHED,
    Artifact,
    Goal,
    Outcome,
    Settings,
    check_pybullet_arm,
)
from embodied.errors import ConfigurationError, Diagnostic, NotUnderstoodError
from embodied.language.value_map import check, describe, to_json
from embodied.perception.perceivers import PixelEyes, perception_errors, pixel_eyes
from embodied.protocols import Emit, Event, Translator
from embodied.routes.value_map.judge import StageReport
from embodied.routes.value_map.page import page
from embodied.routes.value_map.pictures import Pictures
from embodied.routes.value_map.setup import ValueMapRig
from embodied.routes.value_map.stage_run import ProgramRun, ValueMapOutcome, stage_text
from embodied.routes.value_map.stage_run import run_value_map as run_value_map
from embodied.routes.value_map.state import LoopOptions, RunState
from embodied.types import Array, Atom, Command, Observation, Program, ValueMapProgram
from embodied.world.scene import Scene, load_scene


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conversation:
    """What was said so far (StateMemory without symbolic facts)."""

    exchanges: tuple[tuple[str, Program], ...] = ()
    facts: frozenset[Atom] = field(default_factory=frozenset[Atom])

    def observed(self, observation: Observation) -> _Conversation:
        """Nothing symbolic is taken from a measurement."""
        del observation
        return self

    def executed(self, action: Any, result: Any) -> _Conversation:
        """Value maps have no symbolic actions."""
        del action, result
        return self

    def told(self, instruction: str, program: Program) -> _Conversation:
        """One more sentence."""
        return replace(self, exchanges=(*self.exchanges, (instruction, program)))


def open_value_map_session(settings: Settings) -> ValueMapSession:
    """Build world, eyes, planner and translator.

    Raises:
        ConfigurationError: An unknown scene, robot or model.
        EnvironmentMissingError: Open3D or numba is missing; the message says how to install it.
        ModelError: The model's key is missing.
    """
    from embodied.app.wiring import states_header

    scene = load_scene(settings.scene)
    world, with_arm = _world(scene, settings)
    eyes = pixel_eyes(world)
    warm_up(lambda text: Console(stderr=True).print(text, style="dim"))
    rig = ValueMapRig.build(scene, world.spec, eyes, robot=settings.robot, with_arm=with_arm)
    return ValueMapSession(
        world,
        eyes,
        rig,
        open_value_map_translator(settings, rig),
        settings,
        states_header(settings),
    )


def _world(scene: Scene, settings: Settings) -> tuple[Any, Callable[[Scene], Any] | None]:
    """The world, and what puts its arm into a scene if that is no robot of this project."""
    if settings.world == "mujoco":
        from embodied.world.mujoco import build_world

        return build_world(scene, settings.robot), None
    if settings.world != "pybullet":
        raise ConfigurationError(
            f"the route value-map sees and moves in mujoco and pybullet, not in {settings.world!r}"
        )
    check_pybullet_arm(settings)
    from embodied.world import pybullet

    return pybullet.build_world(scene), pybullet.planning_spec


def open_value_map_translator(settings: Settings, rig: ValueMapRig) -> Translator:
    """Rules, or rules and then the narrow offline model."""
    from embodied.language.value_map.rules import RulesValueMapTranslator

    rules = RulesValueMapTranslator()
    if settings.model == "rules":
        return rules
    if settings.model == "offline":
        from embodied.language.offline.offline import offline_translator
        from embodied.language.offline.scene_view import SceneView

        return offline_translator(rules, "value-map", scene=SceneView.of(rig.spec))
    from embodied.language.models import open_model
    from embodied.language.value_map.translator import ValueMapTranslator

    model = open_model(
        settings.model,
        base_url=settings.base_url,
        max_calls=settings.max_calls,
        max_tokens=settings.max_tokens,
        record=settings.record,
    )
    return ValueMapTranslator(model)


class ValueMapSession:
    """One arm in its scene, kept over several sentences (Session protocol).

    Args:
        world: A simulated world; reset here.
        eyes: See it.
        rig: Planner, arm check and controller, with the same eyes.
        translator: Turns sentences into programs.
        settings: What the command line said.
        header: What a painter needs to draw the recorded states.
    """

    def __init__(
        self,
        world: Any,
        eyes: PixelEyes,
        rig: ValueMapRig,
        translator: Translator,
        settings: Settings,
        header: Mapping[str, Any],
    ) -> None:
        self.world, self.eyes, self.rig = world, eyes, rig
        self._translator, self._settings, self._header = translator, settings, dict(header)
        self._observer: Callable[[float], None] | None = None
        self._memory = _Conversation()
        world.reset(seed=settings.seed)
        self._emit: Emit = lambda event: None
        self._state = RunState(
            world,
            rig,
            emit=lambda event: self._emit(event),
            options=LoopOptions(),
            each_step=self._stepped,
        )

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
            "scene": self._settings.scene,
            "robot": self._settings.robot,
            "world": self._settings.world,
            "route": "value-map",
            "model": self._settings.model,
            "seed": self._settings.seed,
            "object_source": self.eyes.source,
        }

    @property
    def states_header(self) -> dict[str, Any]:
        """What a painter needs; it draws the same scenes as for the PDDL route."""
        return dict(self._header)

    def watch(self, observer: Callable[[float], None] | None) -> None:
        """Set who is told the simulated time after every step."""
        self._observer = observer

    def time_s(self) -> float:
        """Simulated time now."""
        return self._state.observation.time

    def qpos(self) -> Array:
        """Generalised positions now."""
        return self.world.qpos

    def model_and_data(self) -> tuple[Any, Any]:
        """The simulator's own model and state."""
        return self.world.model, self.world.data

    def run(self, instruction: str, *, emit: Emit, artifact: Artifact, move: bool) -> Outcome:
        """Translate and, if ``move`` is set, act and judge; raises EmbodiedError."""
        emit(Event(kind="instruction", data={"text": instruction, "translator": self.translator}))
        began = time.perf_counter()
        program = self._translator.translate(instruction, self._memory, self.rig.spec)
        if not isinstance(program, ValueMapProgram):
            problem = "it does not ask for a motion along value maps"
            raise NotUnderstoodError(instruction, [Diagnostic(where="sentence", problem=problem)])
        translated_s = time.perf_counter() - began
        self._memory = self._memory.told(instruction, program)
        if move:
            outcome = self.pursue(program, emit=emit, artifact=artifact)
        else:
            self._announce(program, emit, artifact)
            outcome = Outcome(
                exit_code=REACHED,
                message="understood; nothing moved",
                notes=program.notes,
                details={
                    "program": json.loads(to_json(program)),
                    "steps": describe(program).splitlines(),
                },
            )
        return replace(outcome, timings_s={"translate": translated_s, **outcome.timings_s})

    def pursue(self, program: Program, *, emit: Emit, artifact: Artifact) -> Outcome:
        """Carry out a value-map program and judge every stage from measurements.

        Raises:
            NotUnderstoodError: The program is of another kind or not legal.
            WorldError: The simulation diverged.
        """
        if not isinstance(program, ValueMapProgram):
            problem = f"a {type(program).__name__} is no value-map program"
            raise NotUnderstoodError("", [Diagnostic(where="program", problem=problem)])
        wrong = check(program, tuple(self.rig.spec.objects))
        if wrong:
            raise NotUnderstoodError(to_json(program), wrong)
        self._announce(program, emit, artifact)
        self._emit = emit
        began, simulated = time.perf_counter(), self.time_s()
        result = ProgramRun(self._state, keep_maps=True).run(program)
        moved_s = time.perf_counter() - began
        emit(
            Event(
                kind="verdict",
                data={
                    "reached": result.reached,
                    "message": result.message,
                    "goals": [_goal_data(s) for s in result.stages],
                    "object_source": self.eyes.source,
                },
            )
        )
        self._look_at(program, result, artifact)
        return self._outcome(program, result, moved_s, self.time_s() - simulated)

    def undo(self, *, emit: Emit, artifact: Artifact) -> Outcome:
        """Not offered: maps say where to go, not what was there before."""
        raise ConfigurationError("the route value-map cannot undo: say where to go instead")

    def state(self) -> tuple[str, ...]:
        """What is seen now."""
        self._state.look()
        lines: list[str] = []
        for name, thing in sorted(self._state.objects.items()):
            x, y, z = thing.pose.position
            lines.append(f"{name} at ({x:.3f}, {y:.3f}, {z:.3f}) m")
        return tuple(lines)

    def describe(self, action: str) -> str:
        """Value maps have no symbolic actions."""
        return action

    def stop(self) -> None:
        """Hold the robot where it is."""
        for _ in range(5):
            self._state.step(Command(q=self._state.observation.q))

    def close(self) -> None:
        """Release everything; may be called twice."""
        self.world.close()

    # ----------------------------------------------------------------- private

    def _stepped(self, observation: Observation) -> None:
        if self._observer is not None:
            self._observer(observation.time)

    def _announce(self, program: ValueMapProgram, emit: Emit, artifact: Artifact) -> None:
        emit(
            Event(
                kind="program",
                data={
                    "stages": [stage_text(i, s) for i, s in enumerate(program.stages)],
                    "source": program.source,
                    "notes": program.notes,
                    "value_map": json.loads(to_json(program)),
                },
            )
        )
        artifact("value_map.json", to_json(program))
        artifact("value_map.txt", describe(program) + "\n")

    def _look_at(
        self, program: ValueMapProgram, result: ValueMapOutcome, artifact: Artifact
    ) -> None:
        """Pictures and page of the maps, for the run folder."""
        if not result.snapshots:
            return
        pictures = Pictures(self.rig.planner.grid, program)
        artifact("value_maps.html", page(self.rig.planner.grid, program, result.snapshots))
        for snapshot in result.snapshots:
            artifact(*pictures.png(snapshot))

    def _outcome(
        self, program: ValueMapProgram, result: ValueMapOutcome, moved_s: float, simulated_s: float
    ) -> Outcome:
        percept, truth = self._state.percept, self._state.observation
        errors = perception_errors(percept, truth) if percept is not None else {}
        if not result.stages:
            return Outcome(exit_code=NOT_UNDERSTOOD, message=result.message)
        return Outcome(
            exit_code=REACHED if result.reached else NOT_REACHED,
            message=result.message,
            goals=tuple(_goal(s) for s in result.stages),
            notes=program.notes,
            details={
                "program": json.loads(to_json(program)),
                "measured": [{"stage": s.text, **s.numbers} for s in result.stages],
                "loop": dict(result.numbers),
                "perceived_minus_ground_truth_m": errors,
                "simulated_s": round(simulated_s, 2),
            },
            timings_s={"move": moved_s},
        )


def _goal(report: StageReport) -> Goal:
    unmet = report.unmet
    if report.reason:
        unmet = (report.reason, *unmet)
    return Goal(text=report.text, holds=report.holds, unmet=unmet)


def _goal_data(report: StageReport) -> dict[str, Any]:
    return {"goal": report.text, "holds": report.holds, "unmet": report.unmet}
