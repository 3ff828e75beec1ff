# pyright: reportAttributeAccessIssue=false
"""Sentences that mix goals, manners and motions: are they carried out, and are the verdicts true?

The verdict of a run is held against a second judge, which shares no code with the first: facts
grounded in the simulator's own state, and distances, speeds and tilts measured in its own model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

import mujoco
import numpy as np

from embodied.bench.benchmark import About, Benchmark, every, option
from embodied.bench.report import grouped, listed, rate, table_of
from embodied.bench.runner import Payload, Row
from embodied.errors import ProgramError
from embodied.tables import load_toml
from embodied.types import Array, Atom, Observation

SLACK_M, SLACK_M_S, UPRIGHT_RAD = 0.01, 0.015, 0.4
"""What the second judge allows beyond what was asked."""

ABOVE_M = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    seeds: int = option(3, "layouts for each sentence", at_least=1)
    model: str = option("rules", "who reads the sentences", key=True)


def sentences() -> list[Mapping[str, object]]:
    """The sentences with what they ask for."""
    with resources.as_file(
        resources.files("embodied.bench.mixed").joinpath("sentences.toml")
    ) as path:
        found = load_toml(path)["sentence"]
    assert isinstance(found, list)
    return found


@dataclass(slots=True, eq=False)
class Truth:
    """Measures a run in the simulator's own model.

    Attributes:
        model: Of the simulation.
        data: Of the simulation.
        themes: Objects that the goals speak of.
        apart: Objects to stay away from, and how far, m.
        nearest: Smallest distance of a lifted theme to them once it had left, m.
        speed: Highest speed of the hand, m/s.
        tilt: Largest tilt of a lifted theme, rad.
    """

    model: mujoco.MjModel
    data: mujoco.MjData
    themes: tuple[str, ...]
    apart: Mapping[str, float]
    nearest: dict[str, float] = field(default_factory=dict[str, float])
    speed: float = 0.0
    tilt: float = 0.0
    _hands: list[tuple[float, Array]] = field(default_factory=list[tuple[float, Array]])
    _ground: dict[str, float] = field(default_factory=dict[str, float])
    _left: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def watch(self, observation: Observation) -> None:
        """Take in one control period."""
        self._hands.append((observation.time, np.array(observation.pose_ee_in_world.position)))
        if len(self._hands) > 5:
            (t0, a), (t1, b) = self._hands[-6], self._hands[-1]
            self.speed = max(self.speed, float(np.linalg.norm(b - a)) / (t1 - t0))
        for theme in self.themes:
            body = self.data.body(theme)
            rest = self._ground.setdefault(theme, float(body.xpos[2]))
            if body.xpos[2] < rest + 0.015:
                self._left -= {(theme, name) for name in self.apart}
                continue
            self.tilt = max(self.tilt, float(np.arccos(np.clip(body.xmat[8], -1.0, 1.0))))
            for name, asked in self.apart.items():
                distance = self._distance(theme, name, asked + 0.05)
                if distance >= asked:
                    self._left.add((theme, name))
                if (theme, name) in self._left:
                    self.nearest[name] = min(self.nearest.get(name, np.inf), distance)

    def _distance(self, first: str, second: str, most: float) -> float:
        fromto = np.zeros(6)
        return min(
            mujoco.mj_geomDistance(self.model, self.data, a, b, most, fromto)
            for a in self._geoms(first)
            for b in self._geoms(second)
        )

    def _geoms(self, name: str) -> list[int]:
        body = self.model.body(name).id
        solid = self.model.geom_contype | self.model.geom_conaffinity
        return [
            g for g in range(self.model.ngeom) if self.model.geom_bodyid[g] == body and solid[g]
        ]


def play(payload: Payload) -> Row:
    """Carry out one sentence on one layout."""
    from embodied.app.wiring import open_session
    from embodied.settings import Settings as RunSettings

    asked = sentences()[payload["number"]]
    about = {"scene": asked["scene"], "text": asked["text"], "number": payload["number"]}
    session = open_session(
        RunSettings(
            scene=str(asked["scene"]),
            seed=payload["seed"],
            model=payload["model"],
            pictures=False,
        )
    )
    try:
        goals = [str(g) for g in asked["goal"]]  # type: ignore[attr-defined]
        apart: Mapping[str, float] = asked.get("apart", {})  # type: ignore[assignment]
        model, data = session.model_and_data()
        themes = tuple(dict.fromkeys(g.removeprefix("not ").split()[1] for g in goals))
        items = tuple(t for t in themes if session.environment.body.spec.objects[t].kind == "item")
        truth = Truth(model, data, items, apart)
        session.environment.body.watchers.append(truth.watch)
        try:
            outcome = session.run(str(asked["text"]))
        except ProgramError as error:
            return {**about, "result": "refused", "message": str(error)[:200], "false": False}
        wrong = _wrong(asked, goals, truth, session.environment.body.observe(), session)
        return {
            **about,
            "result": "reached" if outcome.reached else "not reached",
            "message": outcome.message,
            "holds": [h for v in outcome.verdicts for h in v.holds],
            "wrong": wrong,
            "false": outcome.reached and bool(wrong),
            "simulated_s": round(session.time_s(), 2),
        }
    finally:
        session.close()


def _wrong(
    asked: Mapping[str, object],
    goals: Sequence[str],
    truth: Truth,
    seen: Observation,
    session: object,
) -> list[str]:
    """What the second judge finds missing."""
    from embodied.session import Session

    assert isinstance(session, Session)
    facts = session.environment.grounder.facts(seen)
    found: list[str] = []
    for goal in goals:
        name, *args = goal.removeprefix("not ").split()
        if (Atom(name, tuple(args)) in facts) == goal.startswith("not "):
            found.append(goal)
    for name, distance in truth.apart.items():
        if truth.nearest.get(name, np.inf) < distance - SLACK_M:
            found.append(f"{100 * truth.nearest[name]:.1f} cm from {name}")
    speed = asked.get("speed")
    whole = not any(w in str(asked["text"]) for w in (" then ", "first ", "finally", "after"))
    if isinstance(speed, float) and whole and truth.speed > 1.05 * speed + SLACK_M_S:
        found.append(f"{truth.speed:.3f} m/s")
    if asked.get("upright") and truth.tilt > UPRIGHT_RAD:
        found.append(f"tilted by {np.degrees(truth.tilt):.0f} degrees")
    above = asked.get("above")
    if above:
        hand, thing = seen.pose_ee_in_world.position, seen.poses[str(above)].position
        if np.linalg.norm((hand - thing)[:2]) > ABOVE_M or hand[2] < thing[2]:
            found.append(f"not above {above}")
    return found


def report(rows: Sequence[Row], settings: Settings) -> dict[str, object]:
    """Counts over all runs, and what went wrong."""
    del settings
    done = [r for r in rows if r.get("status") != "error"]
    return {
        "rows": [
            {
                "sentence": sentence,
                "reached": sum(r["result"] == "reached" for r in some),
                "refused": sum(r["result"] == "refused" for r in some),
                "false": sum(bool(r["false"]) for r in some),
                "runs": len(some),
                "why": sorted({r["message"] for r in some if r["result"] != "reached"}),
            }
            for (sentence,), some in grouped(done, "text").items()
        ],
        "reached": sum(r["result"] == "reached" for r in done),
        "refused": sum(r["result"] == "refused" for r in done),
        "false": sum(bool(r["false"]) for r in done),
        "denied": [f"{r['text']}: {', '.join(r['wrong'])}" for r in done if r["false"]],
        "runs": len(done),
    }


def table(found: Mapping[str, object]) -> str:
    """A line for each sentence, then the sum."""
    rows = found["rows"]
    assert isinstance(rows, list)
    lines = table_of(
        rows, {"sentence": "sentence", "reached": "reached", "refused": "refused", "runs": "runs"}
    )
    n, reached = int(str(found["runs"])), int(str(found["reached"]))
    why = [f"{r['sentence']}: {w}" for r in rows for w in r["why"]]
    denied = found["denied"]
    assert isinstance(denied, list)
    return (
        f"{lines}\nreached: {rate(reached, n)}; refused: {found['refused']}; verdicts 'reached' "
        f"that the simulator's truth denies: {found['false']}\n\n"
        f"{listed('Not reached', why)}{listed('Denied by the truth', denied)}"
    )


BENCHMARK = Benchmark(
    name="mixed",
    summary="Sentences that mix goals, manners and motions; verdicts held against the truth.",
    about=About(routes=("mixed",), size="40 sentences"),
    settings=Settings,
    cases=lambda s: every(
        "{number:02d}-{seed}",
        {"model": s.model},
        number=range(len(sentences())),
        seed=range(s.seeds),
    ),
    run=play,
    report=report,
    table=table,
    jobs=2,
)
