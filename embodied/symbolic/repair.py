"""Unambiguous repairs of PDDL text; each is noted, and what is ambiguous is left alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from embodied.symbolic import _sexpr
from embodied.symbolic._sexpr import Group, Sexpr, Word
from embodied.symbolic.checking import required
from embodied.symbolic.model import OBJECT, Domain
from embodied.symbolic.reading import Reader


def repair(domain_text: str, problem_text: str) -> tuple[str, str, tuple[str, ...]]:
    """Mend what has only one sensible meaning.

    Mended are: code fences around the text; a domain and a problem in one text; lists left open at
    the end and closing parentheses too many there; a declaration of the built-in type ``object``; a
    type declared twice where one parent is narrower; an object declared twice with one type; an
    object of the problem that the domain's actions name (it becomes a constant); requirements that
    are used but not declared; a problem that names its domain differently; ``and`` and negated
    facts in ``:init``. A text without repairs comes back unchanged, comments and all.

    Returns:
        Domain text, problem text, and one note per repair.
    """
    notes: list[str] = []
    d, p = (
        _Text(_only(_unfenced(text, kind, notes), kind, notes), kind)
        for text, kind in ((domain_text, "domain"), (problem_text, "problem"))
    )
    for text in (d, p):
        text.balance(notes)
    _drop_object_type(d, notes)
    _merge_types(d, notes)
    for text in (d, p):
        _drop_duplicates(text, notes)
    _move_constants(d, p, notes)
    _name_domain(d, p, notes)
    _tidy_init(p, notes)
    _declare_requirements(d, notes)
    return d.text, p.text, tuple(notes)


_DEFINES = re.compile(r"\(\s*define\s*\(\s*(domain|problem)\b", re.IGNORECASE)
_FENCE = re.compile(
    r"^[ \t]*(```+|~~~+)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)


def _unfenced(text: str, kind: str, notes: list[str]) -> str:
    """The only fenced block that defines a ``kind``, on its lines; else the text as it is."""
    opening = re.compile(rf"\(\s*define\s*\(\s*{kind}\b", re.IGNORECASE)
    blocks = [m for m in _FENCE.finditer(text) if opening.search(m[2])]
    if len(blocks) != 1:
        return text
    (block,) = blocks
    notes.append(f"{kind}: took it out of its code fence")
    return "\n" * text.count("\n", 0, block.start(2)) + block[2]


def _only(text: str, kind: str, notes: list[str]) -> str:
    """The definition of a ``kind`` where other definitions stand beside it."""
    spans = _sexpr.spans(text)
    kinds = [m[1].lower() if (m := _DEFINES.match(text, start)) else "" for start, _ in spans]
    if kinds.count(kind) != 1 or set(kinds) != {"domain", "problem"}:
        return text
    notes.append(f"{kind}: taken out of a text with {len(kinds)} definitions")
    start, end = spans[kinds.index(kind)]
    return "\n" * text.count("\n", 0, start) + text[start:end] + "\n"


@dataclass(slots=True)
class _Text:
    """A text that is rewritten only when something in it was changed."""

    original: str
    kind: str
    root: Group | None = None
    changed: bool = False
    unbalanced: bool = field(default=False)

    def __post_init__(self) -> None:
        expressions, problems = _sexpr.parse(self.original)
        self.unbalanced = bool(problems)
        roots = [e for e in expressions if isinstance(e, Group) and e.head == "define"]
        self.root = roots[0] if len(roots) == 1 and len(expressions) == 1 else None

    @property
    def text(self) -> str:
        if not self.changed or self.root is None:
            return self.original
        return _sexpr.render(self.root) + "\n"

    def balance(self, notes: list[str]) -> None:
        if not self.unbalanced or self.root is None:
            return
        reader = Reader(part=self.kind)
        whole = _sexpr.render(self.root)
        if self.kind == "domain":
            reader.domain(whole)
        else:
            sections = [g.head for g in self.root if isinstance(g, Group)]
            if not {":init", ":goal"} <= set(sections):
                return  # a parenthesis is missing somewhere in the middle: not ours to guess
        if not reader.errors:
            self.changed = True
            notes.append(f"{self.kind}: balanced the parentheses at the end")

    def section(self, keyword: str) -> Group | None:
        return None if self.root is None else _sexpr.section(self.root, keyword)

    def replace(self, keyword: str, change: Callable[[Group], Group | None]) -> None:
        """Rewrite the section ``keyword``; None removes it."""
        if self.root is None:
            return
        items: list[Sexpr] = []
        for item in self.root:
            if isinstance(item, Group) and item.head == keyword:
                new = change(item)
                self.changed |= new != item
                items += [] if new is None else [new]
            else:
                items.append(item)
        self.root = Group(tuple(items), self.root.line)

    def insert(self, group: Group, *, after: tuple[str, ...]) -> None:
        """Put a new section behind the last of those named ``after``."""
        if self.root is None:
            return
        items = list(self.root.items)
        at = max(
            (i for i, g in enumerate(items) if isinstance(g, Group) and g.head in after), default=1
        )
        items.insert(at + 1, group)
        self.root = Group(tuple(items), self.root.line)
        self.changed = True

    def typed(self, keyword: str) -> list[tuple[str, tuple[str, ...]]]:
        group = self.section(keyword)
        listed = Reader().typed(group.rest, keyword) if group else []
        return [(word.text, types) for word, types in listed]


def _typed_group(keyword: str, entries: list[tuple[str, tuple[str, ...]]]) -> Group:
    items: list[Sexpr] = [Word(keyword)]
    typed = any(types != (OBJECT,) for _, types in entries)
    for i, (name, types) in enumerate(entries):
        items.append(Word(name))
        if typed and (i + 1 == len(entries) or entries[i + 1][1] != types):
            first, *more = types
            either = Group((Word("either"), *map(Word, types)))
            items += [Word("-"), either if more else Word(first)]
    return Group(tuple(items))


def _drop_object_type(d: _Text, notes: list[str]) -> None:
    entries = d.typed(":types")
    kept = [(n, t) for n, t in entries if n != OBJECT]
    if kept != entries and all(t == (OBJECT,) for n, t in entries if n == OBJECT):
        d.replace(":types", lambda _: _typed_group(":types", kept) if kept else None)
        notes.append(
            "domain: removed the declaration of type 'object', which is built in: everything is one"
        )


def _merge_types(d: _Text, notes: list[str]) -> None:
    entries = d.typed(":types")
    merged: dict[str, tuple[str, ...]] = {}
    for name, types in entries:
        narrower = [p for p in dict.fromkeys((*merged.get(name, ()), *types)) if p != OBJECT]
        merged[name] = tuple(narrower) or (OBJECT,)
    if len(merged) == len(entries) or any(len(t) > 1 for t in merged.values()):
        return  # no duplicates, or two real parents: that is not ours to decide
    twice = [n for n in merged if sum(m == n for m, _ in entries) > 1]
    d.replace(":types", lambda _: _typed_group(":types", list(merged.items())))
    notes += [f"domain: type '{n}' was declared twice; kept {n} - {merged[n][0]}" for n in twice]


def _drop_duplicates(text: _Text, notes: list[str]) -> None:
    keyword = ":constants" if text.kind == "domain" else ":objects"
    entries = text.typed(keyword)
    kept = dict(entries)
    if len(kept) == len(entries) or any(kept[n] != t for n, t in entries):
        return
    text.replace(keyword, lambda _: _typed_group(keyword, list(kept.items())))
    twice = [n for n in kept if sum(m == n for m, _ in entries) > 1]
    notes.append(f"{text.kind}: {', '.join(twice)} declared twice in {keyword}; kept one")


def _move_constants(d: _Text, p: _Text, notes: list[str]) -> None:
    """Objects of the problem that the domain's own actions name become constants."""
    if d.root is None or p.root is None:
        return
    constants, objects = d.typed(":constants"), p.typed(":objects")
    declared = {n for n, _ in constants}
    named = _names_in_actions(d.root)
    moved = [(n, t) for n, t in objects if n in named and n not in declared]
    if moved:
        rest = _typed_group(":constants", constants + moved)
        if d.section(":constants"):
            d.replace(":constants", lambda _: rest)
        else:
            d.insert(rest, after=(":requirements", ":types"))
        names = ", ".join(n for n, _ in moved)
        notes.append(
            f"domain: its actions name {names}, which only the problem declares; made "
            f"{'it a constant' if len(moved) == 1 else 'them constants'} of the domain"
        )
    both = {n for n, t in constants if (n, t) in objects} | {n for n, _ in moved}
    if both:
        kept = [(n, t) for n, t in objects if n not in both]
        p.replace(":objects", lambda _: _typed_group(":objects", kept) if kept else None)
        notes.append(f"problem: {', '.join(sorted(both))} left out of :objects, being constants")


