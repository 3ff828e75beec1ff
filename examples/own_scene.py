"""A scene of your own: a TOML file, checked as it is read, used by its path."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

from embodied import Settings, open_session

SCENE = """
name = "desk"
description = "A pen pot, a rubber and a die on a desk"
sentences = ["put the die in the pot"]

[[container]]
name = "pot"
category = "pot"
color = "grey"
size_m = [0.14, 0.14, 0.06]
position_m = [0.45, 0.25]

[[item]]
name = "die"
category = "die"
color = "white"
size_m = [0.03, 0.03, 0.03]

[[item]]
name = "rubber"
category = "rubber"
color = "blue"
size_m = [0.05, 0.03, 0.025]
"""
path = Path(mkdtemp(prefix="embodied-")) / "desk.toml"
path.write_text(SCENE)
session = open_session(Settings(scene=str(path), seed=1))
print(*session.state(), sep="\n")
outcome = session.run("put the die in the pot")
print(outcome.message)
assert outcome.reached
session.close()
