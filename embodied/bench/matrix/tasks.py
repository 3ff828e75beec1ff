"""Sentences of the matrix, and what the simulator's truth has to say for them to be carried out.

The checks read the simulator's own poses along the measured trajectory, whatever the robot saw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from embodied.bench.tabletop import Tabletop
from embodied.types import Observation

HAND_M = 0.02
"""Tolerance of the hand's true place; 15 mm are the route's own."""

CLOSE_M = 0.06
"""Largest gap between things that are close to each other."""

SPEED_SHARE, SPEED_SLACK_M_S, SPEED_WINDOW = 1.05, 0.01, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """An episode as the simulator knows it.

    Attributes:
        table: Facts of the scene.
        start: Before the sentence.
        path: Every control period.
        end: At rest afterwards.
    """

    table: Tabletop
    start: Observation
    path: Sequence[Observation]
    end: Observation

    def holds(self, goal: str) -> bool:
        """Whether a goal is true at the end."""
        return self.table.holds(goal, self.table.grounder.facts(self.end))


Check = Callable[[Truth], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence.

    Attributes:
        scene: Where it is said.
        text: The sentence.
        check: Whether the truth is what was asked.
        free: Items that lie free in the layouts that are used.
    """

    scene: str
    text: str
    check: Check
    free: tuple[str, ...] = ()


def goal(text: str) -> Check:
    """The facts at the end satisfy a PDDL goal."""
    return lambda truth: truth.holds(text)


def hand_above(name: str, height_m: float) -> Check:
    """The hand ends so far above the centre of an object."""

    def check(truth: Truth) -> bool:
        place = truth.end.poses[name].position + [0.0, 0.0, height_m]
        away = np.linalg.norm(truth.end.pose_ee_in_world.position - place)
        return float(away) < HAND_M

    return check


def lifted(name: str, least_m: float) -> Check:
    """A thing is held at least so high above the table."""

    def check(truth: Truth) -> bool:
        return float(truth.end.poses[name].position[2]) > least_m

    return check


def opened(drawer: str, share: float) -> Check:
    """A drawer is open by at least a share of its travel."""

    def check(truth: Truth) -> bool:
        return truth.end.openings_m[drawer] > share * truth.table.spec.objects[drawer].travel_m

    return check


def beside(name: str, other: str) -> Check:
    """A gap of less than 6 cm is between the circles around two things."""

    def check(truth: Truth) -> bool:
        things, poses = truth.table.spec.objects, truth.end.poses
        apart = poses[name].position[:2] - poses[other].position[:2]
        radii = sum(max(things[n].size_m[:2]) / 2 for n in (name, other))
        return float(np.linalg.norm(apart)) < radii + CLOSE_M

    return check


def never_faster(limit_m_s: float) -> Check:
    """The hand is never faster, measured over some control periods."""

    def check(truth: Truth) -> bool:
        places = np.array([o.pose_ee_in_world.position for o in truth.path])
        times = np.array([o.time for o in truth.path])
        if len(times) <= SPEED_WINDOW:
            return True
        moved = np.linalg.norm(places[SPEED_WINDOW:] - places[:-SPEED_WINDOW], axis=1)
        speeds = moved / (times[SPEED_WINDOW:] - times[:-SPEED_WINDOW])
        return float(np.max(speeds)) <= SPEED_SHARE * limit_m_s + SPEED_SLACK_M_S

    return check


def both(*checks: Check) -> Check:
    """All of them."""
    return lambda truth: all(check(truth) for check in checks)


SENTENCES: dict[str, tuple[Sentence, ...]] = {
    "pddl": (
        Sentence(
            scene="blocks",
            text="put the red block on the green block and the yellow block in the bin",
            check=goal("(and (on red-block green-block) (in yellow-block bin))"),
        ),
        Sentence(
            scene="blocks",
            text="stack the blue block on the red block",
            check=goal("(on blue-block red-block)"),
        ),
        Sentence(
            scene="kitchen",
            text="open the drawer and put the sponge in it, then close the drawer",
            check=goal("(and (in sponge drawer) (not (open drawer)))"),
        ),
        Sentence(
            scene="kitchen",
            text="put all the fruit in the bowl",
            check=goal("(and (in apple bowl) (in lime bowl))"),
        ),
        Sentence(
            scene="workshop",
            text="put the silver cylinder on the black box",
            check=goal("(on silver-cylinder black-box)"),
        ),
    ),
    "value-map": (
        Sentence(
            scene="blocks",
            text="put the red block on the green block",
            check=goal("(on red-block green-block)"),
            free=("red-block", "green-block"),
        ),
        Sentence(
            scene="blocks",
            text="drop the yellow block in the bin",
            check=goal("(in yellow-block bin)"),
            free=("yellow-block",),
        ),
        Sentence(
            scene="kitchen",
            text="move the gripper 15 cm above the bowl at 10 cm/s",
            check=both(hand_above("bowl", 0.15), never_faster(0.10)),
        ),
        Sentence(
            scene="kitchen",
            text="put the sponge on the plate",
            check=goal("(on sponge plate)"),
            free=("sponge",),
        ),
        Sentence(
            scene="workshop",
            text="put the battery in the toolbox",
            check=goal("(in battery toolbox)"),
            free=("battery",),
        ),
    ),
    "reward": (
        Sentence(
            scene="blocks",
            text="move the green block close to the blue block",
            check=both(goal("(on green-block table)"), beside("green-block", "blue-block")),
        ),
        Sentence(
            scene="blocks",
            text="put the purple block on the tray",
            check=goal("(on purple-block tray)"),
        ),
        Sentence(scene="kitchen", text="lift the apple", check=lifted("apple", 0.2)),
        Sentence(scene="kitchen", text="open the drawer", check=opened("drawer", 0.8)),
        Sentence(
            scene="workshop",
            text="put the short brick in the toolbox",
            check=goal("(in short-brick toolbox)"),
        ),
    ),
}
"""Sentences by route."""