def _names_in_actions(root: Group) -> set[str]:
    found: set[str] = set()

    def visit(e: Sexpr) -> None:
        if isinstance(e, Word):
            return
        if e.head in ("forall", "exists") and len(e.items) > 2:
            visit(e.items[2])
            return
        for item in e.rest:
            if isinstance(item, Group):
                visit(item)
            elif e.head not in ("and", "or", "not", "when", "imply", "increase"):
                if item.text[0] not in "?:":
                    found.add(item.text)

    for group in root:
        if isinstance(group, Group) and group.head == ":derived" and len(group.items) == 3:
            visit(group.items[2])
        if isinstance(group, Group) and group.head == ":action":
            for key, value in zip(group.items, group.items[1:], strict=False):
                if isinstance(key, Word) and key.text in (":precondition", ":effect"):
                    visit(value)
    return found


def _name_domain(d: _Text, p: _Text, notes: list[str]) -> None:
    if d.root is None or p.root is None or not isinstance(d.root.items[1], Group):
        return
    name = d.root.items[1].rest
    stated = p.section(":domain")
    if stated is None:
        p.insert(Group((Word(":domain"), *name)), after=("problem",))
        notes.append(f"problem: added (:domain {' '.join(map(str, name))})")
    elif stated.rest != name:
        p.replace(":domain", lambda g: Group((Word(":domain"), *name), g.line))
        notes.append(
            f"problem: it named domain {stated.rest[0] if stated.rest else '(none)'}; "
            f"written {' '.join(map(str, name))}"
        )


