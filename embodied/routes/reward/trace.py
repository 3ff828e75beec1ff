"""Cost of every term over time, its plot, and the verdict on a stage from measured state."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from embodied_controllers.mpc.terms import Layout, StageCost, View, stage_costs, term_label

from embodied.language.reward.vocabulary import TermSpec, Vocabulary
from embodied.types import Atom, RewardCondition, RewardProgram, RewardStage, RewardTerm

SPEED_SHARE, SPEED_LEAST = 0.2, 0.1
"""How far a mean speed may be off: a share of the asked one, and at least so many m/s or rad/s."""
REST_M = 0.004
"""Farthest that a thing at rest moves while it is judged."""
BEGINS_S = 0.5
"""Time that a motion takes to begin, left out of its mean speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Which terms of a stage are met in recorded views.

    Attributes:
        holds: Those that are.
        unmet: Those that are not, with what was measured and what was asked.
        off: How far the unmet ones are off together, in multiples of what is allowed.
    """

    holds: tuple[str, ...]
    unmet: tuple[str, ...]
    off: float


def judged(stage: RewardStage, now: View, whole: View, words: Vocabulary) -> Judgement:
    """Judge the terms of a stage.

    A term is judged by its mean residual: over the end of the stage, or, for the speed of a motion
    that goes on, over all of it but its beginning; the path itself by the farthest that the robot
    was off.
    Terms whose words state no tolerance are not judged.

    Args:
        stage: The terms.
        now: The end of the stage.
        whole: The stage from its beginning.
        words: The robot's words.
    """
    holds: list[str] = []
    unmet: list[str] = []
    total = 0.0
    for term in stage.terms:
        if term.name in now.DERIVED:
            tolerance, unit = now.DERIVED[term.name]
            off, signed = float(np.linalg.norm(whole.residual(term)[0], axis=-1).max()), ""
        else:
            spec, tolerance = words.terms[term.name], words.tolerance(term)
            if tolerance is None or term.weight <= 0:
                continue
            unit = spec.residual_unit
            residual = now.residual(term)[0].mean(axis=0)
            if term.name in now.SPEEDS and _goes(term, whole):
                residual = whole.residual(term)[0][_steady(whole)].mean(axis=0)
                tolerance = min(tolerance, max(SPEED_SHARE * _speed(term), SPEED_LEAST))
            off, signed = float(np.linalg.norm(residual)), _signed(term, residual, spec)
        label = term_label(term)
        if np.isfinite(off) and off <= tolerance:
            holds.append(label)
        else:
            words_off = f"{label}: off by {off:.2f} {unit}".rstrip()
            unmet.append(f"{words_off} (allowed {tolerance:g}){signed}")
            total += off / tolerance if np.isfinite(off) else np.inf
    return Judgement(holds=tuple(holds), unmet=tuple(unmet), off=total)


def _signed(term: RewardTerm, residual: np.ndarray, spec: TermSpec) -> str:
    """What was measured and asked, and in which direction it is off, where that can be told.

    A residual is measured minus asked where it has the unit and the number of the targets.
    """
    targets = [p for p in spec.parameters if p.unit == spec.residual_unit != ""]
    numbers = [p for p in spec.parameters if p.unit != "name"]
    if len(numbers) != len(residual) or targets != numbers or not np.isfinite(residual).all():
        return ""
    unit, told = spec.residual_unit, list[str]()
    for target, off in zip(targets, residual, strict=True):
        asked = float(term.parameters[target.name])
        words = f"measured {asked + off:.2f} {unit}, asked {asked:.2f} {unit}"
        less, more = _WAYS.get(target.name, ("small", "large"))
        way = f"too {less if off < 0 else more} by {abs(off):.2f}"
        told.append(f"{words}, {way}" if len(targets) == 1 else f"{target.name} {words}, {way}")
    return "; " + "; ".join(told)


_WAYS = {"height": ("low", "high"), "distance": ("near", "far")}
"""What too little and too much of a target are called."""


def _steady(whole: View) -> np.ndarray:
    """Where in a recorded stage its motion has had time to begin, (T,)."""
    begin, end = float(whole.time[0]), float(whole.time[-1])
    return whole.time >= begin + (BEGINS_S if end - begin > 2 * BEGINS_S else 0.0)


def _speed(term: RewardTerm) -> float:
    return float(np.linalg.norm([float(v) for v in term.parameters.values()]))


def _goes(term: RewardTerm, whole: View) -> bool:
    """Whether a speed is one of a motion that goes on, not of something that comes to rest."""
    return whole.path is not None or any(term.parameters.values())


def related(
    stage: RewardStage, facts: frozenset[Atom], now: View
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which relations between objects a stage asks for that are lasting facts, and which are not.

    Args:
        stage: The terms.
        facts: What is measured to hold.
        now: The end of the stage, over which the things must have been at rest.
    """
    holds: list[str] = []
    unmet: list[str] = []
    for term in stage.terms:
        if term.name == "resting" and term.weight > 0:
            pair = (str(term.parameters["object"]), str(term.parameters["place"]))
            found = [word for word in ("in", "on") if Atom(word, pair) in facts]
            at = now.sensor(pair[0])[0]
            if found and np.linalg.norm(at[-1] - at[0]) > REST_M:
                unmet.append(f"{pair[0]} {found[0]} {pair[1]}: {pair[0]} still moves")
            elif found:
                holds.append(f"{pair[0]} {found[0]} {pair[1]}")
            else:
                unmet.append(f"{pair[0]} is not in or on {pair[1]}")
    return tuple(holds), tuple(unmet)


