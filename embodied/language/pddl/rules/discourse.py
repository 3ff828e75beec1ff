"""Which objects a noun phrase refers to, given the scene and the conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from embodied.language.pddl.rules.beside import lies
from embodied.language.pddl.rules.syntax import NounPhrase, Spot
from embodied.language.words.cursor import Abstain
from embodied.language.words.extremes import Places, measure
from embodied.language.words.lexicon import MASS_NOUNS
from embodied.language.words.scene_words import ITEM, SceneWords, plain, plural_of
from embodied.types import Atom, ObjectSpec, Placement

Fits = Callable[[ObjectSpec], bool]

TRAY_LIKE = frozenset("tray plate dish shelf rack stand mat pad drainer".split())
"""Categories of which people say both "on" and "in", and mean the same."""

_BY_PLACE = frozenset("left right front back top bottom nearest farthest".split())
_ALIKE_M = 0.004
"""Things that differ by less than this in where they are are alike."""

_LAID_ON_TABLES = frozenset("tray plate dish mat pad".split())
"""Categories of surfaces that stand on a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What an object must be, to play a part in a clause.

    Attributes:
        name: ``"item"``, ``"on"``, ``"in"``, ``"to"``, ``"drawer"`` or ``"any"``.
        fits: Whether an object can play it.
        problem: What to say of one that cannot; ``{}`` is its name.
    """

    name: str
    fits: Fits
    problem: str


ITEMS = Role(
    name="item", fits=lambda o: o.kind == "item", problem="the {} is fixed and cannot be moved"
)
ON = Role(
    name="on",
    fits=lambda o: (
        o.kind == "surface" or (o.kind == "item" and o.stackable) or o.category in TRAY_LIKE
    ),
    problem="nothing can rest on the {}",
)
IN = Role(
    name="in",
    fits=lambda o: o.kind in ("container", "drawer") or o.category in TRAY_LIKE,
    problem="nothing can be put in the {}",
)
TO = Role(
    name="to",
    fits=lambda o: o.kind != "item",
    problem="'to the {}' does not say whether on it or beside it",
)
DRAWERS = Role(
    name="drawer",
    fits=lambda o: o.kind == "drawer",
    problem="the {} cannot be opened or closed",
)
ANY = Role(name="any", fits=lambda o: True, problem="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Objects that a phrase stands for.

    Attributes:
        names: The objects, in the scene's order.
        choose: Number of them, whichever; None for all.
        exactly: Not more than ``choose``.
        none: "no ...", "nothing".
        only: "only the ...".
        category: PDDL type that has exactly these objects, if the phrase speaks of all of a kind.
        excluded: What "except" left out.
    """

    names: tuple[str, ...]
    choose: int | None = None
    exactly: bool = False
    none: bool = False
    only: bool = False
    category: str = ""
    excluded: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Discourse:
    """What has been said so far, and what is so now.

    Attributes:
        scene: The scene's words.
        facts: What is measured to hold; may be empty.
        types: PDDL types to the objects that they have.
        theme: What was moved last.
        themes: Everything that was moved, in order.
        mentioned: Every single object that was named.
        earlier: What earlier sentences moved, for "everything else" at the beginning of this one.
        head: The last noun, for "the red one".
        place: The last place, as (predicate, object).
        drawer: The last drawer.
        notes: How words were read where that is worth saying.
        places: Says where things are seen now.
        spot: Where exactly the last thing was put, if the sentence said that.
        later: Where things are after what the sentence has said so far.
        decided: "A cup" is one that is chosen now, so that there is another one.
    """

    scene: SceneWords
    facts: AbstractSet[Atom] = frozenset()
    types: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    theme: tuple[str, ...] = ()
    themes: list[str] = field(default_factory=list[str])
    mentioned: list[str] = field(default_factory=list[str])
    earlier: tuple[str, ...] = ()
    head: str = ""
    place: tuple[str, str] | None = None
    drawer: str = ""
    notes: list[str] = field(default_factory=list[str])
    places: Callable[[], Places] = dict
    spot: Placement | None = None
    later: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    decided: bool = False

    def spec(self, name: str) -> ObjectSpec:
        """An object."""
        return self.scene.specs[name]

    def location(self, name: str) -> tuple[str, str] | None:
        """Where an item is now: (predicate, object); None when not known."""
        found = sorted(a for a in self.facts if a.predicate in ("in", "on") and a.args[0] == name)
        return (found[0].predicate, found[0].args[1]) if found else None

    def moved(self, names: tuple[str, ...]) -> None:
        """Take note of what a clause moves."""
        if names:
            self.theme = names
            self.themes += [n for n in names if n not in self.themes]

    def went_to(self, predicate: str, name: str) -> None:
        """Take note of where a clause moves it to."""
        self.place = (predicate, name)
        if self.spec(name).kind == "drawer":
            self.drawer = name

    def resolve(self, phrase: NounPhrase, role: Role) -> Group:
        """Find the objects that a phrase stands for.

        Raises:
            Abstain: None or too many fit; the message lists the candidates.
        """
        if phrase.pronoun:
            names = self._pronoun(phrase, role)
            if phrase.count is not None and phrase.quantity != "some":
                self._check_count(phrase, names)
            if phrase.quantity == "some":
                return Group(names=names, choose=phrase.count or 1, exactly=phrase.exactly)
            return Group(names=names, only=phrase.only)
        candidates, excluded = self._candidates(phrase, role)
        if phrase.head and phrase.head != ITEM:
            self.head = phrase.head
        group = self._select(phrase, candidates, excluded)
        if group.choose is None and not group.none:
            self.mentioned += [n for n in group.names if n not in self.mentioned]
        if len(group.names) == 1 and self.spec(group.names[0]).kind == "drawer":
            self.drawer = group.names[0]
        return group

    # Pronouns ----------------------------------------------------------------------------------

    def _pronoun(self, phrase: NounPhrase, role: Role) -> tuple[str, ...]:
        said = f"'{phrase.text or phrase.pronoun}'"
        match phrase.pronoun:
            case "same":
                names = self.theme
            case "there":
                names = (self.place[1],) if self.place else ()
            case "itself":
                names = self.theme
            case "them" if len(self.theme) < 2 and (phrase.count == 2 or self.earlier[1:]):
                names = tuple(n for n in self.earlier if role.fits(self.spec(n)))[-2:]
            case "them":
                names = self._them(role)
            case _:
                names = self._it(role, said)
        if not names:
            raise Abstain(said, f"it is not clear what {said} stands for", "name the object")
        for name in names:
            if not role.fits(self.spec(name)):
                raise Abstain(said, role.problem.format(plain(name)))
        return names

    def _them(self, role: Role) -> tuple[str, ...]:
        if role is DRAWERS:
            return tuple(n for n in self.mentioned if role.fits(self.spec(n)))
        if len(self.theme) > 1 or len(self.themes) <= 1:
            return self.theme
        return tuple(self.themes)

    def _it(self, role: Role, said: str) -> tuple[str, ...]:
        if role is DRAWERS:
            return (self.drawer,) if self.drawer else self._last_named()
        if role is ITEMS or role is ANY:
            last = self.theme or self._last_named()
            if role is ANY and not self.theme and self.place:
                last = (self.place[1],)
            if len(last) > 1:
                listed = self._listed(last)
                raise Abstain(said, f"{said} can stand for {listed}", "say 'them', or name one")
            return last
        options = [n for n in self.theme[:1] if len(self.theme) == 1 and role.fits(self.spec(n))]
        if self.place and role.fits(self.spec(self.place[1])) and self.place[1] not in options:
            options.append(self.place[1])
        if self.drawer and role.name in ("in", "to") and not options:
            options.append(self.drawer)
        if not options:
            named = [n for n in self.mentioned if role.fits(self.spec(n))]
            options = named[-1:]
        if len(options) > 1:
            self.notes.append(f"{said} was read as the {plain(options[0])}")
        return tuple(options[:1])

    def _last_named(self) -> tuple[str, ...]:
        return tuple(self.mentioned[-1:])

    # Nouns -------------------------------------------------------------------------------------

    def _candidates(
        self, phrase: NounPhrase, role: Role
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Objects that fit the words, and those that "except" takes away."""
        named = self._named(phrase, role)
        fitting = [n for n in self.scene.specs if n in named]
        for modifier in phrase.modifiers:
            fitting = [n for n in fitting if n in self.scene.modifiers[modifier]]
        if not fitting:
            raise self._nothing_fits(phrase, named, role)
        playing = [n for n in fitting if role.fits(self.spec(n))]
        if not playing:
            problem, impossible = role.problem.format(plain(fitting[0])), role in (ON, IN)
            raise Abstain(f"'{phrase.text}'", problem, final=impossible)
        if phrase.other:
            said = self.themes or self.earlier
            if not said and not self.mentioned:
                raise Abstain(f"'{phrase.text}'", "nothing was named that this could leave out")
            playing = [n for n in playing if n not in said and n not in self.mentioned]
        if phrase.not_a:
            without, _ = self._candidates(phrase.not_a, ANY)
            playing = [n for n in playing if n not in without]
        if phrase.where:
            playing = self._located(playing, phrase)
        if phrase.beside:
            playing = self._beside(playing, phrase, phrase.beside)
        if phrase.superlative:
            playing = self._extreme(playing, phrase)
        excluded: list[str] = []
        for part in phrase.excluded:
            group = self._excluded(part, phrase)
            fixed = [n for n in group if n not in playing]
            if fixed and self.spec(fixed[0]).kind == "item" and not phrase.where:
                listed = self._listed(tuple(playing))
                raise Abstain(
                    f"'{phrase.text}'", f"the {plain(fixed[0])} is not among {listed} anyway"
                )
            excluded += group
        playing = [n for n in playing if n not in excluded]
        if not playing:
            raise Abstain(f"'{phrase.text}'", "nothing is left that this could stand for")
        return tuple(playing), tuple(n for n in excluded if self.spec(n).kind == "item")

    def _excluded(self, part: NounPhrase, phrase: NounPhrase) -> tuple[str, ...]:
        if not part.head and not part.pronoun and phrase.head:
            self.head = phrase.head if phrase.head != ITEM else self.head
        group = self.resolve(part, ANY)
        if group.choose is not None or group.none:
            raise Abstain(f"'{part.text}'", "it is not clear which one is the exception")
        return group.names

    def _named(self, phrase: NounPhrase, role: Role) -> frozenset[str]:
        """Objects that the noun alone may stand for."""
        if phrase.head:
            return self.scene.named(phrase.head)
        everything = frozenset(self.scene.specs)
        if phrase.other and not phrase.modifiers:
            return self._rest(phrase, role)
        fitting = everything
        for modifier in phrase.modifiers:
            fitting &= self.scene.modifiers[modifier]
        fitting = frozenset(n for n in fitting if role.fits(self.spec(n))) or fitting
        kind = self.scene.named(self.head) if self.head else frozenset[str]()
        kind = frozenset(n for n in kind if role.fits(self.spec(n)))
        if phrase.superlative and not kind:
            kind = frozenset(n for n in everything if role.fits(self.spec(n)))
        return (fitting & kind) or (fitting if phrase.modifiers else kind)

    def _rest(self, phrase: NounPhrase, role: Role) -> frozenset[str]:
        """What "the others" and "the rest" are taken from."""
        kinds = {self.spec(n).category for n in self.themes or self.mentioned or self.earlier}
        if role not in (ITEMS, ANY) or not kinds:
            said = phrase.text or "the others"
            raise Abstain(f"'{said}'", f"it is not clear of what '{said}' is the rest")
        alike = frozenset(n for n in self.scene.items if self.spec(n).category in kinds)
        if phrase.text.endswith("rest"):
            said = set(self.themes or self.earlier) | set(self.mentioned)
            if frozenset(self.scene.items) - said != alike - said:
                kind = plural_of(sorted(kinds)[0])
                raise Abstain(
                    f"'{phrase.text}'",
                    "the rest of what is not clear",
                    f"say 'the rest of the {kind}' or 'everything else'",
                )
        return alike

    def _nothing_fits(self, phrase: NounPhrase, named: frozenset[str], role: Role) -> Abstain:
        said = phrase.text or phrase.head or " ".join(phrase.modifiers)
        pool = named or frozenset(n for n, o in self.scene.specs.items() if role.fits(o))
        return Abstain(
            f"'{said}'",
            f"there is no such thing here as '{said}'",
            f"there is {self._listed(tuple(n for n in self.scene.specs if n in pool))}",
        )

    def _located(self, names: list[str], phrase: NounPhrase) -> list[str]:
        assert phrase.where is not None
        is_there, relation, noun = phrase.where
        if not self.facts:
            if len(names) == 1 and not phrase.plural and is_there:
                return names
            raise Abstain(f"'{phrase.text}'", "it is not known where things are now")
        spots = self.resolve(noun, ANY).names
        predicates = ("on", "in") if relation == "to" else (relation,)
        there = {a.args[0] for a in self.facts if a.predicate in predicates and a.args[-1] in spots}
        if relation == "under":
            there = {a.args[1] for a in self.facts if a.predicate == "on" and a.args[0] in spots}
        if any(
            self.spec(n).category == "table" for n in spots
        ):  # so is what stands on a tray there
            laid = {n for n, o in self.scene.specs.items() if o.category in _LAID_ON_TABLES}
            on = [a.args for a in self.facts if a.predicate == "on"]
            for _ in range(len(on)):
                there |= {x for x, y in on if y in there or y in laid}
        found = [n for n in names if (n in there) == is_there]
        if not found:
            spot = " or ".join(f"the {plain(n)}" for n in spots)
            spatial = "in or on" if relation == "to" else relation
            what = f"{'' if is_there else 'not '}{spatial} {spot} now"
            raise Abstain(f"'{phrase.text}'", f"{self._listed(tuple(names))}: none is {what}")
        return found

    def _beside(self, names: list[str], phrase: NounPhrase, spot: Spot) -> list[str]:
        """Those that lie there now."""
        said = f"'{phrase.text}'"
        others = [n for p in spot.of.parts for n in self.resolve(p, ANY).names] if spot.of else []
        places = self.places()
        if len(others) != (2 if spot.relation == "between" else 1):
            raise Abstain(said, "it is not clear beside what")
        if any(o not in places for o in others):
            raise Abstain(said, "it is not known where things are now")
        there = [n for n in names if n in places and n not in others]
        found = [n for n in there if lies(spot.relation, n, others, places, self.scene.specs)]
        if not found:
            raise Abstain(said, f"{self._listed(tuple(names))}: none is there now")
        return found

    def _extreme(self, names: list[str], phrase: NounPhrase) -> list[str]:
        if phrase.superlative in _BY_PLACE:
            return self._outermost(names, phrase)

        def measure(name: str) -> float:
            x, y, z = self.spec(name).size_m
            if phrase.superlative == "longest":
                return max(x, y)
            return z if phrase.superlative in ("tallest", "shortest") else x * y * z

        sign = 1 if phrase.superlative in ("largest", "tallest", "longest") else -1
        best = max(sign * measure(n) for n in names)
        return [n for n in names if sign * measure(n) >= best * (1 - sign * 0.01)]

    def _outermost(self, names: list[str], phrase: NounPhrase) -> list[str]:
        """The one that a superlative of place means."""
        places, origin = self.places(), (0.0, 0.0)
        there = [n for n in names if n in places]
        if phrase.superlative_of is not None:
            (other,) = self.resolve(phrase.superlative_of, ANY).names[:1]
            if other not in places:
                raise Abstain(f"'{phrase.text}'", "it is not known where things are now")
            origin, there = tuple(places[other][:2]), [n for n in there if n != other]
        if not there:
            raise Abstain(
                f"'{phrase.text}'", "it is not known where things are now", "say which one"
            )
        key = measure(phrase.superlative, places, origin)
        best = sorted(there, key=key, reverse=True)
        count = (phrase.count or 1) if phrase.plural else 1
        if len(best) > count and key(best[count - 1]) - key(best[count]) < _ALIKE_M:
            alike = self._listed(tuple(best[: count + 1]))
            raise Abstain(f"'{phrase.text}'", f"{alike} are alike in this", "say which one")
        self.notes.append(f"'{phrase.text}' is {self._listed(tuple(best[:count]))}")
        return best[:count]

    def _select(
        self, phrase: NounPhrase, names: tuple[str, ...], excluded: tuple[str, ...]
    ) -> Group:
        generic = phrase.head in (ITEM, "")
        if phrase.quantity == "no":
            return Group(
                names=names,
                none=True,
                category=self._type_of(names, generic=generic),
                excluded=excluded,
            )
        if phrase.quantity == "some":
            wanted = phrase.count or 1
            if wanted > len(names):
                raise self._wrong_number(phrase, names)
            if wanted == len(names) and not phrase.exactly:
                return Group(names=names, only=phrase.only)
            if self.decided:
                self.notes.append(f"'{phrase.text}' is {self._listed(names[:wanted])}")
                return Group(names=names[:wanted], only=phrase.only)
            return Group(names=names, choose=wanted, exactly=phrase.exactly, only=phrase.only)
        if phrase.count is not None:
            whole = tuple(n for n in self.scene.specs if n in names or n in excluded)
            self._check_count(phrase, whole if phrase.count == len(whole) else names)
        elif not phrase.plural and len(names) > 1 and phrase.head in MASS_NOUNS:
            self.notes.append(f"'{phrase.text}' was read as {self._listed(names)}")
        elif not phrase.plural and len(names) > 1:
            raise Abstain(
                f"'{phrase.text}'",
                f"'{phrase.text}' can be {self._listed(names, 'or')}",
                "say which one, or say 'all'",
                final=True,
            )
        elif (
            phrase.plural
            and len(names) == 1
            and phrase.quantity == "the"
            and not phrase.where
            and not phrase.listed
        ):
            raise Abstain(
                f"'{phrase.text}'",
                f"'{phrase.text}' speaks of several, but there is only {self._listed(names)}",
                "name the things that are meant",
                final=True,
            )
        several = phrase.plural or phrase.head in MASS_NOUNS
        kind = self._type_of(names, generic=generic) if several and not excluded else ""
        return Group(names=names, only=phrase.only, category=kind, excluded=excluded)

    def _check_count(self, phrase: NounPhrase, names: tuple[str, ...]) -> None:
        if phrase.count != len(names):
            raise self._wrong_number(phrase, names)

    def _wrong_number(self, phrase: NounPhrase, names: tuple[str, ...]) -> Abstain:
        number = f"there {'is' if len(names) == 1 else 'are'} {len(names)}, not {phrase.count}"
        return Abstain(f"'{phrase.text}'", f"{number}: {self._listed(names)}")

    def _type_of(self, names: tuple[str, ...], *, generic: bool) -> str:
        """The PDDL type that has exactly these objects; empty if none has."""
        for kind, members in (("item", self.types.get("item")), *self.types.items()):
            if generic != (kind == "item"):
                continue
            if members == frozenset(names) and len(names) > 1:
                return kind
        return ""

    def _listed(self, names: tuple[str, ...], join: str = "and") -> str:
        texts = [f"the {plain(n)}" for n in names]
        if len(texts) < 2:
            return "".join(texts)
        return f"{', '.join(texts[:-1])} {join} {texts[-1]}"
