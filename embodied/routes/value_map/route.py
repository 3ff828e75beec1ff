"""Value maps (VoxPoser, arXiv 2307.05973): composed maps, closed-loop motion, verdict.

Objects are where the environment's perceiver says, by default from pixels; the verdict is judged
from the same and from the arm's own joints. With pixels the simulator's own poses are only used to
report how far perception was off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from embodied_planners.value_map import warm_up

from embodied.agent import Agent
from embodied.body import Body, Watcher
from embodied.errors import Diagnostic, EmbodiedError, OptionError
from embodied.language.conversation import Conversation
from embodied.language.interpreter import writer_of
from embodied.language.program_form import ProgramForm
from embodied.language.value_map import check, describe, read_json, to_json
from embodied.language.value_map.translator import ValueMapTranslator, value_map_form
from embodied.opening import Opening
from embodied.outcome import Outcome
from embodied.perception.perceivers import perception_errors
from embodied.protocols import Emit, Translator, World
from embodied.records import Record
from embodied.route import Route, Run
from embodied.routes.value_map.page import page
from embodied.routes.value_map.pictures import Pictures
from embodied.routes.value_map.setup import ValueMapSetup
from embodied.routes.value_map.stage_run import Execution, ValueMapStageRun, stage_text
from embodied.routes.value_map.state import LoopOptions, RunState
from embodied.types import Observation, ValueMapProgram, WorldSpec


class ValueMapRoute(Route[ValueMapProgram]):
    """Moves the hand, and what it holds or pushes, along composed maps.

    Args:
        state: The robot, the scene as seen, and the options of the loop.
        translator: Turns sentences into programs.
        keep_maps: Keep the maps of every stage, for pictures.
    """

    name: ClassVar[str] = "value-map"
    program = ValueMapProgram

    def __init__(
        self, state: RunState, translator: Translator | None = None, *, keep_maps: bool = True
    ) -> None:
        self.run_state, self.translator, self.keep_maps = state, translator, keep_maps

    @classmethod
    def open(cls, opening: Opening) -> ValueMapRoute:
        """Open the planner at a table; raises as ``Route.open`` does."""
        from embodied.routes.value_map.translators import open_translator

        place, settings = opening.environment, opening.settings
        jaws = place.body.spec.gripper is not None
        if place.scene is None or place.see is None or not jaws:
            raise OptionError(
                f"the route value-map grasps with two parallel jaws: the {settings.robot} has none"
            )
        grip = place.body.spec.gripper
        if grip is not None and grip.kind == "suction":
            raise OptionError(
                f"the route value-map takes things with fingers, {settings.robot} has a suction"
                " cup: the route pddl moves it"
            )
        warm_up(opening.tell)
        setup = ValueMapSetup.build(
            place.scene, place.body.spec, place.see, with_arm=place.with_arm, pace=place.pace
        )
        state = RunState(place.body, setup)
        translator = open_translator(opening, state.places)
        return cls(state, translator, keep_maps=settings.pictures)

    def check(self, program: ValueMapProgram) -> tuple[Diagnostic, ...]:
        """What is not legal in a program, or speaks of what the scene has not."""
        return tuple(check(program, tuple(self.run_state.setup.spec.objects)))

    def stages(self, program: ValueMapProgram) -> tuple[str, ...]:
        """The operations of every stage."""
        return tuple(stage_text(i, s) for i, s in enumerate(program.stages))

    def record(self, program: ValueMapProgram) -> Mapping[str, object]:
        """The program as JSON values."""
        return {"value_map": self.summary(program)}

    def summary(self, program: ValueMapProgram) -> object:
        """The program in ``run.json``."""
        return json.loads(to_json(program))

    def files(self, program: ValueMapProgram) -> Mapping[str, str | bytes]:
        """The program as JSON and in words."""
        return {"value_map.json": to_json(program), "value_map.txt": describe(program) + "\n"}

    def read(self, record: Record, folder: Path) -> ValueMapProgram:
        """The program that a run pursued; raises as ``Route.read`` does."""
        del folder
        objects = tuple(self.run_state.setup.spec.objects)
        text, source = json.dumps(record.value("value_map")), f"replay of {record.text('source')}"
        return read_json(text, objects=objects, source=source)

    def form(self, spec: WorldSpec) -> ProgramForm:
        """Value maps as JSON."""
        return value_map_form(spec)

    def begin(
        self, program: ValueMapProgram, number: int, run: Run, *, done: bool = False
    ) -> ValueMapStageRun:
        """Begin a stage."""
        execution = _execution_of(run)
        if execution is None:
            execution = Execution(self.run_state, program, run, keep_maps=self.keep_maps)
        return ValueMapStageRun(execution, number, done=done)

    def rest(self, run: Run) -> None:
        """Write pictures and the page of the maps into the run folder."""
        execution = _execution_of(run)
        if execution is None or not execution.snapshots:
            return
        grid, snapshots = self.run_state.setup.planner.grid, execution.snapshots
        pictures = Pictures(grid, execution.program)
        run.write("value_maps.html", page(grid, execution.program, snapshots))
        for snapshot in snapshots:
            run.write(*pictures.png(snapshot))

    def revise(
        self, program: ValueMapProgram, outcome: Outcome, run: Run
    ) -> ValueMapProgram | None:
        """Ask a model for another program where a stage failed."""
        problems = tuple(p for v in outcome.verdicts for p in v.problems)
        writer = writer_of(self.translator)
        if not isinstance(writer, ValueMapTranslator) or not problems or not run.instruction:
            return None
        run.say("diagnostic", text=f"asking for another program: {'; '.join(problems)}")
        try:
            return writer.repair_motion(
                run.instruction, program, problems, run.memory, self.run_state.setup.spec
            )
        except EmbodiedError as error:
            run.say("diagnostic", text=f"no other program: {error}")
            return None

    def details(self, run: Run) -> Mapping[str, object]:
        """What was measured of every stage, what the loop cost, how far perception was off."""
        stages = [s for s in run.stages if isinstance(s, ValueMapStageRun)]
        if not stages:
            return {}
        execution, verdicts = stages[-1].execution, [s.verdict() for s in stages]
        percept, truth = self.run_state.percept, run.body.observation
        return {
            "measured": [{"stage": v.text, **v.numbers} for v in verdicts],
            "loop": self._numbers(),
            "perceived_minus_ground_truth_m": (
                perception_errors(percept, truth) if percept is not None else {}
            ),
            "simulated_s": round(truth.time - execution.begun_s, 2),
        }

    def state(self, observation: Observation) -> tuple[str, ...]:
        """What is seen now."""
        del observation
        self.run_state.look()
        lines: list[str] = []
        for name, thing in sorted(self.run_state.objects.items()):
            x, y, z = thing.pose.position
            lines.append(f"{name} at ({x:.3f}, {y:.3f}, {z:.3f}) m")
        return tuple(lines)

    def _numbers(self) -> dict[str, float]:
        counts = self.run_state.counts
        numbers: dict[str, float] = {
            "looks": counts.looks,
            "plans": counts.plans,
            "ways_adopted": counts.adopted,
            "arm_held_back": counts.pushed,
        }
        timed = (("look", counts.look_s), ("plan", counts.plan_s), ("cycle", counts.cycle_s))
        for name, values in timed:
            if values:
                numbers[f"{name}_median_ms"] = round(1e3 * float(np.median(values)), 2)
                numbers[f"{name}_p90_ms"] = round(1e3 * float(np.quantile(values, 0.9)), 2)
        return numbers


def run_value_map(
    program: ValueMapProgram,
    world: World,
    setup: ValueMapSetup,
    *,
    options: LoopOptions | None = None,
    emit: Emit = lambda event: None,
    each_step: Watcher | None = None,
    keep_maps: bool = False,
) -> Outcome:
    """Carry out one program in a world that has been reset, outside of any session.

    Args:
        program: The program.
        world: The world.
        setup: Perceiver, planner, arm check and controller of that world.
        options: Rates and patience.
        emit: Receives every event.
        each_step: Called after every control period.
        keep_maps: Keep the maps for pictures.

    Raises:
        NotUnderstoodError: The program is not legal in this scene.
        WorldError: The simulator or the robot failed.
    """
    body = Body(world)
    if each_step is not None:
        body.watchers.append(each_step)
    route = ValueMapRoute(RunState(body, setup, options), keep_maps=keep_maps)
    agent = Agent(body=body, routes={ValueMapProgram: route}, memory=Conversation(), emit=emit)
    return agent.pursue(program)


def _execution_of(run: Run) -> Execution | None:
    last = run.stages[-1] if run.stages else None
    return last.execution if isinstance(last, ValueMapStageRun) else None
