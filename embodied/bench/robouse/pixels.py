"""What two calibrated colour cameras show of a table: things by colour, outline and height.

There is no depth. A patch of one colour in the picture from above gives a thing's outline, for any
height that it may have; the height (or, of a thing whose size is known already, how high it lies)
is the one at which the box over that outline covers the same part of the other picture.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from embodied.bench.robouse.scene import TABLE_SIZE_M
from embodied.types import Array

Entry = dict[str, object]
Picture = NDArray[np.uint8]

HUES = ((12, "red"), (36, "orange"), (68, "yellow"), (165, "green"), (197, "cyan"), (250, "blue"),
        (305, "purple"), (345, "pink"), (361, "red"))  # fmt: skip
"""Colour words by the upper end of their hue, degrees."""

ALSO_CALLED = {"purple": ("violet",), "cyan": ("teal", "turquoise"), "yellow": ("gold", "golden")}
"""Further words for the same hues."""

TABLE_HUE_DEG, TABLE_SATURATION = (18, 70), (0.06, 0.62)
"""Wood, in the sun too: what has such a hue and saturation is table."""

GLARE, GLARE_SATURATION = 0.95, 0.5
"""Brightness at which the table loses its hue, and what saturation it has left at most."""

PALE = 0.15
"""Saturation below which anything else has no hue."""

LIGHT, DARK = "light", "dark"
"""Patches without a hue; how bright they are says whether they are white, grey or black."""

DIM, BLACK, WHITE = 0.35, 0.2, 0.7
"""Brightness below which a hue is not trusted, and of what is called black and white."""

LEAST_PX = 30
HIGHEST_M, STEP_M = 0.16, 0.002
FLAT_M, LOW_M = 0.004, 0.016
NARROWEST_M, WIDEST_ITEM_M, WIDEST_M = 0.012, 0.09, 0.3
LEAST_FILL = 0.5
MOST_PX, OTHER_COLOR_PX = 45.0, 15.0
"""Largest difference of two outlines of one thing, and what another colour counts for."""

ROUND_FILL = 0.87
"""A patch that fills less of the rectangle around it is round."""

HAND_M = 0.09
"""Half width of the room around the hand in which dark patches are the hand."""

HIDDEN_M = 0.012
"""What looks smaller by more than this is partly hidden: it stays where it was."""

PX_PER_M = 400.0
"""Weight of a wrong size against a wrong outline."""

NEAR_M = 0.25
"""A thing of the same colour and kind that is farther away is another one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Camera:
    """A camera: its name and projection (3, 4), world in m to homogeneous pixels."""

    name: str
    projection: Array

    def pixels(self, points: Array) -> Array:
        """Pixels (n, 2) of points (n, 3)."""
        seen = np.c_[points, np.ones(len(points))] @ self.projection.T
        return seen[:, :2] / seen[:, 2:]

    def sees_table(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Pixels of a picture (height, width) that show the table or a thing on it."""
        rows, columns = np.indices(shape)
        pixels = np.c_[columns.ravel(), rows.ravel()] + 0.5
        half = np.array(TABLE_SIZE_M[1::-1]) / 2
        on = [np.all(np.abs(self.at_height(pixels, z)) < half, axis=1) for z in (0.0, 0.1)]
        return np.any(on, axis=0).reshape(shape)

    def at_height(self, pixels: Array, z: float) -> Array:
        """Points (n, 2) of the plane at a height that pixels (n, 2) show."""
        p = self.projection
        plane = np.linalg.inv(np.c_[p[:, 0], p[:, 1], p[:, 2] * z + p[:, 3]])
        found = np.c_[pixels, np.ones(len(pixels))] @ plane.T
        return found[:, :2] / found[:, 2:]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patch:
    """A patch of one colour.

    Attributes:
        color: Hue, or ``LIGHT`` or ``DARK``.
        word: Colour as people say it.
        pixels: Columns and rows, (n, 2).
        fill: How much of the rectangle around it it fills.
        hollow: Whether something else is seen through its middle.
    """

    color: str
    word: str
    pixels: Array
    fill: float
    hollow: bool

    @property
    def outline(self) -> Array:
        """First column and row, and those after the last, (4,)."""
        return np.array([*self.pixels.min(axis=0), *self.pixels.max(axis=0) + 1])


@dataclass(slots=True, kw_only=True, eq=False)
class Eyes:
    """Keeps what was seen, by name, in the words in which an episode with states tells of it.

    Attributes:
        above: The camera that looks straight down.
        front: Another one.
        objects: What can move.
        fixtures: What stands still.
    """

    above: Camera
    front: Camera
    objects: dict[str, Entry] = field(default_factory=dict[str, Entry])
    fixtures: dict[str, Entry] = field(default_factory=dict[str, Entry])
    _begun: bool = False

    def look(self, pictures: Mapping[str, Picture], hand: Array, held: str = "") -> None:
        """Take in a picture of each camera; ``held`` is between the fingers and is left alone."""
        patches, fronts = (
            _patches(pictures[c.name], c.sees_table(pictures[c.name].shape[:2]))
            for c in (self.above, self.front)
        )
        seen: set[str] = {held}
        for patch in sorted(patches, key=lambda p: -len(p.pixels)):
            if self._is_hand(patch, hand):
                continue
            sight = self._measured(patch, fronts)
            if sight is None:
                continue
            kind, color, low, high = sight
            if kind in ("box", "cylinder"):
                self._item(color, kind, low, high, fronts, patch, seen)
            elif not self._begun:
                self._fixture(color, kind, low, high)
        self._begun = True

    def call(self, sentence: str) -> None:
        """Take over colours and nouns that a sentence has for what is seen.

        A thing whose colour it names by another word is called by that word, and a noun that
        follows a colour is a further name of the things that have it.
        """
        said = sentence.lower()
        for entry in (*self.objects.values(), *self.fixtures.values()):
            color = str(entry["color"])
            for other in ALSO_CALLED.get(color, ()):
                if other in said and color not in said:
                    entry["color"] = color = other
            nouns = re.findall(rf"\b{re.escape(color)} ([a-z]+)", said)
            entry["nouns"] = sorted({n.removesuffix("s") for n in nouns})

    def _is_hand(self, patch: Patch, hand: Array) -> bool:
        if patch.color not in (LIGHT, DARK):
            return False
        corners = np.array([[sx, sy, z] for sx in (-1, 1) for sy in (-1, 1) for z in (0.0, 0.2)])
        around = self.above.pixels(hand + corners * [HAND_M, HAND_M, 1.0])
        middle = patch.pixels.mean(axis=0)
        return bool(np.all(middle >= around.min(0)) and np.all(middle <= around.max(0)))

    def _measured(
        self, patch: Patch, fronts: Sequence[Patch]
    ) -> tuple[str, str, Array, Array] | None:
        """Kind and colour of a thing on the table, and the corners of its box."""
        rectangle = _rectangle(patch)
        best: tuple[float, float, Patch] | None = None
        for height in np.arange(0.0, HIGHEST_M, STEP_M):
            low, high = self._box(rectangle, 0.0, float(height))
            found = self._misfit(patch.color, low, high, fronts)
            if found is not None and (best is None or found[0] < best[0]):
                best = (found[0], float(height), found[1])
        if best is None or patch.fill < LEAST_FILL or best[0] > MOST_PX:
            return None
        low, high = self._box(rectangle, 0.0, best[1])
        size = high - low
        if size.max() > WIDEST_M or size[:2].min() < NARROWEST_M:
            return None
        round_, wide = patch.fill < ROUND_FILL, float(size[:2].max())
        round_, wide, color = patch.fill < ROUND_FILL, float(size[:2].max()), best[2].word
        if best[1] <= FLAT_M:
            kind = "pad"
        elif best[1] <= LOW_M and round_ and wide > WIDEST_ITEM_M:
            kind = "plate"
        elif wide > WIDEST_ITEM_M:
            kind = "bowl" if round_ else "tray"
        elif patch.hollow:
            kind = "socket"
        else:
            kind = "cylinder" if round_ else "box"
        return kind, color, low, high

    def _box(self, rectangle: Array, bottom: float, height: float) -> tuple[Array, Array]:
        """Corners of the box whose outline from above fills a rectangle of the picture.

        Its outer sides are seen at its top, and those towards the middle of the picture at its
        bottom.
        """
        top, base = (self.above.at_height(rectangle, z) for z in (bottom + height, bottom))
        low = np.maximum(top.min(axis=0), base.min(axis=0))
        high = np.minimum(top.max(axis=0), base.max(axis=0))
        return np.array([*low, bottom]), np.array([*high, bottom + height])

    def _misfit(
        self, color: str, low: Array, high: Array, fronts: Sequence[Patch]
    ) -> tuple[float, Patch] | None:
        """The patch whose outline is nearest to that of a box, and how far it is off, px."""
        corners = np.array(
            [
                [x, y, z]
                for x in (low[0], high[0])
                for y in (low[1], high[1])
                for z in (low[2], high[2])
            ]
        )
        box = self.front.pixels(corners)
        wanted = np.array([*box.min(axis=0), *box.max(axis=0)])
        off = [
            float(np.abs(p.outline - wanted).sum()) + OTHER_COLOR_PX * (p.color != color)
            for p in fronts
        ]
        return min(zip(off, fronts, strict=True), key=lambda pair: pair[0], default=None)

    def _item(
        self,
        color: str,
        kind: str,
        low: Array,
        high: Array,
        fronts: Sequence[Patch],
        patch: Patch,
        seen: set[str],
    ) -> None:
        noun = {"box": "block", "cylinder": "cylinder"}[kind]
        middle = (low + high) / 2
        known = {
            n: float(np.linalg.norm(np.array(e["pos"])[:2] - middle[:2]))
            for n, e in self.objects.items()
            if n.startswith(color) and n not in seen
        }
        if self._begun:
            name = min(known, key=lambda n: known[n], default="")
            if not name or known[name] > NEAR_M:
                return
            entry = self.objects[name]
            size = np.array(entry["size"], dtype=np.float64)
            place, off_m = self._place(patch, size, fronts)
            if off_m < HIDDEN_M:
                entry["pos"] = place
            seen.add(name)
            return
        name = f"{color}_{noun}"
        if name in self.objects:
            name += f"_{'abcdefgh'[sum(n.startswith(name) for n in self.objects)]}"
        self.objects[name] = {
            "kind": kind,
            "color": color,
            "pos": [float(v) for v in middle],
            "size": [float(v) for v in high - low],
        }
        seen.add(name)

    def _place(
        self, patch: Patch, size: Array, fronts: Sequence[Patch]
    ) -> tuple[list[float], float]:
        """Middle of a thing whose size is known, wherever it lies, and how far the size is off."""
        rectangle = _rectangle(patch)
        best = (np.inf, 0.0, np.zeros(3))
        for bottom in np.arange(0.0, HIGHEST_M, STEP_M):
            low, high = self._box(rectangle, float(bottom), float(size[2]))
            found = self._misfit(patch.color, low, high, fronts)
            off = np.inf if found is None else found[0]
            wrong = float(np.abs(high - low - size)[:2].max())
            if off + PX_PER_M * wrong < best[0]:
                best = (off + PX_PER_M * wrong, wrong, (low + high) / 2)
        return [float(v) for v in best[2]], best[1]

    def _fixture(self, color: str, kind: str, low: Array, high: Array) -> None:
        middle, size, wall = (low + high) / 2, high - low, 0.006
        inner = [float(v - 2 * wall) for v in size[:2]]
        name = kind if kind not in self.fixtures else f"{color}_{kind}"
        about: dict[str, Entry] = {
            "pad": {"size": [float(v) for v in size[:2]]},
            "plate": {"diameter": float(size[:2].mean()), "top_z": float(size[2])},
            "bowl": {"inner_diameter": float(np.mean(inner)), "rim_z": float(size[2])},
            "tray": {"inner_size": inner, "rim_z": float(size[2])},
            "socket": {"inner_size": [v - 0.008 for v in inner], "wall_height": float(size[2])},
        }
        pos = [float(middle[0]), float(middle[1]), 0.0]
        self.fixtures[name] = {"kind": kind, "color": color, "pos": pos, **about[kind]}


def eyes_of(cameras: object) -> Eyes:
    """Two cameras as ``info`` tells of them: the one that looks down most, and another one.

    Raises:
        ValueError: There are no two cameras with a projection.
    """
    found: list[tuple[float, Camera]] = []
    for told in cast("Sequence[Mapping[str, object]]", cameras):
        if told.get("projection") is not None:
            projection = np.array(told["projection"], dtype=np.float64)
            down = abs(projection[2, 2]) / float(np.linalg.norm(projection[2, :3]))
            found.append((down, Camera(name=str(told["name"]), projection=projection)))
    if len(found) < 2:
        raise ValueError(f"two calibrated cameras are needed, there are {len(found)}")
    found.sort(key=lambda pair: -pair[0])
    return Eyes(above=found[0][1], front=found[1][1])


def decoded(images: object) -> dict[str, Picture]:
    """Pictures (height, width, 3) by camera, from base64 of PNG files."""
    found: dict[str, Picture] = {}
    for name, text in cast("Mapping[str, str]", images).items():
        with av.open(io.BytesIO(base64.b64decode(text)), mode="r") as file:
            frame = next(file.decode(video=0))
            found[name] = cast("Picture", frame.to_ndarray(format="rgb24"))
    return found


def colors(picture: Picture) -> NDArray[np.str_]:
    """Colour of every pixel: hue, ``LIGHT`` or ``DARK``; empty for the table."""
    rgb = picture.astype(np.float64) / 255
    value, least = rgb.max(axis=2), rgb.min(axis=2)
    span = np.maximum(value - least, 1e-9)
    saturation = (value - least) / np.maximum(value, 1e-9)
    r, g, b = np.moveaxis(rgb, 2, 0)
    hue = (
        np.where(
            value == r,
            (g - b) / span % 6,
            np.where(value == g, (b - r) / span + 2, (r - g) / span + 4),
        )
        * 60.0
    )
    words = np.array([w for _, w in HUES])[np.searchsorted([h for h, _ in HUES], hue, "right")]
    wood = (hue > TABLE_HUE_DEG[0]) & (hue < TABLE_HUE_DEG[1])
    pale = saturation < np.where(wood, TABLE_SATURATION[0], PALE)
    words = np.where(pale | (value < DIM), np.where(value < DIM, DARK, LIGHT), words)
    wood &= ~pale
    most = np.where(value > GLARE, GLARE_SATURATION, TABLE_SATURATION[1])
    return np.where(wood & (saturation < most), "", words)


def _patches(picture: Picture, where: NDArray[np.bool_]) -> list[Patch]:
    found: list[Patch] = []
    labels = np.where(where, colors(picture), "")
    for color in sorted(set(labels.ravel()) - {""}):
        parts = cast("tuple[NDArray[np.int32], int]", ndimage.label(labels == color))[0]
        for part, box in enumerate(ndimage.find_objects(parts), start=1):
            mask = parts[box] == part
            if mask.sum() < LEAST_PX:
                continue
            filled = cast("NDArray[np.bool_]", ndimage.binary_fill_holes(mask))
            rows, columns = np.nonzero(filled)
            bright = float(np.median(picture[box][mask].max(axis=1))) / 255
            pale = "white" if bright > WHITE else "grey" if bright > BLACK else "black"
            found.append(
                Patch(
                    color=str(color),
                    word=pale if color in (LIGHT, DARK) else str(color),
                    pixels=np.c_[columns + box[1].start, rows + box[0].start].astype(np.float64),
                    fill=float(filled.sum() / filled.size),
                    hollow=bool(mask.sum() < 0.8 * filled.sum()),
                )
            )
    return found


def _rectangle(patch: Patch) -> Array:
    """Corners of the rectangle around a patch, (4, 2), px."""
    u0, v0, u1, v1 = patch.outline
    return np.array([[u0, v0], [u1, v0], [u1, v1], [u0, v1]])
