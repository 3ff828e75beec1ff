"""The command ``scenes``: the scenes and robots of this installation."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.table import Table

from embodied.app.show.console import Console
from embodied.app.show.terminal import print_json
from embodied.errors import ConfigurationError
from embodied.routes.reward.robots import REWARD_ROBOTS
from embodied.types import ObjectSpec
from embodied.world.files import ARMS
from embodied.world.scene import load_scene, scene_names


def robot_names() -> tuple[str, ...]:
    """All robots that have a name, without importing a simulator."""
    return tuple(sorted({*ARMS.names, *REWARD_ROBOTS.names}))


def list_scenes(json: bool) -> None:
    """Print every scene with its description and a sentence to try."""
    found = [load_scene(name) for name in scene_names()]
    if json:
        rows = [
            {"name": s.name, "description": s.description, "sentences": s.sentences} for s in found
        ]
        print_json({"scenes": rows, "robots": robot_names()})
        return
    table = Table(box=None, pad_edge=False)
    for title in ("scene", "content", "try"):
        table.add_column(title, overflow="fold")
    for scene in found:
        table.add_row(scene.name, scene.description, f'"{scene.sentences[0]}"')
    console = Console(highlight=False)
    console.print(table)
    console.print(f"[dim]robots:[/] {', '.join(robot_names())}, menagerie:NAME, package:NAME/FILE")
    console.print("[dim]embodied scenes NAME shows one, with --picture FILE.png drawn[/]")


def show_scene(name: str, json: bool, picture: Path | None) -> None:
    """Print the objects of one scene; raises ConfigurationError."""
    scene = load_scene(name)
    if json:
        print_json(
            {
                "name": scene.name,
                "description": scene.description,
                "sentences": scene.sentences,
                "objects": scene.objects,
                "picture": picture,
            }
        )
        return
    console = Console(highlight=False)
    console.print(f"[bold]{escape(scene.name)}[/]: {escape(scene.description)}")
    table = Table(box=None, pad_edge=False)
    for title in ("object", "kind", "also called", "size (cm)"):
        table.add_column(title)
    for item in scene.objects.values():
        table.add_row(item.name, item.kind, ", ".join(item.aliases), _size(item))
    console.print(table)
    console.print("[dim]try:[/]")
    for sentence in scene.sentences:
        option = "" if name == "blocks" else f" --scene {name}"
        console.print(f'  embodied run{option} "{sentence}"', markup=False)
    if picture is not None:
        console.print(f"[dim]picture:[/] {escape(str(picture))}")


def draw_scene(name: str, robot: str, seed: int, target: Path) -> None:
    """Draw a scene's initial layout to a PNG file.

    Raises:
        ConfigurationError: The scene is broken, or the file cannot be written.
    """
    from embodied.app.show.film import PICTURE_PX
    from embodied.world.mujoco import build_world
    from embodied.world.png import encode_png
    from embodied.world.rendering import Painter

    world = build_world(load_scene(name), robot)
    try:
        world.reset(seed=seed)
        painter = Painter(world.model, width=PICTURE_PX[0], height=PICTURE_PX[1], quality="fine")
        try:
            image = painter.draw(world.qpos)
        finally:
            painter.close()
    finally:
        world.close()
    try:
        target.write_bytes(encode_png(image))
    except OSError as error:
        raise ConfigurationError(f"cannot write {target}: {error.strerror}") from error


def _size(item: ObjectSpec) -> str:
    if not any(item.size_m):
        return ""
    return " x ".join(f"{100 * s:.1f}" for s in item.size_m)
