# pyright: reportUntypedFunctionDecorator=false, reportMissingTypeArgument=false, reportReturnType=false
# (numba's decorators carry no types)
"""Compiled loops over voxels: distances, coarse costs-to-go, A*, costs of lines.

Compiled by numba on first use and cached next to this file (or in numba's user cache where that
is not writable). All arrays are C-contiguous; costs and distances are float32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embodied.errors import EnvironmentMissingError
from embodied.types import Array

try:
    from numba import njit
except ImportError as error:  # pragma: no cover - depends on the installation
    raise EnvironmentMissingError(
        "value maps need numba: pip install 'embodied-stack[value-map]'"
    ) from error

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

FACTOR = 4
"""Fine voxels along one edge of a coarse cell."""

MAX_REACH = 11
"""Longest distance in voxels: the sum of two squares must fit a byte."""

AHEAD = 3
"""Coarse cells that the heuristic looks ahead along the coarse way."""


@njit(cache=True, error_model="numpy")
def distance_to_occupied(
    occupied: Mask, reach: int, scale: np.float32, out: Floats, first: Bytes, second: Bytes
) -> None:
    """Exact Euclidean distance to the nearest occupied voxel, cut off at a reach.

    Separable (Saito and Toriwaki 1994): squared distances along z, then lower envelopes along y
    and x; lines that no obstacle is near are skipped. Squares fit a byte, so that one machine
    instruction treats many voxels.

    Args:
        occupied: (nx, ny, nz) bool.
        reach: Distances are cut off at this many voxels, at most ``MAX_REACH``.
        scale: Metres per voxel.
        out: Result, (nx, ny, nz) float32, m.
        first: Scratch of the same shape, uint8.
        second: Scratch of the same shape, uint8.
    """
    nx, ny, nz = occupied.shape
    far = np.uint8(reach * reach)
    near_z = np.zeros((nx, ny), np.bool_)
    near_y = np.zeros((nx, ny), np.bool_)
    root = np.empty(256, np.float32)
    for d in range(256):
        root[d] = np.sqrt(np.float32(d)) * scale
    for x in range(nx):
        for y in range(ny):
            some = False
            for z in range(nz):
                some |= occupied[x, y, z]
            near_z[x, y] = some
            if not some:
                continue
            steps = reach
            for z in range(nz):
                steps = 0 if occupied[x, y, z] else min(steps + 1, reach)
                first[x, y, z] = steps
            steps = reach
            for z in range(nz - 1, -1, -1):
                steps = 0 if occupied[x, y, z] else min(steps + 1, reach)
                least = min(first[x, y, z], steps)
                first[x, y, z] = least * least
    for x in range(nx):
        for y in range(ny):
            row = second[x, y]
            row[:] = far
            for other in range(max(0, y - reach + 1), min(ny, y + reach)):
                if near_z[x, other]:
                    near_y[x, y] = True
                    _lower(row, first[x, other], np.uint8((other - y) * (other - y)))
    row = np.empty(nz, np.uint8)
    for x in range(nx):
        for y in range(ny):
            some = False
            row[:] = far
            for other in range(max(0, x - reach + 1), min(nx, x + reach)):
                if near_y[other, y]:
                    some = True
                    _lower(row, second[other, y], np.uint8((other - x) * (other - x)))
            if some:
                for z in range(nz):
                    out[x, y, z] = root[row[z]]
            else:
                out[x, y, :] = root[far]


@njit(cache=True, error_model="numpy")
def _lower(row: Bytes, other: Bytes, gap: np.uint8) -> None:
    """Lower a row of squared distances to another row's plus a squared gap."""
    for z in range(row.shape[0]):
        value = np.uint8(other[z] + gap)
        row[z] = value if value < row[z] else row[z]