def condition_text(condition: RewardCondition) -> str:
    """A condition in words, e.g. ``"distance palm apple <= 0.03"``."""
    words = " ".join([condition.sensor, *condition.arguments])
    return f"{words} {condition.op} {condition.value:g}"


class Trace:
    """Recorded states and costs of one program."""

    def __init__(self, program: RewardProgram, view: type[View], layout: Layout) -> None:
        self.program = program
        self._view, self._layout = view, layout
        self._costs: tuple[StageCost, ...] = stage_costs(program, view, layout)
        self._rows: list[tuple[int, np.ndarray, np.ndarray]] = []

    def add(self, stage: int, state: np.ndarray, sensors: np.ndarray) -> None:
        """Record one control step: full physics state and its sensor data."""
        self._rows.append((stage, state, sensors))

    def asked(self, stage: int) -> RewardStage:
        """What a stage is judged by: its terms and those that follow from them."""
        return self._costs[stage].stage

    def view(self, stage: int, last_s: float = np.inf) -> View:
        """The last seconds of a stage, when it was active last, as a view (1, T)."""
        rows = self._last(stage)
        keep = [(x, y) for x, y in rows if rows and x[0] >= rows[-1][0][0] - last_s]
        states = np.array([x for x, _ in keep])[None]
        sensors = np.array([y for _, y in keep])[None]
        path = self._costs[stage].started(rows[0][0]).path
        return self._view(self._layout, states[0, :, 0], states, sensors, path)

    def seconds(self, stage: int) -> float:
        """How long the stage lasted when it was active last, s."""
        rows = self._last(stage)
        return float(rows[-1][0][0] - rows[0][0][0]) if rows else 0.0

    def _last(self, stage: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """States and sensor data of a stage since it was entered last."""
        rows: list[tuple[np.ndarray, np.ndarray]] = []
        for at, x, y in reversed(self._rows):
            if at == stage:
                rows.append((x, y))
            elif rows:
                break
        return rows[::-1]

    def costs(self, every: int = 5) -> list[tuple[float, int, np.ndarray]]:
        """Time, stage and cost per term at every ``every``-th step."""
        out: list[tuple[float, int, np.ndarray]] = []
        before, cost = -1, self._costs[0]
        for i, (stage, x, y) in enumerate(self._rows):
            if stage != before:
                before, cost = stage, self._costs[stage].started(x)
            if i % every == 0:
                terms = cost.by_term(x[:1], x[None, None], y[None, None])
                out.append((float(x[0]), stage, terms))
        return out

    def trend(self) -> tuple[str, ...]:
        """What became of every term's cost in the last stage that was active, in words."""
        if not self._rows:
            return ()
        stage = self._rows[-1][0]
        costs = np.array([terms for _, s, terms in self.costs() if s == stage])
        n = max(1, len(costs) // 5)
        first, last = costs[:n].mean(axis=0), costs[-n:].mean(axis=0)
        return tuple(
            f"{term_label(term)}: weighted cost {before:.3g} at first, {after:.3g} at the end"
            for term, before, after in zip(self.asked(stage).terms, first, last, strict=True)
        )

    def csv(self) -> str:
        """Costs as text: time, stage, term, weighted cost."""
        lines = ["time_s,stage,term,cost"]
        for time, stage, terms in self.costs():
            for term, cost in zip(self.asked(stage).terms, terms, strict=True):
                lines.append(f"{time:.3f},{stage},{term_label(term)},{cost:.5g}")
        return "\n".join(lines) + "\n"

    def svg(self, width: int = 900, height: int = 420) -> str:
        """The costliest terms over time as an SVG picture."""
        rows = self.costs()
        if not rows:
            return '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n'
        lines: dict[str, list[tuple[float, float]]] = {}
        for time, stage, terms in rows:
            for term, cost in zip(self.asked(stage).terms, terms, strict=True):
                lines.setdefault(term_label(term), []).append((time, float(cost)))
        worst = sorted(lines, key=lambda n: -sum(c for _, c in lines[n]))[:8]
        begin, end = rows[0][0], max(rows[-1][0], rows[0][0] + 1e-3)
        top = max(max(c for _, c in lines[n]) for n in worst) or 1.0
        left, right, above, below = 60, 300, 30, 40

        def x(time: float) -> float:
            return left + (time - begin) / (end - begin) * (width - left - right)

        def y(cost: float) -> float:
            return height - below - min(cost, top) / top * (height - above - below)

        colours = ("#c0392b", "#2471a3", "#1e8449", "#b9770e", "#7d3c98", "#148f77", "#555", "#d35")
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            'font-family="sans-serif" font-size="12">',
            '<rect width="100%" height="100%" fill="white"/>',
            f'<text x="{left}" y="18">weighted cost of each term over simulated time</text>',
            f'<path d="M{left} {above}V{height - below}H{width - right}" stroke="#888" '
            'fill="none"/>',
            f'<text x="{left - 6}" y="{above + 4}" text-anchor="end">{top:.3g}</text>',
            f'<text x="{left - 6}" y="{height - below}" text-anchor="end">0</text>',
            f'<text x="{left}" y="{height - 20}">{begin:.1f} s</text>',
            f'<text x="{width - right}" y="{height - 20}" text-anchor="end">{end:.1f} s</text>',
        ]
        for i, name in enumerate(worst):
            path = " ".join(f"{x(t):.1f},{y(c):.1f}" for t, c in lines[name])
            colour = colours[i % len(colours)]
            parts.append(
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
            )
            parts.append(
                f'<text x="{width - right + 12}" y="{above + 18 * i + 8}" fill="{colour}">'
                f"{escape(name)}</text>"
            )
        return "\n".join([*parts, "</svg>"]) + "\n"
