from __future__ import annotations

import pytest

from embodied.language.offline.scene_view import SceneView, Thing


def thing(name: str, kind: str, category: str, color: str = "") -> Thing:
    return Thing(name=name, kind=kind, category=category, color=color)


@pytest.fixture
def kitchen() -> SceneView:
    return SceneView(
        things=(
            thing("red-cup", "item", "cup", "red"),
            thing("blue-cup", "item", "cup", "blue"),
            thing("apple", "item", "apple", "red"),
            thing("bowl", "container", "bowl"),
            thing("drawer", "drawer", "drawer"),
            thing("table", "surface", "table"),
        )
    )


@pytest.fixture
def quadruped() -> SceneView:
    return SceneView(robot="quadruped")


@pytest.fixture
def hand() -> SceneView:
    return SceneView(
        robot="arm",
        things=(thing("apple", "item", "apple"), thing("cup", "item", "cup")),
        handles=("drawer_handle",),
        joints=("drawer",),
    )
