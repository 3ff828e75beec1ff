"""One disturbance trial: a seeded task, a disturbance, an agent, and the result."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from embodied_planners.pddl import Planner

from embodied.agent import Agent, Options
from embodied.bench.disturb.world import Disturbance, DisturbedWorld, choose
from embodied.bench.runner import Payload, Row
from embodied.bench.tabletop import Tabletop, scene_and_model
from embodied.body import Body
from embodied.protocols import Event
from embodied.recovery import Question
from embodied.routes.pddl.route import PddlOptions
from embodied.routes.pddl.strategies import PlanStrategy
from embodied.types import Atom, GroundAction, PddlProgram, PlanStatus
from embodied.world.mujoco import MujocoWorld, build_world

CONFIGURATIONS: Mapping[str, tuple[bool, bool]] = {
    "both": (True, True),
    "critic": (True, False),
    "memory": (False, True),
    "neither": (False, False),
}
"""(critic: preconditions, effects and chances; memory: beliefs against measurements)."""

PLAN_TIME_S = 10.0
TIDY = "(hand-empty)"


class Trial:
    """A disturbed world, and notes of what the agent said in it.

    Args:
        kind: What happens.
        seed: Of layout, goal and disturbance.
        checks: The critic is on.
        beliefs: The memory is on.
    """

    def __init__(self, kind: str, seed: int, *, checks: bool, beliefs: bool) -> None:
        self.kind, self.seed, self.checks, self.beliefs = kind, seed, checks, beliefs
        scene, self.model = scene_and_model("kitchen" if kind == "drawer" else "blocks")
        self.rng = np.random.default_rng([seed, 17])
        world = build_world(scene)
        self.table = Tabletop(world.spec)
        self.world = DisturbedWorld(world, np.random.default_rng([seed, 29]))
        self.goal, self.spare = "", ""
        self._draw_task(world)
        self.planned = 0
        self.noticed = ""
        self.noticed_after_s = float("nan")
        self.alarms = 0
        self.ideal: int | None = None
        self.later: list[bool] = []
        self.asked = 0

    def run(self) -> Row:
        """Pursue the goal and say what became of it."""
        cpu = time.process_time()
        first = self._facts()
        program = self.table.program(first, self.goal)
        route = self.table.route(
            self.model,
            self.seed,
            strategy=lambda: PlanStrategy(checks=self.checks, beliefs=self.beliefs),
            bounds=PddlOptions(plan_time_s=PLAN_TIME_S, tidy=TIDY),
        )
        agent = Agent(
            body=Body(self.world),
            routes={PddlProgram: route},
            memory=self.table.memory(first),
            emit=self.hear,
            options=Options(questions=2 if self.checks or self.beliefs else 0),
            ask=self.answer,
        )
        report = agent.pursue(program)
        ended = self.world.observe()
        facts = self.table.grounder.facts(ended)
        self.world.close()
        happened = self.world.happened_s
        what = self.world.disturbance
        wasted = None
        if self.ideal is not None:
            wasted = max(0, len(self.later) - 1 - self.ideal + (not self.later[0]))
        return {
            "kind": self.kind,
            "seed": self.seed,
            "status": "ok" if self.kind == "none" or happened is not None else "void",
            "goal": self.goal,
            "target": what.target if what else "",
            "happened_s": happened,
            "reached": self.table.holds(self.goal, facts),
            "hand_empty": Atom("hand-empty") in facts,
            "claimed": report.reached,
            "message": report.message,
            "noticed": self.noticed,
            "noticed_after_s": None if not self.noticed else round(self.noticed_after_s, 2),
            "alarms": self.alarms,
            "asked": self.asked,
            "planned": self.planned,
            "actions": len(report.details["actions"]),
            "failed": sum(not a.ok for a in report.details["actions"]),
            "wasted": wasted,
            "ladder": [e.step.name.lower() for e in report.escalations],
            "sim_s": round(ended.time, 2),
            "cpu_s": round(time.process_time() - cpu, 3),
        }

    def hear(self, event: Event) -> None:
        """Follow the agent: choose the disturbance at its first plan, note what it notices."""
        self.world.hear(event)
        data = event.data
        if event.kind == "plan" and not self.planned and data["status"] == PlanStatus.SOLVED.name:
            plan = [GroundAction.parse(a) for a in data["plan"]]
            self.planned = len(plan)
            steps = [(a.name, *a.args) for a in plan]
            self.world.disturbance = choose(self.kind, steps, self.rng, self.spare)
        happened = self.world.happened_s
        if happened is None:
            self.alarms += event.kind == "contradiction" and self.beliefs
            return
        if event.kind == "effects" and data["time_s"] >= happened:
            self.later.append(bool(data["ok"]))
            if self.ideal is None:
                self.ideal = self._distance()
                self.later = self.later[-1:]
        if not self.noticed and data.get("time_s", -1.0) >= happened:
            what = self.world.disturbance
            assert what is not None
            if self._notices(event, what):
                self.noticed = event.kind
                self.noticed_after_s = float(data["time_s"]) - happened

    def answer(self, question: Question) -> bool:
        """The person: gives back what was only taken, cannot help otherwise."""
        self.asked += 1
        what = self.world.disturbance
        if self.kind != "taken" or what is None or what.target not in question.about:
            return False
        return self.world.give_back(what.target)

    def _notices(self, event: Event, what: Disturbance) -> bool:
        """Whether an event says that something is wrong with what was disturbed."""
        data = event.data
        match event.kind:
            case "contradiction":
                facts = " ".join((*data["believed"], *data["measured"], *data["moved"]))
                return self.beliefs and _mentions(facts, what)
            case "effects":
                said = f"{data['action']} {' '.join(data['missing'])}"
                odd = not data["ok"] or bool(data["reason"])  # or: all is well although ...
                return self.checks and odd and _mentions(said, what)
            case "replan" | "backtrack" | "ask":
                return (self.checks or self.beliefs) and _mentions(data["reason"], what)
            case _:
                return False

    def _distance(self) -> int | None:
        """Length of a plan from what is measured now; None while there is none."""
        program = self.table.program(self._facts(), self.goal, TIDY)
        result = Planner().solve(program, deadline_s=PLAN_TIME_S)
        return len(result.plan) if result.status is PlanStatus.SOLVED else None

    def _facts(self) -> frozenset[Atom]:
        return self.table.grounder.facts(self.world.observe())

    def _draw_task(self, world: MujocoWorld) -> None:
        """Draw a layout, a goal that does not hold yet, and a spare item."""
        for trial in range(100):
            world.reset(seed=1000 * self.seed + trial)
            order = [
                str(n)
                for n in np.random.default_rng([self.seed, trial]).permutation(self.table.items)
            ]
            if self.kind == "drawer":
                self.goal = "(and (in sponge drawer) (not (open drawer)))"
            else:
                self.goal = _goal(order[:3], np.random.default_rng([self.seed, trial, 1]))
                covered = {a.args[1] for a in self._facts() if a.args[1:]}
                free = [n for n in order[3:] if n not in covered]
                if not free:
                    continue
                self.spare = free[0]
            if self.kind == "new":
                self.world.take_away(self.spare)
            if not self.table.holds(self.goal, self._facts()):
                return
        raise RuntimeError(f"no task found for seed {self.seed}")


def run_trial(payload: Payload) -> Row:
    """Run one trial; the payload holds ``kind``, ``seed`` and ``configuration``."""
    name = str(payload["configuration"])
    checks, beliefs = CONFIGURATIONS[name]
    trial = Trial(str(payload["kind"]), int(payload["seed"]), checks=checks, beliefs=beliefs)
    return {"configuration": name, **trial.run()}


def _goal(items: list[str], rng: np.random.Generator) -> str:
    """A tower of three, or two items at places and a third on one of them."""
    a, b, c = items
    goals = (
        f"(and (on {a} {b}) (on {b} {c}))",
        f"(and (in {a} bin) (on {b} {c}))",
        f"(and (on {a} tray) (in {b} bin) (in {c} bin))",
        f"(and (on {a} tray) (on {b} {a}) (in {c} bin))",
    )
    return goals[int(rng.integers(len(goals)))]


def _mentions(text: str, what: Disturbance) -> bool:
    words = set(text.replace("(", " ").replace(")", " ").replace(",", " ").split())
    return bool(words & what.concerned)
