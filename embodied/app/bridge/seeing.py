"""Who sees for an arm behind a supervisor: cameras, or nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from embodied.app.bridge.options import BridgeOptions
from embodied.errors import OptionError
from embodied.types import Observation, Pose, WorldSpec

if TYPE_CHECKING:
    from embodied.app.bridge.session import Supervised
    from embodied.opening import Environment
    from embodied.perception.cameras.eyes import CameraEyes
    from embodied.world.scene import Scene


def see_arm(
    place: Environment,
    scene: Scene,
    supervised: Supervised,
    sight: Callable[[Observation], Observation],
) -> bool:
    """Say how the scene of an arm is perceived; False where the simulator's own settings say."""
    from embodied.perception.perceivers import TruthPerceiver
    from embodied.perception.perception import with_perceived_poses

    place.object_source = supervised.source or place.object_source
    if not supervised.perception:
        return False
    place.about = {**place.about, "perception": supervised.perception}
    eyes = supervised.world.cameras
    if eyes is None:
        spec = place.body.world.spec
        place.see = TruthPerceiver(spec, scene, source=place.object_source)
        return True
    fixed = fixed_poses(scene)
    place.see = eyes
    place.perceive = lambda seen: sight(with_perceived_poses(seen, eyes(seen), fixed))
    return True


def source_of(bridge: BridgeOptions, eyes: CameraEyes | None) -> str:
    """Where object poses come from, in words; empty for a simulated arm's own."""
    if eyes is not None:
        return eyes.source
    if bridge.blind:
        return "nobody: there are no cameras, and no simulator"
    if bridge.rehearses:
        return "ground truth of the twin that moves in place of the arm"
    return "" if bridge.driver == "simulated" else "ground truth of the arm's emulator"


def fixed_poses(scene: Scene) -> dict[str, Pose]:
    """Where the scene file has what does not move: surfaces and containers."""
    from embodied.world.layout import body_pose

    fixed = (n for n, o in scene.objects.items() if o.kind in ("surface", "container"))
    return {name: body_pose(scene, name, {}) for name in fixed}


def open_eyes(
    bridge: BridgeOptions, spec: WorldSpec, model: Any, fixtures: Mapping[str, Pose]
) -> CameraEyes | None:
    """Open the cameras, where there are any.

    Raises:
        OptionError: They do not go with the other options.
        ConfigurationError: Their file is not usable, or one has no pose.
        CameraError: One does not open.
    """
    if bridge.cameras is None:
        return None
    from embodied.perception.cameras.eyes import CameraEyes
    from embodied.perception.cameras.files import load_cameras
    from embodied.perception.cameras.watching import Watch

    if bridge.rehearses:
        raise OptionError(
            f"in mode {bridge.mode.value} a twin moves among things where the scene file's layout "
            "puts them, and nobody looks: --cameras goes with the modes confirm and auto"
        )
    if not bridge.sightless:
        raise OptionError(
            "--cameras and a simulator's own knowledge (driver simulated, option truth) are two "
            "answers to where things are: give one"
        )
    entries = load_cameras(bridge.cameras)
    source = f"RGB-D pixels of {len(entries)} cameras of {bridge.cameras.name}"
    watch = Watch(cameras=entries, spec=spec, model=model, fixtures=fixtures)
    return CameraEyes(watch, source=source)
