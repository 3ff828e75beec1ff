from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from embodied.errors import ConfigurationError
from embodied.world.builder import build_model
from embodied.world.files import ARMS, SCENES
from embodied.world.robots import robot_names
from embodied.world.scene import load_scene, parse_scene, scene_names

ITEM = """
[[item]]
name = "red-block"
category = "block"
color = "red"
size_m = [0.04, 0.04, 0.04]
"""
SCENE = f'name = "mine"\n{ITEM}'


@pytest.mark.parametrize("name", scene_names())
def test_built_in_scenes_are_usable(name: str) -> None:
    scene = load_scene(name)
    assert scene.name == name
    assert len(scene.sentences) >= 4
    assert len(scene.of_kind("item")) >= 5
    assert scene.of_kind("surface")[0] == "table"
    assert set(scene.bodies) == set(scene.objects)


def test_the_scenes_of_the_brief_are_there() -> None:
    assert {"blocks", "kitchen", "workshop"} <= set(scene_names())
    assert load_scene("kitchen").of_kind("drawer") == ("drawer",)
    assert load_scene("workshop").of_kind("drawer") == ("drawer",)


def test_a_users_own_file_loads(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SCENE)
    scene = load_scene(path)
    assert scene.objects["red-block"].size_m == (0.04, 0.04, 0.04)
    assert scene.objects["red-block"].stackable
    assert scene.bodies["red-block"].mass_kg == pytest.approx(0.04**3 * 600, abs=1e-3)


def test_an_unknown_scene_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="blocks, kitchen, workshop"):
        load_scene("no-such-scene")


def test_broken_toml_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        parse_scene("name = ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('color = "red"', 'color = "rot"'), "legal values: red, green"),
        (('category = "block"', ""), "category: is missing"),
        (('category = "block"', 'category = "open"'), "a word of the planning domain"),
        (('category = "block"', 'category = "red"'), "is a colour and the name"),
        (('name = "red-block"', 'name = "Red Block"'), "joined by hyphens"),
        (('name = "red-block"', 'name = "clear"'), "a word of the planning domain"),
        (("[0.04, 0.04, 0.04]", "[0.2, 0.2, 0.04]"), "too wide for the hand"),
        (("[0.04, 0.04, 0.04]", "[0.04, 0.04]"), "a list of 3 numbers"),
        (("size_m", "size"), "did you mean 'size_m'"),
        (('color = "red"', 'shape = "cone"'), "legal values: box, cylinder, sphere"),
        (('color = "red"', "mass_kg = 50"), "must lie in"),
        (('color = "red"', 'shape = "sphere"\nstackable = true'), "nothing rests on a ball"),
        (('color = "red"', 'stackable = "yes"'), "true or false"),
    ],
)
def test_problems_are_explained(change: tuple[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_scene(SCENE.replace(*change))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (ITEM, "used twice"),
        ("[layout.initial.blue-block]\non = 'table'", "'blue-block' is not a known object"),
        ("[layout.initial.red-block]\non = 'shelf'", "'shelf' is not a known object"),
        ("[layout.initial.red-block]\non = 'red-block'", "rests on itself"),
        ("[layout.open]\ndrawer = true", "'drawer' is not a known object"),
        ("[layout]\nstack_probability = 1.5", "must lie in [0, 1]"),
        (
            '[[container]]\nname = "a"\ncategory = "bin"\nsize_m = [0.2, 0.2, 0.1]\n'
            'position_m = [0.4, 0.3]\n[[container]]\nname = "b"\ncategory = "bin"\n'
            "size_m = [0.2, 0.2, 0.1]\nposition_m = [0.45, 0.35]",
            "overlap on the table",
        ),
        (
            '[[surface]]\nname = "mat"\ncategory = "block"\nsize_m = [0.2, 0.2, 0.01]\n'
            "position_m = [0.4, 0.3]",
            "use another noun",
        ),
    ],
)
def test_problems_between_objects_are_explained(addition: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_scene(SCENE + addition)
    assert message in str(caught.value)


def parts_of(robot: str) -> set[str]:
    """Everything that has a name in an arm's model and its surroundings."""
    model = build_model(load_scene("blocks"), robot)
    text = bytes(model.names[1:]).decode()
    return {name for name in text.split("\0") if name} - set(load_scene("blocks").objects)


@pytest.mark.parametrize("robot", ["fr3", "ur5e"])
def test_a_scene_is_built_with_any_names_or_refused_with_the_reason(robot: str) -> None:
    names = sorted(parts_of(robot) | {"drawer-handle", "box-cabinet", "table-leg-1", "tray-2"})
    assert {"floor", "hand", "sky"} <= set(names)
    built, refused = set[str](), set[str]()
    for name in names:
        tray = (
            '[[container]]\nname = "box"\ncategory = "bin"\nsize_m = [0.2, 0.2, 0.1]\n'
            "position_m = [0.4, 0.3]\n"
        )
        try:
            build_model(parse_scene(SCENE.replace("red-block", name) + tray), robot)
            built.add(name)
        except ConfigurationError as error:
            assert name in str(error) and ("rename" in str(error) or "hyphens" in str(error))
            refused.add(name)
    assert {"floor", "hand", "table-leg-1"} <= refused and {"drawer-handle", "tray-2"} <= built
    assert "link0" in refused or robot == "ur5e"


def test_an_object_is_not_called_like_a_part_of_another() -> None:
    boxes = (
        '[[container]]\nname = "bin"\ncategory = "bin"\nsize_m = [0.2, 0.2, 0.1]\n'
        "position_m = [0.4, 0.3]\n"
    )
    with pytest.raises(ConfigurationError, match="a part of 'bin' is called"):
        parse_scene(SCENE.replace("red-block", "bin-1") + boxes)


@pytest.mark.parametrize("name", scene_names())
@pytest.mark.parametrize("robot", robot_names())
def test_every_scene_is_built_with_every_arm(name: str, robot: str) -> None:
    assert build_model(load_scene(name), robot).nq > 0


def test_another_packages_scene_and_arm_are_found_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "desk.toml").write_text(SCENE)
    shutil.copytree(ARMS.get("fr3").parent, tmp_path / "arm")
    monkeypatch.setitem(SCENES.__dict__, "_added", {"desk": tmp_path / "desk.toml"})
    monkeypatch.setitem(ARMS.__dict__, "_added", {"my-arm": str(tmp_path / "arm" / "robot.toml")})
    assert scene_names() == ("blocks", "kitchen", "workshop", "desk")
    assert load_scene("desk").name == "mine"
    assert build_model(load_scene("desk"), "my-arm").nq > 0
    with pytest.raises(ConfigurationError, match="my-arm"):
        build_model(load_scene("desk"), "no-arm")


def test_files_are_bounded(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="longer than"):
        parse_scene("#" * 2_000_000)
    (tmp_path / "x.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="no UTF-8 text"):
        load_scene(tmp_path / "x.toml")
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        parse_scene("a = " + "[" * 100_000)


def test_all_problems_are_reported_at_once() -> None:
    text = SCENE.replace('color = "red"', 'color = "rot"').replace("0.04, 0.04, 0.04", "0.04")
    with pytest.raises(ConfigurationError) as caught:
        parse_scene(text)
    assert str(caught.value).count("\n  - ") >= 2


def test_a_scene_without_items_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least one"):
        parse_scene('name = "empty"')
