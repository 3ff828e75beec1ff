"""What ``franky-sim`` simulates: its FR3 and the objects of a scene."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from franky_sim.mujoco_simulator import MujocoSimulator

from embodied.bridge.emulators.stage import Stage
from embodied.world import robots
from embodied.world.builder import build_spec
from embodied.world.layout import Layout, sample_layout
from embodied.world.robots import Robot
from embodied.world.scene import Scene, load_scene

OPEN_M = 0.08

HOLD_NM_S_RAD = (450.0, 450.0, 350.0, 350.0, 50.0, 50.0, 50.0)
"""Damping of the arm's own hold. With the simulator's 200 for the wrist, joint 7 rings at
0.08 rad/s once it was disturbed: too much for steps of 1 ms."""


class FrankaScene:
    """The simulator of ``franky-sim`` with its arm at this project's home pose.

    Args:
        scene: Scene name or file, ``""`` for the arm alone.
        seed: Seed of the layout.
        stacks: Chance that an item starts on another one; None leaves it to the scene.

    Attributes:
        simulator: The simulator.
        robot: Its arm.
        stage: The scene, once it was started; None without one.
    """

    def __init__(self, *, scene: str = "", seed: int = 0, stacks: float | None = None) -> None:
        self.stage: Stage | None = None
        self._scene = load_scene(scene) if scene else None
        self.simulator = MujocoSimulator()
        self.simulator.init()
        home = robots.load("fr3").q_home
        self.robot = self.simulator.add_robot(
            initial_q=home.tolist(), initial_hand_width=OPEN_M, kv=HOLD_NM_S_RAD
        )
        self._items: tuple[str, ...] = ()
        self._drawers: tuple[str, ...] = ()
        if (loaded := self._scene) is not None:
            layout = sample_layout(loaded, np.random.default_rng(seed), stack_probability=stacks)
            _surround(self.simulator, loaded, layout)
            self._items = tuple(loaded.objects)
            self._drawers = tuple(loaded.of_kind("drawer"))

    def start(self) -> None:
        """Compile the model; things start where the layout puts them."""
        self.simulator.start()
        if self._scene is not None:
            model: Any = self.simulator.model
            names = [model.joint(i).name for i in range(model.njnt)]
            arm = [n for n in names if n.rstrip("1234567").endswith("fr3_joint")]
            self.stage = Stage(
                model=model,
                data=self.simulator.data,
                joints=[int(model.joint(n).qposadr[0]) for n in arm],
                scene=self._scene,
            )

    def step(self) -> None:
        """Let one tick of the simulator pass."""
        if self.stage is None:
            self.simulator.step()
            return
        with self.stage.lock:
            self.simulator.step()
            self.stage.passed(self.stage.model.opt.timestep)

    def truth(self) -> dict[str, object]:
        """Where things are, as the simulator knows it."""
        data: Any = self.simulator.data
        return {
            "source": "ground truth",
            "poses": {n: [*data.body(n).xpos, *data.body(n).xquat] for n in self._items},
            "openings_m": {n: float(data.joint(n).qpos[0]) for n in self._drawers},
        }


def _surround(simulator: MujocoSimulator, scene: Scene, layout: Layout) -> None:
    """Add a scene's things to the simulator's model, with contacts as in this project's worlds."""
    things = ElementTree.fromstring(_things(scene))
    mine = simulator.scene
    for light in simulator.worldbody.findall("light"):
        simulator.worldbody.remove(light)
    for name in ("asset", "worldbody"):
        target = mine.find(name)
        source = things.find(name)
        assert target is not None and source is not None
        target.extend(source)
    for ground in simulator.worldbody.findall("geom[@name='ground']"):
        simulator.worldbody.remove(ground)  # it lies where this project's tables end
    option, wanted = mine.find("option"), things.find("option")
    assert option is not None and wanted is not None
    option.attrib.update(wanted.attrib)
    for name in ("visual", "statistic"):
        if (old := mine.find(name)) is not None:
            mine.remove(old)
        if (new := things.find(name)) is not None:
            mine.append(new)
    for body in simulator.worldbody.findall("body"):
        pose = layout.poses.get(body.get("name", ""))
        if pose is not None:
            body.set("pos", " ".join(map(repr, pose.position.tolist())))
            body.set("quat", " ".join(map(repr, pose.quat_wxyz.tolist())))


def _things(scene: Scene) -> str:
    """MJCF of a scene without a robot."""
    none = np.zeros(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nothing.xml"
        path.write_text("<mujoco/>", "utf-8")
        nobody = Robot(
            name="nobody",
            model_path=path,
            joints=(),
            q_home=none,
            q_lower=none,
            q_upper=none,
            dq_max=none,
            ddq_max=none,
            dddq_max=none,
            tau_max=none,
        )
        spec: Any = build_spec(scene, nobody)
        spec.compile()
        return spec.to_xml()
