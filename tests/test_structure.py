from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def _structure(root: Path) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, str(ROOT / "benchmarks" / "structure.py"), str(root), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def test_the_code_has_no_circle_and_no_import_that_runs_upwards() -> None:
    code, report = _structure(ROOT)
    assert report["circles between packages"] == report["circles between modules"] == []
    assert report["upward imports"] == []
    assert code == 0
    assert report["lines"] == sum(p["lines"] for p in report["parts"].values()) > 10_000


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_circles_upward_private_imports_and_any_are_found(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "embodied/memory/a.py": "from embodied.memory.b import x\n",
            "embodied/memory/b.py": "import embodied.memory.a\nx = 1\n",
            "embodied/world/c.py": "def f():\n    from embodied.agent import Agent\n",
            "embodied/agent.py": "from embodied.world import c\nfrom embodied.memory.b import _y\n",
            "embodied/routes/pddl/d.py": "from ..reward import e\n",
            "embodied/routes/reward/e.py": "from typing import Any\nx: Any = 'Any'  # Any\n",
            "planners/embodied_planners/g.py": "import embodied.memory.a, embodied.types\n",
            "embodied/types/__init__.py": "",
        },
    )
    code, report = _structure(tmp_path)
    assert code == 1
    assert report["circles between modules"] == [
        "embodied.memory.a -> embodied.memory.b -> embodied.memory.a"
    ]
    assert report["circles between packages"] == []  # the import in a function closes none
    assert report["upward imports"] == [
        "embodied/routes/pddl/d.py:1: embodied.routes.reward.e",
        "embodied/world/c.py:2: embodied.agent.Agent",
        "planners/embodied_planners/g.py:1: embodied.memory.a",
    ]
    assert report["private imports across packages"] == [
        "embodied/agent.py:2: embodied.memory.b._y"
    ]
    assert report["any lines"] == 2


def test_imports_for_the_type_checker_count_for_nothing(tmp_path: Path) -> None:
    only = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import embodied.agent\n"
    _write(tmp_path, {"embodied/body.py": only, "embodied/agent.py": "import embodied.body\n"})
    code, report = _structure(tmp_path)
    assert code == 0
    assert report["upward imports"] == report["circles between modules"] == []
