"""A grammar (GBNF) of exactly the goals that make sense in one scene.

Every predicate, type and object in it is the scene's own, and every argument has the type that its
place demands, with quantified variables in scope: a model that decodes under this grammar cannot
write a goal that fails to type-check.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from embodied.symbolic import Domain, Parameter
from embodied.symbolic.model import OBJECT

_VARIABLES = ("?x", "?y", "?z")

_QUOTE = '"'
_JSON_START = '{"stages": ['
_JSON_END = '], "unsupported": ""}'
_JSON_REFUSAL = '{"stages": [], "unsupported": "'

_Env = tuple[str, ...]
"""Types of the variables in scope, outermost first."""


def goal_grammar(
    domain: Domain,
    objects: Mapping[str, str],
    *,
    form: str = "text",
    depth: int = 3,
    quantifiers: int = 1,
) -> str:
    r"""Write the grammar of the goals over ``objects``.

    Goals are built of atoms, ``(= ?x object)``, ``not``, ``and``, ``or``, ``imply``, ``forall`` and
    ``exists``. Orderings are several stages.

    Args:
        domain: Types and predicates.
        objects: Object name to its type; the domain's constants are added.
        form: ``"text"``: one goal per line, in order, or ``unsupported: REASON``. ``"json"``:
            ``{"stages": [GOAL, ...], "unsupported": ""}`` or
            ``{"stages": [], "unsupported": REASON}``.
        depth: How deeply connectives and quantifiers may nest around an atom.
        quantifiers: How many quantified variables may be in scope at once, 0 to 3.

    Returns:
        GBNF text with the rule ``root``.

    Raises:
        ValueError: Unknown form, bad bounds, or no predicate that these objects can fill.
    """
    if form not in ("text", "json"):
        raise ValueError(f"unknown form {form!r}; forms are text, json")
    if depth < 1 or not 0 <= quantifiers <= len(_VARIABLES):
        raise ValueError(
            f"depth must be at least 1 and quantifiers 0 to {len(_VARIABLES)}, "
            f"got {depth} and {quantifiers}"
        )
    return _Grammar(domain, {**domain.constants, **objects}, quantifiers).text(form, depth)


class _Grammar:
    """Collects rules; a rule exists once it is asked for."""

    def __init__(self, domain: Domain, objects: Mapping[str, str], quantifiers: int) -> None:
        self._domain = domain
        self._objects = objects
        self._quantifiers = quantifiers
        self._rules: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._types = self._inhabited_types()

    def text(self, form: str, depth: int) -> str:
        goal = self._formula((), depth)
        if goal is None:
            raise ValueError("no predicate of the domain can be filled with these objects")
        if form == "json":
            item = f"{_quoted(_QUOTE)} {goal} {_quoted(_QUOTE)}"
            root = (
                f"{_quoted(_JSON_START)} {item} ({_quoted(', ')} {item})* {_quoted(_JSON_END)} | "
                f"{_quoted(_JSON_REFUSAL)} reason {_quoted(_QUOTE + '}')}"
            )
        else:
            root = f'{goal} ("\\n" {goal})* | "unsupported: " reason'
        lines = [f"root ::= {root}", "reason ::= [a-zA-Z] [a-zA-Z0-9 ,.'-]{0,160}"]
        lines += [f"{name} ::= {body}" for name, body in self._rules.items()]
        return "\n".join(lines) + "\n"

    # -- rules ------------------------------------------------------------------------------------

    def _formula(self, env: _Env, depth: int) -> str | None:
        """Rule of the formulas with at most ``depth`` connectives around each atom."""
        atom = self._atom(env)
        name = self._name("goal", *env, str(depth))
        if name in self._rules:
            return name
        choices: list[str] = []
        for literal in (atom, self._equality(env)):
            if literal is not None:
                choices += [literal, f'"(not " {literal} ")"']
        if depth > 0:
            inner = self._formula(env, depth - 1)
            if inner is not None:
                choices += [
                    f'"(and " {inner} (" " {inner})+ ")"',
                    f'"(or " {inner} (" " {inner})+ ")"',
                    f'"(imply " {inner} " " {inner} ")"',
                ]
            choices += self._quantified(env, depth)
        if not choices:
            return None
        self._rules[name] = " | ".join(choices)
        return name

    def _quantified(self, env: _Env, depth: int) -> list[str]:
        if len(env) >= self._quantifiers:
            return []
        variable = _VARIABLES[len(env)]
        scopes: list[str] = []
        for kind in self._types:
            body = self._formula((*env, kind), depth - 1)
            if body is not None:
                declared = f"{variable} - {kind}" if self._domain.types else variable
                scopes.append(f"{_quoted(f'({declared}) ')} {body}")
        if not scopes:
            return []
        rule = self._name("scope", *env, str(depth))
        self._rules[rule] = " | ".join(scopes)
        return [f'("(forall " | "(exists ") {rule} ")"']

    def _atom(self, env: _Env) -> str | None:
        name = self._name("atom", *env)
        if name not in self._rules:
            choices: list[str] = []
            for predicate, parameters in self._domain.predicates.items():
                places = [self._argument(env, p) for p in parameters]
                if None not in places:
                    words = "".join(f' " " {place}' for place in places)
                    choices.append(f"{_quoted('(' + predicate)}{words} {_quoted(')')}")
            if not choices:
                return None
            self._rules[name] = " | ".join(choices)
        return name

    def _equality(self, env: _Env) -> str | None:
        """``(= ?x object)`` for every variable in scope, with objects of the variable's type."""
        choices: list[str] = []
        for variable, kind in zip(_VARIABLES, env, strict=False):
            names = self._argument((), Parameter(variable, (kind,)))
            if names is not None:
                choices.append(f'{_quoted(f"(= {variable} ")} {names} ")"')
        if not choices:
            return None
        name = self._name("equal", *env)
        self._rules[name] = " | ".join(choices)
        return name

    def _argument(self, env: _Env, parameter: Parameter) -> str | None:
        """Rule of the objects and variables that may stand at this place."""
        variables = tuple(
            v
            for v, kind in zip(_VARIABLES, env, strict=False)
            if self._domain.accepts(parameter, kind)
        )
        name = self._name("is", *parameter.types, *variables)
        if name not in self._rules:
            words = [*variables, *self._domain.names_of(parameter, self._objects)]
            if not words:
                return None
            self._rules[name] = " | ".join(_quoted(w) for w in words)
        return name

    # -- names ------------------------------------------------------------------------------------

    def _inhabited_types(self) -> tuple[str, ...]:
        """Types that have an object, over which quantifying means something."""
        kinds: Iterable[str] = self._domain.types or (OBJECT,)
        return tuple(
            k for k in kinds if self._domain.names_of(Parameter("?x", (k,)), self._objects)
        )

    def _name(self, *parts: str) -> str:
        """A rule name of letters, digits and hyphens, unique for these parts."""
        key = "\0".join(parts)
        if key not in self._names:
            plain = "-".join(re.sub(r"[^a-zA-Z0-9]+", "", part) or "v" for part in parts)
            taken = set(self._names.values())
            name, n = plain, 1
            while name in taken or name in ("root", "reason"):
                n += 1
                name = f"{plain}-{n}"
            self._names[key] = name
        return self._names[key]


def _quoted(text: str) -> str:
    """A GBNF literal."""
    return json.dumps(text, ensure_ascii=False)
