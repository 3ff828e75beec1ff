from __future__ import annotations

import subprocess
import sys
from importlib import resources

from embodied.symbolic.reading import read_domain
from embodied.world._scene_reader import RESERVED
from embodied.world.grounding import domain_text
from embodied.world.robots import robot_names
from embodied.world.scene import scene_names


def test_scenes_robots_and_domains_are_package_data() -> None:
    root = resources.files("embodied_assets")
    for name in scene_names():
        assert root.joinpath("scenes", f"{name}.toml").is_file()
    assert "fr3" in robot_names()
    assert root.joinpath("robots", "fr3", "robot.xml").is_file()


def test_the_words_of_the_tabletop_domain_are_reserved() -> None:
    text = domain_text({})
    domain = read_domain(text)
    assert {*domain.types, *domain.predicates, *domain.actions} <= RESERVED


def test_reading_a_scene_needs_no_simulator() -> None:
    code = (
        "import sys; from embodied.world.scene import load_scene; load_scene('kitchen');"
        "from embodied.world.grounding import TabletopGrounder;"
        "assert 'mujoco' not in sys.modules, 'mujoco was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
