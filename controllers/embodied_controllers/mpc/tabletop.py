# pyright: reportAttributeAccessIssue=false
"""Residuals and sensors of any arm in a tabletop scene: its items, containers and drawers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import mujoco
import numpy as np

from embodied.types import ObjectSpec, RewardStage
from embodied_controllers.mpc.arm import ArmView
from embodied_controllers.mpc.norms import Array
from embodied_controllers.mpc.search_space import SearchSpace
from embodied_controllers.mpc.terms import Layout, Parameters
from embodied_controllers.mpc.tool import Tool

EDGE_M = 0.02
"""How far inside the edge of a surface a thing's centre rests at least."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solid:
    """An object's extents, for an object that stands as it was put.

    Attributes:
        spec: The object.
        yaw: Rotation about z of a fixed object, rad.
        floor_m: Height of what things rest on, from the body's origin.
    """

    spec: ObjectSpec
    yaw: float = 0.0
    floor_m: float = 0.0

    @property
    def radius_m(self) -> float:
        """Radius of the circle around its footprint."""
        x, y, _ = self.spec.size_m
        return x / 2 if self.spec.shape != "box" else float(np.hypot(x, y)) / 2

    def room_m(self, thing: Solid) -> Array:
        """Half extents (2,) of where the centre of a thing may rest in or on it, own axes."""
        if self.spec.kind in ("container", "drawer"):
            half = np.array(self.spec.inner_size_m[:2]) / 2 - thing.radius_m
        elif self.spec.kind == "surface":
            half = np.array(self.spec.size_m[:2]) / 2 - EDGE_M
        else:
            half = 0.25 * np.array(self.spec.size_m[:2]) / 2
        if self.spec.shape == "cylinder":
            half = half * np.sqrt(0.5)
        return np.maximum(half, 0.0)


class TabletopLayout(Layout):
    """Where things lie in a model, and what is known of arm and scene.

    Args:
        model: Plan or simulation model.
        tool: The arm's fingers.
        objects: Objects of the scene by name.
    """

    def __init__(
        self, model: mujoco.MjModel, tool: Tool, objects: Mapping[str, ObjectSpec]
    ) -> None:
        super().__init__(model)
        self.tool = tool
        data = mujoco.MjData(model)
        for joint, q in zip(tool.joints, tool.home, strict=True):
            data.joint(joint).qpos[0] = q
        mujoco.mj_kinematics(model, data)
        hand = data.site(tool.site)
        closing = np.arctan2(hand.xmat[4], hand.xmat[1])
        self.usual_yaw = float(closing - np.arctan2(hand.xpos[1], hand.xpos[0]))
        """Turn of the closing direction against the direction from the base, at home, rad."""
        self.solids: dict[str, Solid] = {}
        self.cabinets: dict[str, Array] = {}
        """Half extents of what encloses a drawer, by the name of its body."""
        for name, spec in objects.items():
            rotation = data.body(name).xmat.reshape(3, 3)
            yaw = float(np.arctan2(rotation[1, 0], rotation[0, 0]))
            height = spec.size_m[2]
            hollow = spec.kind in ("container", "drawer")
            floor = height / 2 - spec.inner_size_m[2] if hollow else height / 2
            self.solids[name] = Solid(
                spec=spec, yaw=0.0 if spec.kind == "item" else yaw, floor_m=floor
            )
            if spec.kind == "drawer":
                cabinet = model.body(int(model.body_parentid[model.body(name).id]))
                first, n = int(cabinet.geomadr[0]), int(cabinet.geomnum[0])
                boxes = model.geom_aabb[first : first + n]
                reach = np.abs(model.geom_pos[first : first + n] + boxes[:, :3]) + boxes[:, 3:]
                self.cabinets[cabinet.name] = reach.max(axis=0)


class TabletopView(ArmView):
    """Quantities of an arm and the objects of a scene over (N, T)."""

    RESIDUALS = {**ArmView.RESIDUALS, "resting": "_resting"}
    SENSORS = {**ArmView.SENSORS, "off_place": "off_place"}
    layout: TabletopLayout

    @classmethod
    def search_space(cls, stage: RewardStage, layout: Layout) -> SearchSpace | None:
        """The reach of a stage in which the hand goes somewhere and closes or opens."""
        from embodied_controllers.mpc.reach import reach_of

        assert isinstance(layout, TabletopLayout)
        return reach_of(stage, layout)

    def joint_fraction(self, name: str) -> Array:
        """Opening of a drawer, 0 to 1."""
        return self.joint(name) / self.layout.solids[name].spec.travel_m

    def off_place(self, name: str, place: str) -> Array:
        """Distance between an object and where it would rest in or on another, m."""
        residual = self._off(name, place)
        return np.sqrt(np.einsum("...k,...k->...", residual, residual))

    @cached_property
    def told_closure(self) -> Array:
        """Share of closing that the fingers are told, (N, T, k)."""
        tool, model = self.layout.tool, self.layout.model
        told: list[Array] = []
        for k, i in enumerate(tool.actuators):
            name = model.actuator(i).name
            where = self.sensor(f"{name}_at")[..., 0]
            force = self.sensor(f"{name}_force")[..., 0] / model.actuator_gainprm[i, 0]
            told.append((where + force - tool.open[k]) / (tool.closed[k] - tool.open[k]))
        return np.stack(told, axis=-1)

    def _resting(self, p: Parameters) -> Array:
        return self._off(str(p["object"]), str(p["place"]))

    def _off(self, name: str, place: str) -> Array:
        thing, under = self.layout.solids[name], self.layout.solids[place]
        offset = self.sensor(name) - self.sensor(place)
        c, s = np.cos(under.yaw), np.sin(under.yaw)
        local = np.stack(
            [c * offset[..., 0] + s * offset[..., 1], c * offset[..., 1] - s * offset[..., 0]],
            axis=-1,
        )
        beyond = np.sign(local) * np.maximum(np.abs(local) - under.room_m(thing), 0.0)
        x, _, z = thing.spec.size_m
        half = np.where(np.abs(self.sensor(f"{name}_up")[..., 2]) > 0.7, z, x) / 2
        high = offset[..., 2] - under.floor_m - half
        return np.concatenate([beyond, high[..., None]], axis=-1)

    def _posture(self, p: Parameters) -> Array:
        tool, layout = self.layout.tool, self.layout
        columns = [layout.qpos[name] for name in tool.joints]
        return self.states[..., columns] - tool.home

    def _stillness(self, p: Parameters) -> Array:
        columns = [self.layout.qvel[name] for name in self.layout.tool.joints]
        return self.states[..., columns]
