"""The commands ``embodied export`` and ``embodied demos``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from embodied.app.cli.exit_codes import guarded
from embodied.app.cli.options import DemoValues, given, settings_of, takes_options

if TYPE_CHECKING:
    from embodied.datasets.episode import Pictures

Camera = Annotated[
    list[str] | None, typer.Option("--camera", help="Camera whose pictures go in; repeatable.")
]
Size = Annotated[str, typer.Option("--size", help="Of the pictures: WIDTHxHEIGHT, even numbers.")]


def export(
    runs: Annotated[
        list[Path], typer.Argument(help="Run folders, or folders of them.", show_default=False)
    ],
    lerobot: Annotated[
        Path, typer.Option("--lerobot", help="Folder of the LeRobotDataset to make or add to.")
    ],
    camera: Camera = None,
    size: Size = "224x224",
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Add runs to a data set (LeRobotDataset v3); those that failed are marked."""
    with guarded(json):
        from embodied.app.replay import runs_in
        from embodied.app.show.terminal import print_json
        from embodied.datasets.demos import add_runs
        from embodied.datasets.lerobot import LeRobotDataset
        from embodied.errors import ConfigurationError

        dataset = LeRobotDataset(lerobot, _pictures(camera, size))
        before = len(dataset.runs)
        folders = [run for folder in runs for run in runs_in(folder)]
        unusable = add_runs(dataset, folders)
        added = len(dataset.runs) - before
        if json:
            print_json({"added": added, "left_out": unusable, "dataset": str(lerobot)})
        else:
            typer.echo(f"{added} episode{'' if added == 1 else 's'} added to {lerobot}")
            for reason in unusable.values():
                typer.echo(f"left out: {reason}", err=True)
        if not added and unusable:
            raise ConfigurationError("no run is an episode")


@takes_options
def demos(
    context: typer.Context,
    sentence: Annotated[str, typer.Argument(help="What every episode asks for.")],
    to: Annotated[Path, typer.Option("--to", help="Folder of the data set.")],
    episodes: Annotated[int, typer.Option("--episodes", min=1, help="Layouts in all.")] = 100,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes at a time.")] = 1,
    camera: Camera = None,
    size: Size = "224x224",
    **values: Unpack[DemoValues],
) -> None:
    """Make a data set: a sentence carried out by the planners in many layouts.

    The same call goes on where one was interrupted. Failed episodes are kept and marked. The seeds
    count up from --seed. Exit codes: 0 all reached, 1 some did not.
    """
    with guarded(values["json"]):
        from embodied.app.show.terminal import print_json
        from embodied.datasets.demos import make_demos

        def told(done: int, reached: int) -> None:
            if not values["json"]:
                typer.echo(
                    f"\r{done} of {episodes} episodes, {reached} reached", err=True, nl=False
                )

        made = make_demos(
            to,
            sentence,
            settings_of({**values, "no_video": True}, given(context)),  # pyright: ignore[reportArgumentType]
            episodes=episodes,
            jobs=jobs,
            pictures=_pictures(camera, size),
            told=told,
        )
        if values["json"]:
            print_json(made)
        else:
            typer.echo(f"\n{made.episodes} episodes in {to}, {made.reached} reached the goal")
            for reason in made.unusable.values():
                typer.echo(f"left out: {reason}", err=True)
        raise typer.Exit(0 if made.reached == made.episodes else 1)


def _pictures(cameras: list[str] | None, size: str) -> Pictures | None:
    """What was asked for; None leaves it to the data set."""
    if not cameras:
        return None
    from embodied.datasets.episode import Pictures

    width, _, height = size.partition("x")
    try:
        found = Pictures(
            cameras=tuple(dict.fromkeys(cameras)), width_px=int(width), height_px=int(height)
        )
    except ValueError:
        raise typer.BadParameter("is no WIDTHxHEIGHT, e.g. 224x224", param_hint="--size") from None
    if any(n % 2 or not 16 <= n <= 4096 for n in (found.width_px, found.height_px)):
        raise typer.BadParameter("takes even numbers from 16 to 4096", param_hint="--size")
    return found
