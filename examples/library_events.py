"""Use the library: carry out a sentence and follow what happens, event by event."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

from embodied import Event, Settings, open_session

folder = Path(mkdtemp(prefix="embodied-"))


def show(event: Event) -> None:
    """Print what a person wants to follow; every measurement and command is an event too."""
    data = event.data
    match event.kind:
        case "program":
            print("understood:", *data["stages"])
        case "plan":
            print(f"plan ({data['engine']}):", *data["plan"])
        case "effects":
            print(f"  {data['action']}: {'measured' if data['ok'] else data['reason']}")
        case "replan" | "retry" | "stop":
            print(f"  {event.kind}: {data['reason']}")
        case _:
            pass


def keep(name: str, content: str | bytes) -> None:
    """Files that a run leaves behind: the problem, the plan in words."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


session = open_session(Settings(scene="kitchen", seed=2))
try:
    outcome = session.run("open the drawer and put the sponge in it", emit=show, write=keep)
    for verdict in outcome.verdicts:
        print("holds:", *verdict.holds)
    assert outcome.reached, outcome.message
    outcome = session.undo(emit=show, write=keep)
    print("undone:", outcome.message)
finally:
    session.close()
print((folder / "plan.txt").read_text())