def _tidy_init(p: _Text, notes: list[str]) -> None:
    group = p.section(":init")
    if group is None:
        return
    items = list(group.rest)
    if len(items) == 1 and isinstance(items[0], Group) and items[0].head == "and":
        items = list(items[0].rest)
        notes.append("problem: took the facts of :init out of an 'and'")
    facts = set(map(str, items))
    kept: list[Sexpr] = []
    for item in items:
        denied = isinstance(item, Group) and item.head == "not" and len(item.rest) == 1
        if denied and str(item.rest[0]) not in facts:  # type: ignore[union-attr]
            notes.append(f"problem: left {item} out of :init, where what is not listed is false")
        else:
            kept.append(item)
    p.replace(":init", lambda g: Group((Word(":init"), *kept), g.line))


def _declare_requirements(d: _Text, notes: list[str]) -> None:
    if d.root is None:
        return
    reader = Reader()
    domain: Domain = reader.domain(_sexpr.render(d.root))
    missing = required(domain) - domain.requirements
    if ":adl" in domain.requirements:
        missing &= {":action-costs"}
    if ":quantified-preconditions" in domain.requirements:
        missing -= {":existential-preconditions", ":universal-preconditions"}
    if not missing or reader.errors:
        return
    declared = d.section(":requirements")
    names = sorted(domain.requirements | missing | (set() if declared else {":strips"}))
    group = Group((Word(":requirements"), *map(Word, names)))
    if declared:
        d.replace(":requirements", lambda _: group)
    else:
        d.insert(group, after=("domain",))
    notes.append(f"domain: declared {', '.join(sorted(missing))}, which it uses")
