"""One episode of the value-map suite: write a program, carry it out, judge it."""

from __future__ import annotations

import time
from dataclasses import replace

from embodied.bench.asking import asked_model
from embodied.bench.runner import Payload, Row
from embodied.bench.voxposer.case import Case
from embodied.bench.voxposer.tasks import case_of
from embodied.bench.voxposer.world import SuiteWorld
from embodied.errors import NotUnderstoodError, ProgramError, WorldError
from embodied.language.conversation import Conversation
from embodied.language.value_map import describe, digest
from embodied.language.value_map.rules import RulesValueMapTranslator
from embodied.perception import SegmentationDetector
from embodied.perception.perceivers import CameraPerceiver, camera_perceiver
from embodied.routes.value_map.route import run_value_map
from embodied.routes.value_map.setup import ValueMapSetup
from embodied.routes.value_map.state import LoopOptions
from embodied.types import ValueMapProgram, WorldSpec
from embodied.world.mujoco import build_world

SAID_BY_PRIMITIVES = ("affordance", "gripper")
"""What the calls of a library of motion primitives can say: where to, open, close."""

NEVER_S = 1e6


def run_episode(payload: Payload) -> Row:
    """Run one episode; a program that was not written, or not carried out, is a result."""
    method, condition = str(payload["method"]), str(payload["condition"])
    case = case_of(str(payload["task"]), int(payload["index"]))
    world = SuiteWorld(
        build_world(case.scene), case.disturbance if condition == "disturbed" else None
    )
    result: Row = {
        "status": "done",
        "solved": False,
        "instruction": case.instruction,
        "wording": case.wording,
        "attributes": case.attributes,
    }
    started = time.process_time()
    try:
        world.reset(seed=0)
        see = eyes(world, str(payload["perception"]))
        try:
            program = write(case, method, world.spec, see, world, payload)
        except (NotUnderstoodError, ProgramError) as error:
            return {**result, "status": "no program", "message": str(error)[:400], "unmet": []}
        rig = ValueMapSetup.build(case.scene, world.spec, see)
        options = LoopOptions()
        if method == "primitives":
            options = replace(options, look_s=NEVER_S, attempts=1)
        message, numbers = "", {}
        try:
            outcome = run_value_map(program, world, rig, options=options)
            message, numbers = outcome.message, dict(outcome.details["loop"])
        except WorldError as error:
            message = str(error)
        judged = world.recorder.trace()
        unmet = [check.text for check in case.checks if not check.holds(judged)]
        return {
            **result,
            "solved": not unmet,
            "unmet": unmet,
            "message": message[:400],
            "program": digest(program),
            "same_as_oracle": digest(program) == digest(case.program),
            "description": describe(program),
            "numbers": numbers,
            "disturbed_s": judged.disturbed_s,
            "simulated_s": round(float(judged.time[-1]), 2),
            "cpu_s": round(time.process_time() - started, 2),
        }
    finally:
        world.close()


def eyes(world: SuiteWorld, source: str) -> CameraPerceiver:
    """What sees the world.

    Args:
        world: The world.
        source: ``"pixels"``, or ``"ground-truth"``: names from the simulator's segmentation.
    """
    if source == "pixels":
        return camera_perceiver(world.world)
    seeing = camera_perceiver(world.world, detector=SegmentationDetector(world.spec.objects))
    seeing.segmentation = True
    return seeing


def write(
    case: Case,
    method: str,
    spec: WorldSpec,
    see: CameraPerceiver,
    world: SuiteWorld,
    payload: Payload,
) -> ValueMapProgram:
    """The program of a method.

    Raises:
        NotUnderstoodError: The translator abstains.
        ProgramError: The model's answer stayed unusable.
        ModelError: The model could not be reached.
    """
    if method == "oracle":
        return case.program
    if method in ("rules", "primitives"):
        program = RulesValueMapTranslator().translate(case.instruction, Conversation(), spec)
        return program if method == "rules" else as_primitives(program)
    from embodied.language.models import close_model
    from embodied.language.value_map.translator import ValueMapTranslator

    model = asked_model(payload)
    try:
        observation = world.observe()
        percept = see(observation)
        positions = {n: o.pose.position for n, o in percept.objects.items()}
        positions["gripper"] = observation.pose_ee_in_world.position
        translator = ValueMapTranslator(model, form=method, positions=lambda: positions)
        return translator.translate(case.instruction, Conversation(), spec)
    finally:
        close_model(model)


def as_primitives(program: ValueMapProgram) -> ValueMapProgram:
    """The program without what motion primitives cannot say; stages left empty are dropped."""
    stages = [
        replace(s, operations=tuple(o for o in s.operations if o.map in SAID_BY_PRIMITIVES))
        for s in program.stages
    ]
    return replace(program, stages=tuple(s for s in stages if s.operations), source="primitives")
