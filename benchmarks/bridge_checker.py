# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Whether what was sent to an arm keeps the limits, by code that the safety filter does not use.

Only numbers are read from the planners' model: its tree of bodies, its joints and shapes. Forward
kinematics and distances are numpy's, for thousands of set-points at once: segments, boxes and
cylinders by projecting on one and the other in turn, pairs of boxes by separating axes. A distance
that has not converged is too large, so every violation that is found is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embodied.bridge.limits import SafetyLimits
from embodied.types import Array
from embodied.world import robots
from embodied.world.mujoco import planning_model
from embodied.world.scene import Scene

TOLERANCE_M = 1e-4
RELATIVE = 1e-6
_TURNS = 60
_PLANE, _SPHERE, _CAPSULE, _CYLINDER, _BOX = 0, 2, 3, 5, 6
_HAND = {"hand", "left_finger", "right_finger"}
_FINGERS = {"finger_joint1": 0.5, "finger_joint2": 0.5}


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A geom: a ball of ``radius`` swept over a box, or over a cylinder about z of radius ``disc``.

    ``half`` (3,) is of the box, or has the cylinder's half length as z; m.
    """

    body: int
    name: str
    at: Array
    turn: Array
    half: Array
    disc: float
    radius: float
    plane: bool = False

    @property
    def ball(self) -> float:
        """Radius of a ball about it."""
        if self.plane:
            return np.inf
        return self.radius + float(np.hypot(np.linalg.norm(self.half), self.disc))


def _matrix(quat: Array) -> Array:
    w, x, y, z = quat / np.linalg.norm(quat)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _turned(axis: Array, angle: Array) -> Array:
    """Rotations (k, 3, 3) about an axis by angles (k,), after Rodrigues."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    sine, rest = np.sin(angle)[:, None, None], (1 - np.cos(angle))[:, None, None]
    return np.eye(3) + sine * cross + rest * (cross @ cross)