@njit(cache=True, error_model="numpy")
def travel_cost(
    distance: Floats,
    soft: Floats,
    offsets: NDArray[np.int64],
    radii: Floats,
    prefer: np.float32,
    weight: np.float32,
    out: Floats,
) -> None:
    """Cost per unit of length: ``1 + soft + weight (1 - d / prefer)^2``, infinite if too close.

    The mover is a set of balls at voxel offsets; each keeps its radius from what is occupied.

    Args:
        distance: Distance to the nearest obstacle, (nx, ny, nz), m.
        soft: Further costs per voxel, (nx, ny, nz).
        offsets: Voxel offsets of the balls, (k, 3) int; the first is the mover's own point.
        radii: Their radii, (k,), m.
        prefer: Distance beyond which obstacles cost nothing.
        weight: Cost at distance zero.
        out: Result, (nx, ny, nz).
    """
    nx, ny, nz = distance.shape
    huge = np.float32(np.inf)
    one = np.float32(1.0)
    for x in range(nx):
        for y in range(ny):
            for z in range(nz):
                d = distance[x, y, z]
                closeness = max(one - d / prefer, np.float32(0.0))
                cost = one + soft[x, y, z] + weight * closeness * closeness
                out[x, y, z] = huge if d < radii[0] else cost
    for k in range(1, radii.shape[0]):
        ox, oy, oz = offsets[k, 0], offsets[k, 1], offsets[k, 2]
        radius = radii[k]
        for x in range(max(0, -ox), min(nx, nx - ox)):
            for y in range(max(0, -oy), min(ny, ny - oy)):
                for z in range(max(0, -oz), min(nz, nz - oz)):
                    if distance[x + ox, y + oy, z + oz] < radius:
                        out[x, y, z] = huge


@njit(cache=True, error_model="numpy")
def _push(keys: Floats, ids: Integers, size: int, key: np.float32, value: int) -> int:
    """Add to a binary heap that has room; returns its new size."""
    i = size
    while i > 0:
        parent = (i - 1) >> 1
        if keys[parent] <= key:
            break
        keys[i] = keys[parent]
        ids[i] = ids[parent]
        i = parent
    keys[i] = key
    ids[i] = value
    return size + 1


