"""Things on a table from two colour pictures, drawn here as outlines of boxes and cylinders."""

from __future__ import annotations

import base64
import io

import av
import numpy as np
import pytest
from scipy.spatial import ConvexHull

from embodied.bench.robouse.pixels import Eyes, Picture, decoded, eyes_of
from embodied.bench.robouse.scene import read_table
from embodied.types import Array

SIZE = 320
WOOD, COLORS = (184, 148, 107), {"red": (220, 40, 40), "blue": (40, 80, 220), "white": (240,) * 3}
HAND = np.array([0.0, 0.2, 0.25])


def projection(position: tuple[float, float, float], target: tuple[float, float, float]) -> Array:
    back = np.array(position) - np.array(target)
    back /= np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(back, right), back])
    focal = SIZE / 2 / np.tan(np.deg2rad(45) / 2)
    k = np.array([[focal, 0, -SIZE / 2], [0, -focal, -SIZE / 2], [0, 0, -1.0]])
    return k @ np.c_[rotation, -rotation @ np.array(position)]


CAMERAS = [
    {"name": "front", "projection": projection((0, -0.52, 0.78), (0, 0.03, 0)).tolist()},
    {"name": "top", "projection": projection((0, -0.001, 1.05), (0, 0, 0)).tolist()},
    {"name": "wrist", "projection": None},
]


def picture(matrix: Array, things: list[tuple[str, str, Array, Array]]) -> Picture:
    """Outlines of (colour, kind, middle, size), the farther ones first."""
    image = np.full((SIZE, SIZE, 3), WOOD, dtype=np.uint8)
    rows, columns = np.indices((SIZE, SIZE))
    pixels = np.c_[columns.ravel() + 0.5, rows.ravel() + 0.5]
    for color, kind, middle, size in sorted(things, key=lambda t: (-t[2][1], t[2][2])):
        if kind == "box":
            flat = np.array([[x, y] for x in (-1, 1) for y in (-1, 1)]) / 2
        else:
            angles = np.linspace(0, 2 * np.pi, 40)
            flat = np.c_[np.cos(angles), np.sin(angles)] / 2
        points = np.array([[*p, z] for p in flat for z in (-0.5, 0.5)]) * size + middle
        seen = np.c_[points, np.ones(len(points))] @ matrix.T
        hull = ConvexHull(seen[:, :2] / seen[:, 2:])
        inside = np.all(pixels @ hull.equations[:, :2].T + hull.equations[:, 2] <= 0, axis=1)
        image.reshape(-1, 3)[inside] = COLORS[color]
    return image


def look(eyes: Eyes, things: list[tuple[str, str, Array, Array]], held: str = "") -> None:
    pictures = {c.name: picture(c.projection, things) for c in (eyes.above, eyes.front)}
    eyes.look(pictures, HAND, held)


def things(red: tuple[float, float, float]) -> list[tuple[str, str, Array, Array]]:
    cube = np.full(3, 0.04)
    return [
        ("red", "box", np.array(red), cube),
        ("red", "cylinder", np.array([0.2, -0.1, 0.04]), np.array([0.04, 0.04, 0.08])),
        ("blue", "box", np.array([-0.1, -0.15, 0.02]), cube),
        ("white", "cylinder", np.array([0.1, 0.1, 0.004]), np.array([0.13, 0.13, 0.008])),
    ]


def test_kinds_places_and_heights_are_seen() -> None:
    eyes = eyes_of(CAMERAS)
    assert (eyes.above.name, eyes.front.name) == ("top", "front")
    look(eyes, things((-0.15, 0.05, 0.02)))
    assert set(eyes.objects) == {"red_block", "red_cylinder", "blue_block"}
    assert set(eyes.fixtures) == {"plate"}
    for name, place, height in (
        ("red_block", (-0.15, 0.05), 0.04),
        ("red_cylinder", (0.2, -0.1), 0.08),
        ("blue_block", (-0.1, -0.15), 0.04),
    ):
        entry = eyes.objects[name]
        np.testing.assert_allclose(np.array(entry["pos"])[:2], place, atol=0.005)
        assert np.array(entry["size"])[2] == pytest.approx(height, abs=0.008)
    np.testing.assert_allclose(eyes.fixtures["plate"]["pos"], [0.1, 0.1, 0.0], atol=0.005)
    state = {"objects": eyes.objects, "fixtures": eyes.fixtures}
    scene = read_table(state, np.full(3, -0.3), np.full(3, 0.3)).scene
    assert scene.objects["plate"].kind == "surface" and scene.objects["blue-block"].color == "blue"


def test_what_was_put_on_something_is_seen_higher_and_what_is_held_is_left_alone() -> None:
    eyes = eyes_of(CAMERAS)
    look(eyes, things((-0.15, 0.05, 0.02)))
    look(eyes, things((-0.1, -0.15, 0.06)))
    red, blue = (np.array(eyes.objects[n]["pos"]) for n in ("red_block", "blue_block"))
    np.testing.assert_allclose(red, [-0.1, -0.15, 0.06], atol=0.008)
    np.testing.assert_allclose(blue, [-0.1, -0.15, 0.02], atol=0.008)
    look(eyes, things((0.0, 0.0, 0.02)), held="red_block")
    np.testing.assert_allclose(eyes.objects["red_block"]["pos"], red)


def test_a_sentence_names_what_is_seen() -> None:
    eyes = eyes_of(CAMERAS)
    look(eyes, things((-0.15, 0.05, 0.02)))
    eyes.objects["blue_block"]["color"] = "purple"
    eyes.call("Put the violet crate and both red pieces on the white saucer.")
    assert eyes.objects["blue_block"]["color"] == "violet"
    state = {"objects": eyes.objects, "fixtures": eyes.fixtures}
    found = read_table(state, np.full(3, -0.3), np.full(3, 0.3)).scene.objects
    assert "crate" in found["blue-block"].aliases and "saucer" in found["plate"].aliases
    assert {n for n, o in found.items() if "piece" in o.aliases} == {"red-block", "red-cylinder"}


def test_pictures_come_as_files() -> None:
    image = picture(np.array(CAMERAS[0]["projection"]), things((0.0, 0.0, 0.02)))
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="image2pipe") as file:
        stream = file.add_stream("png", rate=1)
        stream.width = stream.height = SIZE
        stream.pix_fmt = "rgb24"
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        for packet in (*stream.encode(frame), *stream.encode()):
            file.mux(packet)
    found = decoded({"front": base64.b64encode(buffer.getvalue()).decode()})
    np.testing.assert_array_equal(found["front"], image)


def test_one_camera_is_not_enough() -> None:
    with pytest.raises(ValueError, match="two calibrated cameras are needed, there are 1"):
        eyes_of(CAMERAS[:1])
