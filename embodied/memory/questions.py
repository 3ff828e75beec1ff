"""Questions in plain English, read into data; what answers them is a state and a history."""

from __future__ import annotations

from collections.abc import Collection

from embodied.language.words.scene_words import SceneWords
from embodied.memory.descriptions import (
    Condition,
    DescriptionReader,
    Thing,
    not_understood,
)
from embodied.memory.things import KINDS as KINDS
from embodied.memory.things import Question as Question

_OPENINGS = (
    "please", "hey robot", "robot", "hey", "and", "so", "now", "then", "ok", "okay", "well",
    "can you tell me", "could you tell me", "please tell me", "tell me", "say", "do you know",
    "do you remember", "can you remember", "can you say", "i would like to know",
    "i want to know", "i wonder", "can you see", "could you say", "remind me", "by the way",
)  # fmt: skip
_LAST = (
    "last", "just now", "before", "previously", "most recently", "a moment ago", "just", "lastly",
    "recently", "right now", "then", "for me",
)  # fmt: skip
_EARLIER = (
    "before that", "before", "earlier", "previously", "at first", "at the start",
    "at the beginning", "in the beginning", "originally", "initially", "to begin with", "last",
    "before you moved it", "before you moved them", "before i moved it", "a moment ago",
    "before this", "then",
)  # fmt: skip
_DID = (
    "move", "moved", "put", "place", "placed", "pick up", "picked up", "pick", "take", "took",
    "taken",
    "open", "opened", "close", "closed", "shut", "grab", "grabbed", "touch", "touched", "lift",
    "lifted", "leave", "left", "stack", "stacked", "push", "pushed", "drop", "dropped", "see",
    "seen", "bring", "brought", "get",
)  # fmt: skip
_BE = ("is", "are", "was", "were", "lies", "lie", "stands", "stand", "sits", "rests")
_PREPOSITIONS = {"on": "on", "in": "in", "inside": "in", "under": "under", "above": "above"}
_PLACES = {"on": "carries", "in": "holds", "under": "covers", "above": "under"}


def read_question(text: str, scene: SceneWords, told: Collection[str] = ()) -> Question:
    """Turn a sentence into a question about the objects of a scene.

    Args:
        text: The sentence; case and the question mark do not matter.
        scene: What the objects may be called.
        told: Words that were told of objects so far.

    Raises:
        NotUnderstoodError: No form of question fits, or it names an unknown object.
    """
    reader = _QuestionReader(text, scene, told)
    found = reader.question()
    if found is None:
        examples = ", ".join(e.split("? ")[0].rstrip("?") for e in KINDS.values())
        raise not_understood(
            text, "I do not understand this question", f"you can ask: {examples}", "question"
        )
    reader.finish()
    return found


