"""A strategy of your own: it plans anew after every single action.

Name ``STRATEGY`` in your package's metadata and ``embodied run --strategy careful "..."`` finds it:

    [project.entry-points."embodied.strategies"]
    careful = "own_strategy:STRATEGY"
"""

from __future__ import annotations

from embodied import Settings, open_session
from embodied.protocols import Usage
from embodied.recovery import RecoveryStep
from embodied.routes.pddl.route import PddlRoute
from embodied.routes.pddl.tasks import StrategyEntry, TaskInterface
from embodied.types import PlanStatus


class Careful:
    """Takes the first step of a plan, looks, and plans again."""

    name = "careful"

    def __init__(self, patience: int = 30) -> None:
        self.patience = patience
        self.corrections = 0
        self.usage = Usage()

    def pursue(self, robot: TaskInterface) -> str:
        """Act until the goals hold or there is nothing left to try; see ``Strategy.pursue``."""
        for _ in range(self.patience):
            if robot.reached():
                return ""
            plan = robot.plan()
            if robot.declined:
                return robot.declined
            if plan.status is not PlanStatus.SOLVED:
                return f"no plan: {plan.message or plan.status.value}"
            done = robot.act(plan.plan[0])
            if not done.result.ok:
                self.corrections += 1
                robot.escalate(RecoveryStep.RETRY, done.result.reason, str(done.action))
        return "out of patience"


STRATEGY = StrategyEntry(make=lambda model: Careful(), needs_model=False)

if __name__ == "__main__":
    session = open_session(Settings(scene="blocks", seed=4, route="pddl"))
    assert isinstance(session.route, PddlRoute)
    session.route.strategy = Careful
    outcome = session.run("put the red block on the blue block and the green block on the tray")
    print(f"{len(outcome.details['plans'])} plans, {len(outcome.details['actions'])} actions:")
    print(outcome.message)
    assert outcome.reached
    session.close()
