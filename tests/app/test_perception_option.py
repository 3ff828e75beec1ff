"""``--perception truth|pixels`` on every route and in every world that takes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from embodied.app.bridge.session import BridgeOptions, open_supervised
from embodied.app.record.run_folder import read_summary
from embodied.app.replay import recorded_settings
from embodied.app.run import Output, perform
from embodied.app.show.terminal import QuietDisplay
from embodied.app.wiring import open_session
from embodied.errors import ConfigurationError
from embodied.settings import Settings
from embodied.world.layout import Layout
from embodied.world.mujoco import MujocoWorld
from embodied.world.scene import load_scene

TRUE = "ground truth of the simulator"


def carried_out(settings: Settings, sentence: str, out: Path) -> Path:
    """The run folder of a sentence that is reached."""
    output = Output(out=out, display=lambda heading: QuietDisplay(), video=None)
    session = open_session(replace(settings, model="rules", pictures=False))
    try:
        done = perform(
            session,
            sentence,
            lambda emit, write: session.run(sentence, emit=emit, write=write),
            output,
            command="run",
        )
    finally:
        session.close()
    assert done.outcome.reached, done.outcome.message
    return done.folder


def test_goals_are_grounded_in_pixels(tmp_path: Path) -> None:
    settings = Settings(perception="pixels", seed=3)
    sentence = "put the red block on the green block and the yellow block in the bin"
    folder = carried_out(settings, sentence, tmp_path)
    summary = read_summary(folder)
    assert summary.text("perception") == "pixels"
    assert "ground truth" not in summary.text("object_source")
    assert "pixels" in str(summary.values["verdict"])
    assert recorded_settings(folder).perception == "pixels"


def test_value_maps_take_the_simulators_poses(tmp_path: Path) -> None:
    settings = Settings(perception="truth", route="value-map", robot="ur5e")
    folder = carried_out(settings, "move the gripper 10 cm above the red block", tmp_path)
    summary = read_summary(folder)
    assert (summary.text("perception"), summary.text("object_source")) == ("truth", TRUE)
    assert max(summary.values["perceived_minus_ground_truth_m"].values()) == 0.0


def test_value_maps_move_an_arm_behind_a_supervisor_that_a_twin_shows(tmp_path: Path) -> None:
    settings = Settings(route="value-map", world="bridge", seed=1)
    folder = carried_out(settings, "move the gripper 10 cm above the red block", tmp_path)
    summary = read_summary(folder)
    assert summary.text("perception") == "pixels"
    assert "drawn in the state of the simulated arm's plant" in summary.text("object_source")
    assert max(summary.values["perceived_minus_ground_truth_m"].values()) < 0.02


def test_a_real_arm_without_cameras_is_refused_before_it_moves() -> None:
    settings = Settings(perception="pixels", world="bridge")
    arm = open_supervised(settings, BridgeOptions(), load_scene("blocks"))
    with pytest.raises(ConfigurationError, match="no camera is connected"):
        open_session(settings, supervised=replace(arm, simulated=False))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(perception="eyes"), "auto, truth, pixels"),
        (Settings(perception="pixels", robot="quadruped"), "no camera is where the quadruped is"),
        (Settings(perception="pixels", robot="fr3-hand", scene="faucet"), "no camera is where"),
    ],
)
def test_what_a_route_does_not_take_is_refused(settings: Settings, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        open_session(settings)


def test_what_was_never_seen_is_named_and_nothing_moves() -> None:
    session = open_session(Settings(scene="kitchen", perception="pixels", model="rules"))
    try:
        world = session.environment.body.world
        assert isinstance(world, MujocoWorld)
        start = world.observe()
        inside = replace(start.poses["sponge"], position=start.poses["drawer"].position)
        items = {n: start.poses[n] for n, o in world.spec.objects.items() if o.kind == "item"}
        world.set_layout(Layout(poses={**items, "sponge": inside}))
        session.environment.body.observe()
        outcome = session.run("put the sponge on the plate")
        assert not outcome.reached
        assert "sponge has not been seen" in outcome.message
        assert session.time_s() < 1.0
    finally:
        session.close()
