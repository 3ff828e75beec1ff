"""Parts of the reference that the code itself writes: ``<!-- generated: NAME -->`` in a page."""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def command_line() -> str:
    """Every command with its arguments and options."""
    from embodied.app.cli.main import app

    return "\n".join(_command("embodied", typer.main.get_command(app)))


def settings() -> str:
    """The fields of ``Settings`` beside their options."""
    from embodied import Settings
    from embodied.app.cli.options import OPTIONS

    flags = {o.field: (o.flags[0], o.default) for o in OPTIONS.values() if o.field}
    flags["pictures"] = ("--no-video", "on")
    meaning = dict(re.findall(r"^ +(\w+): (.+?)$(?=\n +\w+: |\s*\Z)", _doc(Settings), re.M | re.S))
    rows: list[tuple[str, ...]] = []
    for field in dataclasses.fields(Settings):
        flag, default = flags[field.name]
        words = re.sub(r"``", "`", " ".join(meaning[field.name].split()))
        rows.append((f"`{field.name}`", words, _code(field.default), f"`{flag}`", _code(default)))
    heads = ("field", "meaning", "default", "option", "default of the command line")
    return "\n".join(_table(heads, rows))


def names() -> str:
    """Every registered name of this installation, by kind."""
    from embodied_controllers.optimiser import OPTIMISERS

    from embodied.app.catalogue import robot_names
    from embodied.app.wiring import WORLDS
    from embodied.language.models import MODEL_KINDS
    from embodied.language.opening import TRANSLATORS
    from embodied.route import ROUTES
    from embodied.routes.pddl.tasks import STRATEGIES
    from embodied.world.scene import scene_names

    models = ("offline", "rules", *TRANSLATORS.names, *MODEL_KINDS)
    rows = [
        ("`--scene`", scene_names()),
        ("`--robot`", robot_names()),
        ("`--world`", WORLDS),
        ("`--route`", ("auto", *ROUTES.names)),
        ("`--model`", tuple(dict.fromkeys(models))),
        ("`--strategy`", STRATEGIES.names),
        ("`--optimiser`", OPTIMISERS.names),
    ]
    cells = [(flag, ", ".join(f"`{n}`" for n in found)) for flag, found in rows]
    return "\n".join(_table(("option", "names"), cells))


PARTS: dict[str, Callable[[], str]] = {
    "command_line": command_line,
    "settings": settings,
    "names": names,
}


def insert(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the generated parts in the place of their marks."""
    del app, docname
    source[0] = re.sub(r"<!-- generated: (\w+) -->", lambda m: PARTS[m[1]](), source[0])


def outdated(app: Sphinx, env: Any, *changes: set[str]) -> list[str]:
    """Pages with generated parts are read again in every build."""
    del app, changes
    return [n for n in env.all_docs if "<!-- generated: " in env.doc2path(n).read_text()]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", insert)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _command(name: str, command: Any) -> Iterator[str]:
    """Markdown of one command and of those below it."""
    group = getattr(command, "commands", None)
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join(p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments)
    yield f"\n{'#' * (1 + len(name.split()))} `{name}`\n"
    yield f"{_options_as_code(inspect.cleandoc(command.help or ''))}\n"
    if command.context_settings.get("ignore_unknown_options"):
        yield f"```text\n{_own_help(name)}\n```\n"
        return
    if group is None:
        yield f"```text\n{name} {usage} [OPTIONS]".replace("  ", " ") + "\n```\n"
    rows = [
        (
            ", ".join(f"`{o}`" for o in (*p.opts, *p.secondary_opts))
            if p not in arguments
            else f"`{p.name.upper()}`",
            _options_as_code(p.help or ""),
            _default(p),
        )
        for p in command.params
        if not p.hidden and p.name not in ("help", "install_completion", "show_completion")
    ]
    if rows:
        yield from _table(("argument or option", "meaning", "default"), rows)
    for child, below in (group or {}).items():
        yield from _command(f"{name} {child}", below)


def _options_as_code(text: str) -> str:
    return re.sub(r"(?<![`\w])--[a-z][\w-]*", lambda m: f"`{m[0]}`", text)


def _own_help(name: str) -> str:
    """What a command that reads its own options says for ``--help``."""
    call = [sys.executable, "-m", "embodied.app.cli.main", *name.split()[1:], "--help"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


def _default(option: Any) -> str:
    default = option.default
    if option.required:
        return "required"
    if default is None or default is False or default == "" or callable(default):
        return ""
    return _code(default)


def _code(value: object) -> str:
    return "" if value is None else f"`{value}`"


def _doc(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2]


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return ["| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines]
