"""The set's own evaluators for some answers, in an environment of its own.

Run as a script with a record on standard input: ``data``, ``task``, ``records``, ``answers`` and
``claims``. The set's grammar reads an answer, its evaluator scores it; nothing of this project is
needed. Where that says no and the answer claims that something has no plan (a goal, or a domain and
a problem), the set's own planner is asked besides.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

GRAMMARS = {
    **{"app": "action_list", "just": "action_list", "prog": "progression_list", "val": "index"},
    **{"reach": "act", "areach": "act", "land": "act", "nexta": "action_name"},
}
"""Start symbol of the set's grammar by task, as the set's own script has them."""


def main() -> None:
    """Score some answers: stock scores, None where the evaluator broke, and corrected ones."""
    asked = json.load(sys.stdin)
    source = Path(asked["data"]) / "src"
    sys.path.insert(0, str(source))
    with contextlib.redirect_stdout(sys.stderr):  # the evaluators print
        from evaluators import get_evaluator  # pyright: ignore
        from grammar.grammar_parser import ACPGrammarParser  # pyright: ignore
        from utils.pddl_utils import is_unsolvable, is_unsolvable_new_goal  # pyright: ignore

        rules = source / "grammar" / "acp_grammar.lark"
        grammar: Any = ACPGrammarParser(str(rules), GRAMMARS[asked["task"]])
        scores: list[tuple[float | None, bool]] = []
        columns = (asked[k] for k in ("records", "answers", "claims"))
        for record, answer, claim in zip(*columns, strict=True):
            try:
                read: Any = grammar.parse(answer)
                empty = read is None or any(part is None for part in read)
                evaluator: Any = get_evaluator(record["group"])
                score = 0.0 if empty else float(evaluator.get_score([read], record))
            except Exception as error:
                sys.stderr.write(f"{record['id']}: {type(error).__name__}: {error}\n")
                score = None
            right = score == 1.0
            if not right and claim:
                texts = (record["PDDL_domain"].lower(), record["PDDL_problem"].lower())
                goal = len(claim) == 1
                asked_of = is_unsolvable_new_goal if goal else is_unsolvable
                right = bool(asked_of(*((*texts, *claim) if goal else claim)))
            scores.append((score, right))
    sys.stdout.write(json.dumps(scores))


if __name__ == "__main__":
    main()