class Checker:
    """Looks at set-points.

    Args:
        limits: The limits.
        scene: The scene; its fixed things are obstacles.
    """

    def __init__(self, limits: SafetyLimits, scene: Scene) -> None:
        self.limits = limits
        model = planning_model(scene, limits.robot)
        self._parent = model.body_parentid.tolist()
        self._rest = [
            (p.copy(), _matrix(q)) for p, q in zip(model.body_pos, model.body_quat, strict=True)
        ]
        names = [model.body(i).name for i in range(model.nbody)]
        self._elbow = names.index(limits.elbow_body)
        self._joints: dict[int, list[tuple[str, int, Array, Array]]] = {}
        for j in range(model.njnt):
            entry = (
                model.joint(j).name,
                int(model.jnt_type[j]),
                model.jnt_axis[j].copy(),
                model.jnt_pos[j].copy(),
            )
            self._joints.setdefault(int(model.jnt_bodyid[j]), []).append(entry)
        first = next(b for b, js in self._joints.items() if js[0][0] == limits.joints[0])
        root = first
        while self._parent[root] != 0:
            root = self._parent[root]
        self._arm = [b for b in range(model.nbody) if self._root(b) == root]
        site = robots.load(limits.robot).ee_site or "ee"
        number = int(model.site(site).id)
        self._ee = int(model.site_bodyid[number])
        self._ee_at = model.site_pos[number].copy()
        moved = {n for n, thing in scene.objects.items() if thing.kind in ("item", "drawer")}
        self._shapes = [
            _shape(model, g, names)
            for g in range(model.ngeom)
            if (model.geom_contype[g] or model.geom_conaffinity[g])
            and not self._within(int(model.geom_bodyid[g]), names, moved)
        ]
        for box in limits.keep_out:
            half = (box.upper - box.lower) / 2
            middle = (box.upper + box.lower) / 2
            self._shapes.append(Shape(0, f"keep-out {box.name}", middle, np.eye(3), half, 0.0, 0.0))
        self._excluded = {(int(e) >> 16, int(e) & 0xFFFF) for e in model.exclude_signature}
        self._pairs: list[tuple[int, int, float]] = []
        self._choose_pairs(names, np.array(robots.load(limits.robot).q_home))

    # ------------------------------------------------------------------- checks

    def motion(self, sent: Array) -> Iterator[str]:
        """Limits of joints that consecutive set-points (k, n) from a rest break."""
        limits, h = self.limits, self.limits.dt_s
        way = np.concatenate([np.repeat(sent[:1], 3, axis=0), sent])
        over = max(np.max(way - limits.q_upper), np.max(limits.q_lower - way))
        if over > RELATIVE:
            yield f"position beyond its limit by {over:.2e} rad"
        for order, name, limit in (
            (1, "velocity", limits.dq_max),
            (2, "acceleration", limits.ddq_max),
            (3, "jerk", limits.dddq_max),
        ):
            share = np.abs(np.diff(way, order, axis=0)) / h**order - 1e-8 / h**2
            worst = float(np.max(share / limit))
            if worst > 1 + RELATIVE:
                yield f"{name} at {worst:.6f} of its limit"

    def places(self, sent: Array) -> Iterator[str]:
        """Limits in space that set-points (k, n) from a rest break."""
        limits = self.limits
        frames = self._frames(sent, np.zeros(len(sent)))
        at, turn = frames[self._ee]
        ee, elbow = at + turn @ self._ee_at, frames[self._elbow][0]
        for name, points, limit in (
            ("end effector", ee, limits.ee_speed_m_s),
            ("elbow", elbow, limits.elbow_speed_m_s),
        ):
            fastest = np.linalg.norm(np.diff(points, axis=0), axis=1).max(initial=0.0) / limits.dt_s
            if fastest > limit * (1 + RELATIVE):
                yield f"{name} at {fastest:.4f} m/s of {limit:.4f}"
        out = np.maximum(limits.workspace_lower - ee, ee - limits.workspace_upper).max(axis=1)
        if out.max() > max(0.0, out[0]) + 1e-6:
            yield f"end effector {1000 * out.max():.3f} mm outside the workspace"

    def depth(self, sent: Array, gap_m: Array) -> tuple[float, str]:
        """By how much set-points (k, n) with gaps (k,) take a part nearer than allowed.

        Returns:
            The most of all, m, 0 where nothing is too near; and which pair.
        """
        frames = self._frames(sent, gap_m)
        placed = [self._place(s, frames, len(sent)) for s in self._shapes]
        worst, which = 0.0, ""
        for a, b, required in self._pairs:
            first, second = self._shapes[a], self._shapes[b]
            rows = _near(first, second, placed[a], placed[b], required)
            if len(rows) == 0:
                continue
            mine = placed[a][0][rows], placed[a][1][rows]
            other = placed[b][0][rows], placed[b][1][rows]
            short = required - _signed(first, second, mine, other, required)
            most = float(short.max())
            if most > max(worst, TOLERANCE_M):
                worst, which = most, f"{first.name} with {second.name}"
        return worst, which

    # ------------------------------------------------------------------ private

    def _root(self, body: int) -> int:
        while body and self._parent[body] != 0:
            body = self._parent[body]
        return body

    def _within(self, body: int, names: list[str], moved: set[str]) -> bool:
        while body:
            if names[body] in moved:
                return True
            body = self._parent[body]
        return False

    def _frames(self, sent: Array, gap_m: Array) -> dict[int, tuple[Array, Array]]:
        """Positions (k, 3) and rotations (k, 3, 3) of the arm's bodies."""
        count = len(sent)
        still = (np.zeros((count, 3)), np.broadcast_to(np.eye(3), (count, 3, 3)))
        frames: dict[int, tuple[Array, Array]] = {0: still}
        for body in self._arm:
            at, turn = frames[self._parent[body]]
            offset, own = self._rest[body]
            at, turn = at + turn @ offset, turn @ own
            for name, kind, axis, anchor in self._joints.get(body, ()):
                if name in self.limits.joints:
                    value = sent[:, self.limits.joints.index(name)]
                else:
                    value = gap_m * _FINGERS.get(name, 0.0)
                if kind == 2:  # slide
                    at = at + (turn @ axis) * value[:, None]
                else:
                    pivot = at + turn @ anchor
                    turn = turn @ _turned(axis, value)
                    at = pivot - turn @ anchor
            frames[body] = (at, turn)
        return frames

    def _place(
        self, shape: Shape, frames: dict[int, tuple[Array, Array]], count: int
    ) -> tuple[Array, Array]:
        body, at, turn = shape.body, shape.at, shape.turn
        while body not in frames:  # a fixed body
            offset, own = self._rest[body]
            at, turn, body = offset + own @ at, own @ turn, self._parent[body]
        base, frame = frames[body]
        return base + frame @ at, frame @ np.broadcast_to(turn, (count, 3, 3))

    def _choose_pairs(self, names: list[str], q_home: Array) -> None:
        limits = self.limits
        arm = [i for i, s in enumerate(self._shapes) if s.body in self._arm]
        fixed = [i for i, s in enumerate(self._shapes) if s.body not in self._arm]
        feet = {b for b in self._arm if not any(self._joints.get(c) for c in self._chain(b))}
        second = {b for b in self._arm if self._link(b) not in feet and
                  self._link(self._parent[self._link(b)]) in feet}  # fmt: skip
        frames = self._frames(q_home[None], np.zeros(1))
        for n, a in enumerate(arm):
            for b in [*arm[n + 1 :], *fixed]:
                first, other = self._shapes[a], self._shapes[b]
                links = self._link(first.body), self._link(other.body)
                if links[0] == links[1] or (first.body in feet and b in fixed):
                    continue
                both = b in arm
                if both and links[1] != 0 and links[0] != 0 and (
                    self._link(self._parent[links[0]]) == links[1]
                    or self._link(self._parent[links[1]]) == links[0]
                ):  # fmt: skip
                    continue
                if tuple(sorted((first.body, other.body))) in self._excluded:
                    continue
                bodies = {names[first.body], names[other.body]}
                if bodies <= _HAND:
                    continue
                hand = bool(_HAND & bodies)
                required = limits.hand_clearance_m if hand else limits.clearance_m
                at_home = _signed(
                    first,
                    other,
                    self._place(first, frames, 1),
                    self._place(other, frames, 1),
                    required,
                )
                stands = bool({first.body, other.body} & (feet | second))
                if at_home[0] - required < 0.01 and (both or stands):
                    continue  # close by design
                self._pairs.append((a, b, required))

    def _chain(self, body: int) -> Iterator[int]:
        while body:
            yield body
            body = self._parent[body]

    def _link(self, body: int) -> int:
        """The body that moves it."""
        while body and not self._joints.get(body) and self._parent[body] != 0:
            body = self._parent[body]
        return body