@njit(cache=True, error_model="numpy")
def _pop(keys: Floats, ids: Integers, size: int) -> int:
    """Move the smallest element to the end of the heap; returns its new size."""
    size -= 1
    key, value = keys[size], ids[size]
    keys[size], ids[size] = keys[0], ids[0]
    top_key, top_value = keys[size], ids[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[i] = keys[child]
        ids[i] = ids[child]
        i = child
    keys[i] = key
    ids[i] = value
    keys[size], ids[size] = top_key, top_value
    return size


@njit(cache=True, error_model="numpy")
def coarse_grid(cost: Floats, mean: Floats, open_: Mask) -> None:
    """Mean cost of each coarse cell's free voxels, and which cells are joined.

    Two neighbouring cells are joined when a straight line of free voxels runs from the middle of
    one to the middle of the other.

    Args:
        cost: Fine cost, (nx, ny, nz); infinite where blocked.
        mean: Result, (cx, cy, cz); infinite where nothing is free.
        open_: Result, (3, cx, cy, cz) bool: joined to the next cell along x, y, z.
    """
    nx, ny, nz = cost.shape
    cx, cy, cz = mean.shape
    f = FACTOR
    total = np.empty(cz, np.float32)
    count = np.empty(cz, np.int32)
    for x in range(cx):
        for y in range(cy):
            total[:] = 0
            count[:] = 0
            for i in range(x * f, min(nx, x * f + f)):
                for j in range(y * f, min(ny, y * f + f)):
                    for k in range(nz):
                        value = cost[i, j, k]
                        if value < np.inf:
                            total[k // f] += value
                            count[k // f] += 1
            for z in range(cz):
                mean[x, y, z] = total[z] / np.float32(count[z]) if count[z] > 0 else np.inf
    for x in range(cx):
        for y in range(cy):
            for z in range(cz):
                for axis in range(3):
                    joined = False
                    x1, y1, z1 = x + (axis == 0), y + (axis == 1), z + (axis == 2)
                    if (
                        x1 < cx
                        and y1 < cy
                        and z1 < cz
                        and mean[x, y, z] < np.inf
                        and mean[x1, y1, z1] < np.inf
                    ):
                        joined = _line_between(cost, x * f, y * f, z * f, axis)
                    open_[axis, x, y, z] = joined


@njit(cache=True, error_model="numpy")
def _line_between(cost: Floats, x: int, y: int, z: int, axis: int) -> bool:
    """Whether a straight line of free voxels joins the middles of two neighbouring cells."""
    nx, ny, nz = cost.shape
    f = FACTOR
    for a in range(f):
        for b in range(f):
            free = True
            for s in range(f // 2, f + f // 2):
                i = x + (s if axis == 0 else a)
                j = y + (s if axis == 1 else (a if axis == 0 else b))
                k = z + (s if axis == 2 else b)
                if i >= nx or j >= ny or k >= nz:
                    if s <= f:
                        free = False
                    break
                if not cost[i, j, k] < np.inf:
                    free = False
                    break
            if free:
                return True
    return False


@njit(cache=True, error_model="numpy")
def _joined(open_: Mask, x: int, y: int, z: int, axis: int, step: int) -> bool:
    """Whether a cell is joined to the one a step further along an axis."""
    if step > 0:
        return open_[axis, x, y, z]
    if axis == 0:
        return open_[0, x - 1, y, z]
    if axis == 1:
        return open_[1, x, y - 1, z]
    return open_[2, x, y, z - 1]


@njit(cache=True, error_model="numpy")
def coarse_cost_to_go(
    mean: Floats,
    open_: Mask,
    goal: Floats,
    start: Integers,
    to_go: Floats,
    ahead: Integers,
    keys: Floats,
    ids: Integers,
) -> bool:
    """A* from the goal cells to the start's cell and a little beyond, diagonals included.

    Cells that are not looked at get a cost to go beyond all others.

    Args:
        mean: Cost per unit of length in a cell, (cx, cy, cz).
        open_: As made by ``coarse_grid``.
        goal: Cost of ending in a cell, (cx, cy, cz); infinite where that is not allowed.
        start: Cell of the start, (3,) int.
        to_go: Result, cost to go in fine voxels, (cx, cy, cz).
        ahead: Result, linear index of the cell ``AHEAD`` steps further on the way, (cx, cy, cz).
        keys: Scratch, (20 cells + 16,) float32.
        ids: Scratch of the same length, int32.

    Returns:
        Whether the coarse cells know a way from the start.
    """
    cx, cy, cz = mean.shape
    n = cx * cy * cz
    sx, sy, sz = start
    closed = np.zeros(n, np.bool_)
    bound = np.float32(np.inf)
    towards = np.arange(n).astype(np.int32)
    size = 0
    for x in range(cx):
        for y in range(cy):
            for z in range(cz):
                to_go[x, y, z] = goal[x, y, z]
                if goal[x, y, z] < np.inf:
                    cell = (x * cy + y) * cz + z
                    guess = FACTOR * np.sqrt((x - sx) ** 2 + (y - sy) ** 2 + (z - sz) ** 2)
                    size = _push(keys, ids, size, np.float32(goal[x, y, z] + guess), cell)
    while size > 0:
        size = _pop(keys, ids, size)
        cell = ids[size]
        if keys[size] > bound:
            break
        if closed[cell]:
            continue
        closed[cell] = True
        x, y, z = cell // (cy * cz), (cell // cz) % cy, cell % cz
        here = to_go[x, y, z]
        if x == sx and y == sy and z == sz:
            bound = np.float32(1.05) * keys[size] + np.float32(4 * FACTOR)
        for dx in range(-1, 2):
            for dy in range(-1, 2):
                for dz in range(-1, 2):
                    moves = abs(dx) + abs(dy) + abs(dz)
                    if moves == 0 or moves == 3:
                        continue
                    i, j, k = x + dx, y + dy, z + dz
                    if i < 0 or j < 0 or k < 0 or i >= cx or j >= cy or k >= cz:
                        continue
                    if not mean[i, j, k] < np.inf:
                        continue
                    a = 0 if dx != 0 else (1 if dy != 0 else 2)
                    da = dx if dx != 0 else (dy if dy != 0 else dz)
                    if moves == 1:
                        passes = _joined(open_, x, y, z, a, da)
                    else:
                        b = 2 if dz != 0 else 1
                        db = dz if dz != 0 else dy
                        ax, ay, az = x + da * (a == 0), y + da * (a == 1), z + da * (a == 2)
                        bx, by, bz = x, y + db * (b == 1), z + db * (b == 2)
                        passes = (
                            _joined(open_, x, y, z, a, da) and _joined(open_, ax, ay, az, b, db)
                        ) or (_joined(open_, x, y, z, b, db) and _joined(open_, bx, by, bz, a, da))
                    if not passes:
                        continue
                    length = np.float32(FACTOR * np.sqrt(moves))
                    value = here + length * np.float32(0.5) * (mean[x, y, z] + mean[i, j, k])
                    if value < to_go[i, j, k]:
                        to_go[i, j, k] = value
                        other = (i * cy + j) * cz + k
                        towards[other] = cell
                        guess = FACTOR * np.sqrt((i - sx) ** 2 + (j - sy) ** 2 + (k - sz) ** 2)
                        size = _push(keys, ids, size, np.float32(value + guess), other)
    if bound < np.inf:
        flat_to_go = to_go.reshape(-1)
        for cell in range(n):
            if not closed[cell]:
                flat_to_go[cell] = bound
    flat = ahead.reshape(-1)
    for cell in range(n):
        further = cell
        for _ in range(AHEAD):
            further = towards[further]
        flat[cell] = further
    return bool(bound < np.inf)


@njit(cache=True, error_model="numpy")
def shortest_path(
    cost: Floats,
    exit_cost: Floats,
    start: int,
    to_go: Floats,
    ahead: Integers,
    anchors: Floats,
    greed: np.float32,
    best: Floats,
    came_from: Integers,
    closed: Mask,
) -> tuple[Integers, float, int]:
    """Weighted A* over 26 neighbours; an edge costs its length times the mean cost of its ends.

    The heuristic of a voxel is the coarse cost to go of the cell ``AHEAD`` steps further on the
    coarse way, plus the straight distance there.

    Args:
        cost: Cost per unit of length, (nx, ny, nz); infinite where blocked.
        exit_cost: Cost of ending in a voxel, (nx, ny, nz); infinite where that is not allowed.
        start: Linear index of the start.
        to_go: Coarse cost to go, (cx, cy, cz).
        ahead: Cell to look at from each cell, (cx, cy, cz) linear indices.
        anchors: Point of each cell that distances are taken to, and its radius, (cells, 4), voxels.
        greed: Factor on the heuristic.
        best: Scratch for costs from the start, (voxels,).
        came_from: Scratch for predecessors, (voxels,) int32.
        closed: Scratch for what has been expanded, (voxels,) bool.

    Returns:
        The voxels from the start to the end, (m,) linear indices, empty if there is no way; the
        cost; the number of expanded voxels.
    """
    nx, ny, nz = cost.shape
    cy, cz = to_go.shape[1], to_go.shape[2]
    flat_cost = cost.reshape(-1)
    flat_exit = exit_cost.reshape(-1)
    flat_to_go = to_go.reshape(-1)
    flat_ahead = ahead.reshape(-1)
    best[:] = np.inf
    closed[:] = False
    capacity = 1 << 17
    keys = np.empty(capacity, np.float32)
    ids = np.empty(capacity, np.int32)
    size = 0
    best[start] = 0.0
    came_from[start] = -1
    size = _push(keys, ids, size, np.float32(0.0), start)
    expanded = 0
    while size > 0:
        size = _pop(keys, ids, size)
        voxel = ids[size]
        if voxel < 0:  # an end: nothing cheaper is left
            voxel = -voxel - 1
            count = 0
            i = voxel
            while i >= 0:
                count += 1
                i = came_from[i]
            path = np.empty(count, np.int32)
            i = voxel
            while i >= 0:
                count -= 1
                path[count] = i
                i = came_from[i]
            return path, best[voxel] + flat_exit[voxel], expanded
        if closed[voxel]:
            continue
        closed[voxel] = True
        here = best[voxel]
        x, y, z = voxel // (ny * nz), (voxel // nz) % ny, voxel % nz
        expanded += 1
        if size + 32 > capacity:
            more_keys = np.empty(2 * capacity, np.float32)
            more_ids = np.empty(2 * capacity, np.int32)
            more_keys[:size] = keys[:size]
            more_ids[:size] = ids[:size]
            keys, ids = more_keys, more_ids
            capacity *= 2
        if flat_exit[voxel] < np.inf:
            size = _push(keys, ids, size, here + flat_exit[voxel], -voxel - 1)
        for dx in range(-1, 2):
            i = x + dx
            if i < 0 or i >= nx:
                continue
            for dy in range(-1, 2):
                j = y + dy
                if j < 0 or j >= ny:
                    continue
                for dz in range(-1, 2):
                    k = z + dz
                    moves = abs(dx) + abs(dy) + abs(dz)
                    if k < 0 or k >= nz or moves == 0:
                        continue
                    other = (i * ny + j) * nz + k
                    there = flat_cost[other]
                    if closed[other] or not there < np.inf:
                        continue
                    length = np.float32(1.0)
                    if moves == 2:
                        length = np.float32(1.4142135)
                    elif moves == 3:
                        length = np.float32(1.7320508)
                    step = length * np.float32(0.5) * (flat_cost[voxel] + there)
                    value = here + step
                    if value < best[other] - np.float32(1e-4):
                        best[other] = value
                        came_from[other] = voxel
                        cell = ((i // FACTOR) * cy + j // FACTOR) * cz + k // FACTOR
                        further = flat_ahead[cell]
                        ex = np.float32(i) - anchors[further, 0]
                        ey = np.float32(j) - anchors[further, 1]
                        ez = np.float32(k) - anchors[further, 2]
                        left = np.sqrt(ex * ex + ey * ey + ez * ez) - anchors[further, 3]
                        guess = flat_to_go[further] + max(left, np.float32(0.0))
                        size = _push(keys, ids, size, value + greed * guess, other)
    return np.empty(0, np.int32), np.float32(np.inf), expanded


@njit(cache=True, error_model="numpy")
def reachable(cost: Floats, exit_cost: Floats, start: int, seen: Mask, stack: Integers) -> bool:
    """Whether any end can be reached from the start at all, by flooding.

    Args:
        cost: As for ``shortest_path``.
        exit_cost: As for ``shortest_path``.
        start: Linear index of the start.
        seen: Scratch, (voxels,) bool.
        stack: Scratch, (voxels,) int32.
    """
    nx, ny, nz = cost.shape
    flat_cost = cost.reshape(-1)
    flat_exit = exit_cost.reshape(-1)
    seen[:] = False
    seen[start] = True
    stack[0] = start
    size = 1
    while size > 0:
        size -= 1
        voxel = stack[size]
        if flat_exit[voxel] < np.inf:
            return True
        x, y, z = voxel // (ny * nz), (voxel // nz) % ny, voxel % nz
        for i in range(max(0, x - 1), min(nx, x + 2)):
            for j in range(max(0, y - 1), min(ny, y + 2)):
                for k in range(max(0, z - 1), min(nz, z + 2)):
                    other = (i * ny + j) * nz + k
                    if not seen[other] and flat_cost[other] < np.inf:
                        seen[other] = True
                        stack[size] = other
                        size += 1
    return False


@njit(cache=True, error_model="numpy")
def line_cost(cost: Floats, a: Array, b: Array) -> float:
    """Cost of a straight line between two points in voxel coordinates; infinite if blocked.

    Sampled every quarter of a voxel.
    """
    length = np.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2 + (b[2] - a[2]) ** 2)
    count = int(4.0 * length) + 2
    nx, ny, nz = cost.shape
    total = 0.0
    for s in range(count):
        t = s / (count - 1)
        i = int(np.floor(a[0] + t * (b[0] - a[0])))
        j = int(np.floor(a[1] + t * (b[1] - a[1])))
        k = int(np.floor(a[2] + t * (b[2] - a[2])))
        if i < 0 or j < 0 or k < 0 or i >= nx or j >= ny or k >= nz:
            return np.inf
        value = cost[i, j, k]
        if not value < np.inf:
            return np.inf
        total += value
    return total / count * length


@njit(cache=True, error_model="numpy")
def polyline_cost(cost: Floats, points: Array) -> float:
    """Cost of a polyline (n, 3) in voxel coordinates; infinite if it is blocked."""
    total = 0.0
    for i in range(points.shape[0] - 1):
        total += line_cost(cost, points[i], points[i + 1])
        if not total < np.inf:
            return np.inf
    return total


@njit(cache=True, error_model="numpy")
def skip_corners(cost: Floats, points: Array, tolerance: float) -> NDArray[np.int64]:
    """Leave out points of a polyline wherever a straight line costs no more.

    Args:
        cost: Cost per unit of length, (nx, ny, nz).
        points: (n, 3) in voxel coordinates.
        tolerance: Factor on the cost of what is left out, a little above 1.

    Returns:
        Indices of the points that stay, (m,).
    """
    n = points.shape[0]
    upto = np.zeros(n)
    for i in range(1, n):
        upto[i] = upto[i - 1] + line_cost(cost, points[i - 1], points[i])
    kept = np.empty(n, np.int64)
    kept[0] = 0
    count = 1
    i = 0
    while i < n - 1:
        furthest = i + 1
        step = n - 1 - i
        while step >= 1:
            j = furthest + step
            if j <= n - 1:
                straight = line_cost(cost, points[i], points[j])
                if straight <= tolerance * (upto[j] - upto[i]) + 1e-6:
                    furthest = j
                    continue
            step //= 2
        i = furthest
        kept[count] = i
        count += 1
    return kept[:count]