class _QuestionReader(DescriptionReader):
    def question(self) -> Question | None:
        while self.eat(*_OPENINGS, ","):
            pass
        if self.eat("where"):
            return self._where()
        if found := self._in_which():
            return found
        if self.eat("is your hand empty", "is your gripper empty", "is the gripper empty"):
            return Question(kind="holding")
        if self.eat("how many"):
            return self._how_many()
        if self.eat("how do you know", "how did you know", "how come you know"):
            return self._source()
        if self.eat(
            "how heavy", "how many times as heavy", "how much does", "what is the weight of"
        ):
            return self._ratio()
        if self.eat("why", "for what reason", "how come"):
            return self._about_deeds("why")
        if self.eat("when"):
            return self._about_deeds("when")
        if self.eat("what", "which"):
            return self._what()
        if self.eat("did you", "have you"):
            self.eat("already", "ever", "just")
            if self.eat(*_DID):
                return Question(kind="did", things=(self.thing(),), condition=self.condition())
            return None
        if self.eat("are you holding", "do you hold", "do you have", "are you carrying"):
            return Question(kind="is", things=(self.thing(),), condition=self._held_in_hand())
        if self.eat("is there", "are there"):
            thing = self.thing()
            return Question(kind="any", things=(thing,), condition=Condition(relation="exists"))
        if self.eat("is", "are", "was", "were", "does", "do"):
            return self._is()
        return None

    def _in_which(self) -> Question | None:
        """Read "in which drawer is the ball", "on what is it": the place is asked for."""
        start = self.pos
        relation = _PREPOSITIONS.get(self.eat(*_PREPOSITIONS), "")
        if relation and self.eat("which", "what"):
            place = self._asked_for()
            if place is not None and self.eat(*_BE):
                condition = Condition(relation=_PLACES[relation], other=self.thing())
                return Question(kind="which", things=(place,), condition=condition)
        self.pos = start
        return None

    def _held_in_hand(self) -> Condition:
        self.eat("in your hand", "in your gripper", "in the hand", "in the gripper")
        return Condition(relation="held")

    def _where(self) -> Question | None:
        if self.eat("can i find", "could i find", "do i find", "do you see", "do you think"):
            self.eat("is", "are")
            things = self.things()
            self.eat(*_BE)
            return Question(kind="where", things=things)
        if self.eat("did you", "did i", "have you", "have i", "did we"):
            before = bool(self.eat("get", "take", "pick up", "pick", "find"))
            self.eat(*_DID)
            things = self.things()
            before = bool(self.eat("from", "up from")) or before
            self.eat(*_LAST)
            return Question(kind="was" if before else "where", things=things)
        if self.eat("did", "has", "have"):
            things = self.things()
            came = bool(self.eat("come from"))
            self.eat("go", "gone", "end up", "ended up")
            return Question(kind="was" if came else "where", things=things)
        past = bool(self.at("was", "were", "had"))
        if not self.eat(*_BE, "has", "have", "had"):  # "tell me where the cup is"
            if not self.starts_thing():
                return None
            things = self.things()
            past = bool(self.at("was", "were"))
            self.eat(*_BE)
        else:
            self.eat("been")
            things = self.things()
        self.eat("now", "right now", "at the moment", "currently", "located")
        while self.eat(*_EARLIER):
            past = True
        return Question(kind="was" if past else "where", things=things)

    def _how_many(self) -> Question | None:
        thing = self._asked_for()
        if thing is None:
            return None
        if self.eat("did you move", "have you moved", "did you put away", "did you touch"):
            return Question(kind="count", things=(thing,), condition=Condition(relation="moved"))
        if self.eat("are you holding", "do you hold"):
            return Question(kind="count", things=(thing,), condition=self._held_in_hand())
        if self.eat("does", "do"):
            return self._contained(thing, "count")
        if self.eat("do you see", "can you see", "do you know of"):
            return Question(kind="count", things=(thing,), condition=Condition(relation="exists"))
        if contained := self.containing():
            return Question(kind="count", things=(thing,), condition=contained)
        self.eat("are there", "is there", "there are", *_BE)
        condition = self.condition() or Condition(relation="exists")
        return Question(kind="count", things=(thing,), condition=condition)

    def _contained(self, thing: Thing, kind: str) -> Question | None:
        """Read "the drawer contain" after "what does"."""
        if not self.starts_thing():
            return None
        place = self.thing()
        if not self.eat("contain", "hold", "have in it", "have inside", "carry", "have on it"):
            return None
        relation = "on" if self.words[-1] == "it" or self.words[self.pos - 1] == "carry" else "in"
        return Question(
            kind=kind, things=(thing,), condition=Condition(relation=relation, other=place)
        )

    def _ratio(self) -> Question | None:
        self.eat("is", "are")
        first = self.thing()
        self.eat("weigh")
        if self.eat("compared with", "compared to", "in units of", "as", "than", "relative to"):
            return Question(kind="ratio", things=(first, self.thing()))
        return Question(kind="ratio", things=(first,))

    def _source(self) -> Question | None:
        if self.ended or self.eat("that", "this") and self.ended:
            return Question(kind="source")
        self.eat("that", "where")
        things = self.things()
        self.eat(*_BE)
        self.condition()
        return Question(kind="source", things=things)

    def _about_deeds(self, kind: str) -> Question | None:
        if self.eat("did you", "have you", "are you", "do you", "did i", "would you"):
            self.eat("last", "just")
            if self.eat("do that", "do this", "do it", "done that", "done this", "doing that",
                        "do so", "that"):  # fmt: skip
                return Question(kind=kind)
            if kind == "when" and self.eat("see", "seen", "notice"):
                return Question(kind="seen", things=self.things())
            if self.eat(*_DID, "moving", "opening", "holding", "putting"):
                self.eat("last", "up")
                things = self.things()
                self.eat("up", "down", "away")
                return Question(kind=kind, things=things, condition=self.condition())
            return None
        if kind == "why" and self.eat(*_BE):
            return Question(kind=kind, things=self.things(), condition=self.condition())
        if self.eat("that", "was that", "is that"):
            return Question(kind=kind)
        return Question(kind=kind) if self.ended else None

    def _what(self) -> Question | None:
        if self.eat("are you holding", "do you hold", "are you carrying", "have you got",
                    "is the robot holding", "does the robot hold", "is the robot carrying",
                    "do you have", "did you pick up last"):  # fmt: skip
            self._held_in_hand()
            return Question(kind="holding")
        if self.eat("is in your hand", "is in your gripper", "is in the gripper", "is in the hand",
                    "is in your hands", "is held", "does the gripper hold"):  # fmt: skip
            return Question(kind="holding")
        if deed := self._deed():
            return deed
        if self.eat("color", "colour", "is the color of", "are the colors of", "colors"):
            self.eat("is", "are", "does", "do", "has", "have")
            thing = self.thing()
            self.eat("have")
            return Question(kind="colour", things=(thing,))
        thing = self._asked_for()
        if thing is None:
            return None
        if self.eat("does", "do"):
            return self._contained(thing, "which")
        if self.eat("did you move", "have you moved", "did you touch", "did you put away"):
            self.eat(*_LAST, "so far")
            if not thing.text:  # "what": drawers are opened and closed, not moved
                thing = Thing(text="", names=tuple(self.scene.items), plural=True)
            return Question(kind="which", things=(thing,), condition=Condition(relation="moved"))
        if self.eat("can you see", "do you see"):
            condition = self.condition() or Condition(relation="exists")
            return Question(kind="which", things=(thing,), condition=condition)
        if contained := self.containing():
            return Question(kind="which", things=(thing,), condition=contained)
        if not self.eat(*_BE):
            return Question(kind="which", things=(thing,), condition=Condition(relation="exists"))
        self.eat("there")
        if found := self._best():
            return found
        condition = self.condition()
        if condition is None and self.starts_thing():
            return self._stranded(thing)
        if condition is None:
            return None
        return Question(kind="which", things=(thing,), condition=condition)

    def _best(self) -> Question | None:
        """Read "the heaviest block" after "what is"."""
        start = self.pos
        if self.starts_thing():
            thing = self.thing()
            if self.ended and any(c.relation == "most" for c in thing.conditions):
                return Question(
                    kind="which", things=(thing,), condition=Condition(relation="exists")
                )
        self.pos = start
        return None

    def _stranded(self, place: Thing) -> Question | None:
        """Read "the ball in" after "which drawer is": the place is asked for."""
        thing = self.thing()
        self.eat("standing", "lying", "sitting", "resting", "hidden", "now")
        relation = _PREPOSITIONS.get(self.peek(), "")
        if not relation:
            return None
        self.pos += 1
        kind = _PLACES[relation]
        return Question(
            kind="which", things=(place,), condition=Condition(relation=kind, other=thing)
        )

    def _asked_for(self) -> Thing | None:
        """Read what is counted or asked for: "blocks", "of the blocks", nothing at all."""
        self.eat("of")
        anything = Thing(text="", names=tuple(self.scene.specs), plural=True)
        if self.at(*_BE, "does", "do", "did", "have", "can"):
            return anything
        if self.at("container", "containers", "place", "places") and not self.scene.head_at(
            self.words[self.pos : self.pos + 1]
        ):
            self.pos += 1
            fixed = tuple(n for n, o in self.scene.specs.items() if o.kind != "item")
            return Thing(text="places", names=fixed, plural=True)
        if self.at("objects", "things", "items", "object", "thing", "item"):
            self.pos += 1
            items = Thing(text="things", names=tuple(self.scene.items), plural=True)
            while clause := self._clause():
                items = Thing(
                    text="things", names=items.names, plural=True,
                    conditions=(*items.conditions, clause),
                )  # fmt: skip
            return items
        if not self.starts_thing():
            return None
        return self.thing()

    def _deed(self) -> Question | None:
        start = self.pos
        if self.eat("did you do", "have you done", "were you doing", "did you just do",
                    "was the last thing you did", "was the last thing that you did",
                    "was your last action", "is the last thing you did", "have you just done",
                    "did you last do", "did you change", "happened"):  # fmt: skip
            everything = self.between(start) == "have you done"
            if self.eat("so far", "until now", "up to now", "today", "altogether", "in total"):
                everything = True
            while self.eat(*_LAST):
                everything = False
            return Question(kind="all" if everything else "last")
        if self.eat("did i ask", "did i tell you", "did i say", "was my last instruction",
                    "was the last instruction", "have i asked", "were you asked",
                    "were you told"):  # fmt: skip
            self.eat("you", "for")
            self.eat("to do", "for")
            self.eat(*_LAST)
            return Question(kind="asked")
        self.pos = start
        return None

    def _is(self) -> Question | None:
        self.eat("not")
        thing = self.thing() if self.starts_thing() else None
        if thing is None:
            return None
        if self.eat("contain", "hold"):
            inside = self.thing()
            return Question(
                kind="any", things=(inside,), condition=Condition(relation="in", other=thing)
            )
        found = self.condition()
        if thing.conditions and found is None:  # "is the cup in the box": read as one noun
            *kept, last = thing.conditions
            thing = Thing(
                text=thing.text, names=thing.names, quantity=thing.quantity, count=thing.count,
                plural=thing.plural, conditions=tuple(kept), other=thing.other,
            )  # fmt: skip
            found = last
        conditions = [] if found is None else [found]
        while self.eat("or", ", or"):
            if not self.eat("not") and (other := self.condition()) is not None:
                conditions.append(other)
        if not conditions:
            return None
        kind = "any" if thing.quantity in ("any", "no") and thing.names else "is"
        if thing.text.endswith(("thing",)) or len(thing.names) == len(self.scene.items) != 1:
            kind = "any" if thing.quantity in ("any", "") else kind
        return Question(
            kind=kind, things=(thing,), condition=conditions[0], alternatives=tuple(conditions[1:])
        )