def _shape(model: object, geom: int, names: list[str]) -> Shape:
    m = model
    kind, size = int(m.geom_type[geom]), m.geom_size[geom]  # type: ignore[attr-defined]
    half, disc, radius = np.zeros(3), 0.0, 0.0
    if kind == _SPHERE:
        radius = float(size[0])
    elif kind == _CAPSULE:
        radius, half[2] = float(size[0]), size[1]
    elif kind == _CYLINDER:
        disc, half[2] = float(size[0]), size[1]
    elif kind == _BOX:
        half = size.copy()
    elif kind != _PLANE:
        raise ValueError(f"the checker knows no shape of type {kind}")
    body = int(m.geom_bodyid[geom])  # type: ignore[attr-defined]
    at, turn = m.geom_pos[geom].copy(), _matrix(m.geom_quat[geom])  # type: ignore[attr-defined]
    return Shape(body, names[body], at, turn, half, disc, radius, kind == _PLANE)


Placed = tuple[Array, Array]


def _near(a: Shape, b: Shape, first: Placed, second: Placed, required: float) -> NDArray[np.intp]:
    """Rows where balls about both are too near."""
    between = first[0] - second[0]
    if b.plane:
        above = np.einsum("ki,ki->k", between, second[1][:, :, 2])
        return np.flatnonzero(above < a.ball + required)
    rows = np.flatnonzero(
        np.einsum("ki,ki->k", between, between) < (a.ball + b.ball + required) ** 2
    )
    for one, other, mine, its in ((a, b, first, second), (b, a, second, first)):
        away = _project(one, mine[0][rows], mine[1][rows], its[0][rows]) - its[0][rows]
        far = np.linalg.norm(away, axis=1) - one.radius >= other.ball + required
        rows = rows[~far]
    return rows


