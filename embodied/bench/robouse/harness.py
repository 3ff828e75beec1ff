"""The harness as robouse loads it, in robouse's own environment; needs nothing but Python.

``embodied bench setup robouse`` copies this file there and names it as an entry point of the group
``robouse.harnesses``. What it starts gets the prompt and the socket of the episode; the task, its
name and its goal stay here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

MODULE = "embodied_harness"
PYTHON, PATHS, SETTINGS = "EMBODIED_PYTHON", "EMBODIED_PATHS", "EMBODIED_SETTINGS"
KEY = "_API_KEY"


def build(
    name: str, model: str, prompt: str, workspace: Path, task: object, env: dict[str, str]
) -> object:
    """How the agent of one trial is started; a ``robouse.harnesses`` builder.

    Args:
        name: Of the harness.
        model: Translator or language model, as ``--model`` of a run.
        prompt: The only thing of the task that is handed on.
        workspace: Folder that the agent may write to.
        task: Not looked at.
        env: Environment to start from.
    """
    from robouse.harnesses import Launch  # pyright: ignore  # robouse's own environment

    del name, task
    asked = workspace / ".robouse" / "prompt.txt"
    asked.write_text(prompt, "utf-8")
    settings = {**json.loads(os.environ[SETTINGS]), "model": model or "rules"}
    paths = os.environ[PATHS].split(os.pathsep)
    env = {**env, "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "PYTHONDONTWRITEBYTECODE": "1"}
    for own in (PYTHON, PATHS, SETTINGS):
        env.pop(own, None)
    if settings["model"] != "rules":
        env.update({k: v for k, v in os.environ.items() if k.endswith(KEY)})
    return Launch(
        [
            os.environ[PYTHON],
            "-m",
            "embodied.bench.robouse.agent",
            str(asked),
            json.dumps(settings),
        ],
        env,
        notes={"model": settings["model"], "provider": "embodied"},
        read_only=[Path(p) for p in paths],
        config={"settings": settings},
    )


def install(site: Path) -> None:
    """Make this file an entry point of the environment with the given site-packages."""
    (site / f"{MODULE}.py").write_text(Path(__file__).read_text("utf-8"), "utf-8")
    about = site / f"{MODULE}-1.dist-info"
    about.mkdir(exist_ok=True)
    head = "Metadata-Version: 2.1\nName: embodied-harness\nVersion: 1\n"
    (about / "METADATA").write_text(head, "utf-8")
    entry = f"[robouse.harnesses]\nembodied = {MODULE}:build\n"
    (about / "entry_points.txt").write_text(entry, "utf-8")
