"""Tokens of the first request of every route, strategy and writer, schema apart.

    python benchmarks/prompt_tokens.py

Counted as GPT-2 splits text before it merges bytes; a model's own tokenizer gives other totals, of
similar proportions. Run it from the root of a checkout: the requests are those of the tests.
"""

from __future__ import annotations

import json
import sys

from embodied.bench.strategies.scripted_model import count_tokens


def main() -> None:
    """Print a Markdown table."""
    sys.path.insert(0, ".")
    from tests.language.models.every_request import every_request

    print("| request | system | user | schema |\n|---|---:|---:|---:|")
    for name, request in every_request().items():
        if name.endswith("repaired"):
            continue
        system = sum(count_tokens(m.text) for m in request.messages if m.role == "system")
        user = sum(count_tokens(m.text) for m in request.messages if m.role != "system")
        schema = count_tokens(json.dumps(request.schema)) if request.schema else 0
        print(f"| {name} | {system} | {user} | {schema} |")


if __name__ == "__main__":
    main()