def _project(shape: Shape, at: Array, turn: Array, points: Array, erode: float = 0.0) -> Array:
    """The nearest points of a shape's core, made smaller by ``erode`` all around, (k, 3)."""
    local = np.einsum("kji,kj->ki", turn, points - at)
    half = np.maximum(shape.half - erode, 0.0)
    if shape.disc:
        flat = np.hypot(local[:, 0], local[:, 1])
        shrink = np.minimum(1.0, max(shape.disc - erode, 0.0) / np.maximum(flat, 1e-12))
        x, y = local[:, 0] * shrink, local[:, 1] * shrink
        local = np.stack([x, y, np.clip(local[:, 2], -half[2], half[2])], axis=1)
    else:
        local = np.clip(local, -half, half)
    return at + np.einsum("kij,kj->ki", turn, local)


def _signed(a: Shape, b: Shape, first: Placed, second: Placed, required: float) -> Array:
    """Signed distances where they matter: exact where they are less than required, (k,), m."""
    if b.plane:
        return _above(a, first, second)
    if not (a.disc or b.disc or a.radius or b.radius):
        return _boxes(a, b, first, second)
    rounded = a.radius + b.radius
    erode = 0.0 if rounded else max(0.0, TOLERANCE_M - required) / 2
    mine = other = first[0]
    for _ in range(_TURNS):
        other = _project(b, *second, mine, erode)
        mine = _project(a, *first, other, erode)
    apart = np.linalg.norm(mine - other, axis=1)
    if rounded:
        return apart - rounded
    return np.where(apart < 1e-7, required - 2 * TOLERANCE_M, apart - 2 * erode)


def _above(a: Shape, first: Placed, plane: Placed) -> Array:
    normal = plane[1][:, :, 2]
    local = np.abs(np.einsum("kji,kj->ki", first[1], normal))
    reach = local @ a.half + a.disc * np.hypot(local[:, 0], local[:, 1]) + a.radius
    return np.einsum("ki,ki->k", first[0] - plane[0], normal) - reach


def _boxes(a: Shape, b: Shape, first: Placed, second: Placed) -> Array:
    """Separation along the 15 axes that decide for boxes; exact where they overlap."""
    axes = [*np.moveaxis(first[1], 2, 0), *np.moveaxis(second[1], 2, 0)]
    axes += [np.cross(x, y) for x in axes[:3] for y in axes[3:6]]
    between, best = second[0] - first[0], np.full(len(first[0]), -np.inf)
    for axis in axes:
        length = np.linalg.norm(axis, axis=1)
        n = axis / np.maximum(length, 1e-12)[:, None]
        reach = np.abs(np.einsum("kji,kj->ki", first[1], n)) @ a.half
        reach = reach + np.abs(np.einsum("kji,kj->ki", second[1], n)) @ b.half
        gap = np.abs(np.einsum("ki,ki->k", between, n)) - reach
        best = np.maximum(best, np.where(length > 1e-6, gap, -np.inf))
    return best
