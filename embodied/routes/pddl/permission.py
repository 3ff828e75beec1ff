"""What a strategy may do: what the person asked for, and what a person allows besides.

A model that chooses actions one at a time reads names of the scene, facts and results of earlier
actions, and may obey them. So every action is held against the sentence before anything moves. An
action may make true

* what a goal that does not hold yet is about,
* what the planner's own plan from here to such a goal, and to a tidy end, makes true: clearing what
  is in the way, opening the drawer that something goes into,
* while a goal is left: a thing that the sentence or the goal names is in the hand, on the table,
  open or shut, or for a while on or in another such thing, until it goes where the goal wants it.

A person is asked about every other action, and without a person it is refused. Once all goals hold,
only a tidy end is left to plan for.
"""

from __future__ import annotations

from collections.abc import Iterable

from embodied.language.asked_for import Literal, named_things, wanted
from embodied.recovery import Question, RecoveryStep
from embodied.route import Run
from embodied.routes.pddl.planning import Planning
from embodied.routes.pddl.undo import irreversible
from embodied.symbolic import expected_effects, read_goal
from embodied.types import Atom, GroundAction, PddlProgram
from embodied.world.scene import TABLE

MOST_REFUSALS = 5
"""A strategy that was refused this often in one stage ends."""


class Permission:
    """Whether the actions of one stage may be carried out.

    Args:
        planning: Plans, for what a goal needs.
        program: The program of the stage.
        run: Asks the person; says whether actions are held against the sentence.

    Attributes:
        goals: What is to hold together at the end of the stage.
        later: Goals of the stages after it.
        declined: Why the strategy is to end; ``""`` as long as it may go on.
    """

    def __init__(
        self,
        planning: Planning,
        program: PddlProgram,
        run: Run,
        *,
        goals: tuple[str, ...],
        later: tuple[str, ...],
    ) -> None:
        self._planning, self._program, self._run = planning, program, run
        self.goals, self.later = goals, later
        self.declined = ""
        self._specs = run.body.spec.objects
        said = [sentence for sentence, _ in run.memory.exchanges] or [run.instruction]
        self._named = named_things(said, self._specs) if run.only_asked else frozenset[str]()
        self._planned: frozenset[GroundAction] = frozenset()
        self._allowed: set[GroundAction] = set()
        self._asked_about: dict[GroundAction, str] = {}
        self._refusals = 0
        self._needed: set[Literal] = set()
        self._needed_from: frozenset[Atom] | None = None

    def follow(self, plan: tuple[GroundAction, ...]) -> None:
        """Take note of a plan of the planner's own; asks before what cannot be undone."""
        self._planned = frozenset(plan)
        self._reversible(plan)

    def refusal(self, action: GroundAction) -> str:
        """Why an action may not be carried out; ``""`` if it may."""
        return self._unasked(action) or ("" if self._reversible((action,)) else self.declined)

    def _reversible(self, actions: tuple[GroundAction, ...]) -> bool:
        """Whether the actions can be undone, or a person allows those that cannot."""
        final = irreversible(actions, self._planning.monitor.domain)
        new = [a for a in final if a not in self._allowed]
        if not new:
            return True
        listed = ", ".join(map(str, new))
        text = f"{listed} cannot be undone. Shall I do it?"
        question = Question(text=text, kind="irreversible", about=tuple(map(str, new)))
        if not self.declined and self._run.ask(question):
            self._allowed.update(new)
            return True
        self.declined = f"not allowed: {listed} cannot be undone"
        return False

    def _unasked(self, action: GroundAction) -> str:
        if not self._run.only_asked or action in self._planned:
            return ""
        if action not in self._asked_about:
            beyond = self._beyond(action, self._run.memory.facts)
            if not beyond:
                return ""
            self._asked_about[action] = self._ask_about(action, beyond)
        why = self._asked_about[action]
        self._refusals += bool(why)
        if self._refusals == MOST_REFUSALS:
            self.declined = f"{MOST_REFUSALS} actions were refused, the last: {why}"
        return why

    def _ask_about(self, action: GroundAction, beyond: frozenset[Literal]) -> str:
        """Ask the person for an action; returns why it may not be carried out, or ``""``."""
        facts = " and ".join(str(a) if true else f"(not {a})" for a, true in sorted(beyond))
        text = f"{action} makes {facts} true, which the goal does not need. Shall I do it?"
        allowed = self._run.ask(Question(text=text, kind="unasked", about=(str(action),)))
        self._run.escalate(RecoveryStep.ASK, f"{text} {'Yes.' if allowed else 'No.'}", str(action))
        return "" if allowed else f"nobody asked for {facts}"

    def _beyond(self, action: GroundAction, facts: frozenset[Atom]) -> frozenset[Literal]:
        """What an action changes though neither the sentence nor a goal needs it."""
        monitor = self._planning.monitor
        left = [
            read_goal(g, monitor.domain, monitor.objects)
            for g in (*self.goals, *self.later)
            if not monitor.verdict(g, facts).reached
        ]
        goals = [wanted(g, facts, monitor.domain, monitor.objects) for g in left]
        asked = frozenset[Literal]().union(*goals)
        things = self._named.union(*(a.args for a, _ in asked)) if left else frozenset[str]()

        changed = self._changes((action,), facts)
        still_to_move = {a.args[0] for a, true in asked - changed if true and a.args}

        def simple(atom: Atom) -> bool:
            about = self._specs.keys() & set(atom.args)
            alone = len(about - {TABLE}) < 2
            return about <= things | {TABLE} and (alone or atom.args[0] in still_to_move)

        beyond = frozenset(c for c in changed - asked if not (left and simple(c[0])))
        if not beyond:
            return beyond
        needed = self._by_plan(facts, bool(left))
        held = {a.args[0] for a in facts if a.predicate == "holding"}
        down = {(Atom("on", (h, TABLE)), True) for h in held if needed and not left}
        return beyond - needed - down

    def _by_plan(self, facts: frozenset[Atom], goals_left: bool) -> frozenset[Literal]:
        """What plans to the goals make true, from here or from where they were last needed."""
        if facts != self._needed_from:
            if not goals_left:
                self._needed.clear()
            for goals in (self.goals, *((g,) for g in self.later)):
                plan = self._planning.needed(self._program, goals, facts)
                self._needed |= self._changes(plan, facts)
            self._needed_from = facts
        return frozenset(self._needed)

    def _changes(
        self, actions: Iterable[GroundAction], facts: frozenset[Atom]
    ) -> frozenset[Literal]:
        """What actions change of the things of the scene, one after the other.

        A fact that ceases to be true because another one about the same thing becomes true is no
        change of its own: a thing in the hand is no longer where it was.
        """
        monitor, changes = self._planning.monitor, set[Literal]()
        for action in actions:
            added, deleted = expected_effects(action, facts, monitor.domain, monitor.objects)
            told = {name for atom in added for name in atom.args}
            changes |= {(a, True) for a in added}
            changes |= {(a, False) for a in deleted if not told & set(a.args)}
            facts = (facts - deleted) | added
        return frozenset(c for c in changes if self._specs.keys() & set(c[0].args))
