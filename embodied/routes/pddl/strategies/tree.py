"""Tree-Planner (Hu et al. 2023, arXiv 2310.08582): sample plans once, decide on the merged tree.

One request asks for several plans. Common beginnings are merged, so that the tree branches where
the plans differ. Which branch is taken is decided where the arm stands, from measured facts and
without another request: branches whose next action is not applicable are cut, those that lead to
the goal by the domain come first, then those that more plans agree on and the critic trusts more.
A branch that fails is left for another one that is possible from here, anywhere in the tree; only
when none is left are plans sampled anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from embodied.language.prompting import data
from embodied.protocols import LanguageModel, Message
from embodied.recovery import RecoveryStep
from embodied.routes.pddl.prompting import ModelStrategy, opening, read_plans
from embodied.routes.pddl.simulation import applicable_prefix, goal_holds
from embodied.routes.pddl.tasks import StrategyEntry, Task, TaskInterface
from embodied.symbolic import applicable
from embodied.types import Atom, GroundAction

_PLANS = 3  # plans that are asked for at once
_MAX_ACTIONS = 60  # most actions that are carried out


@dataclass(slots=True, eq=False)
class Node:
    """An action of the tree.

    Attributes:
        action: The action; None at the root.
        votes: Plans that come through here.
        children: What comes next.
        failed: Was tried and did not work.
    """

    action: GroundAction | None = None
    votes: int = 0
    children: dict[GroundAction, Node] = field(default_factory=dict["GroundAction", "Node"])
    failed: bool = False

    def everywhere(self) -> Iterator[Node]:
        """This node and all below."""
        yield self
        for child in self.children.values():
            yield from child.everywhere()


def merge(plans: Iterable[Sequence[GroundAction]]) -> Node:
    """The action tree of several plans."""
    root = Node()
    for plan in plans:
        node = root
        node.votes += 1
        for action in plan:
            node = node.children.setdefault(action, Node(action))
            node.votes += 1
    return root


class TreeStrategy(ModelStrategy):
    """Decides on a tree of sampled plans.

    Args:
        model: Who writes the plans.
        resamples: How often to ask again when the tree has no way left.
        grounded: Look ahead by the domain which branches lead to the goal; without it, branches
            are cut by preconditions alone.
    """

    name = "tree"

    def __init__(self, model: LanguageModel, *, resamples: int = 3, grounded: bool = True) -> None:
        super().__init__(model)
        self._resamples = resamples
        self._grounded = grounded

    def pursue(self, robot: TaskInterface) -> str:
        """Sample, decide, backtrack, sample again; see ``Strategy.pursue``."""
        problem = ""
        left = _MAX_ACTIONS
        for sample in range(self._resamples + 1):
            if robot.reached():
                return ""
            if sample:
                self.corrections += 1
                robot.escalate(RecoveryStep.REPLAN, problem)
            root = merge(self.sample(robot, problem))
            problem, left = self._walk(root, robot, left)
            if not problem or robot.declined or not left:
                return problem
        return f"gave up after {self._resamples} new samples: {problem}"

    def sample(
        self, robot: TaskInterface, problem: str = ""
    ) -> tuple[tuple[GroundAction, ...], ...]:
        """Ask for plans from what is measured now; ``problem`` says what was wrong with others."""
        task = robot.task
        messages = opening("plans", task, robot.facts, count=str(_PLANS))
        if problem:
            told = f"{messages[-1].text}\n\nPlans so far did not work:\n{data(problem)}"
            messages = (*messages[:-1], Message(role="user", text=told))
        return read_plans(self.ask(messages, "tree-plans").text, task.domain)

    def _walk(self, root: Node, robot: TaskInterface, left: int) -> tuple[str, int]:
        """Act along the tree; returns what is wrong, and how many actions are left to carry out."""
        node = root
        while left:
            if robot.reached():
                return "", left
            child = self._choose(node, robot)
            if child is None:
                elsewhere = self._elsewhere(root, robot)
                if elsewhere is None:
                    return _dead_end(root, robot), left
                self.corrections += 1
                robot.escalate(RecoveryStep.BACKTRACK, "this branch ended", str(elsewhere.action))
                child = elsewhere
            assert child.action is not None
            left -= 1
            done = robot.act(child.action)
            if robot.declined:
                return robot.declined, left
            if done.result.ok:
                node = child
                continue
            child.failed = True
            self.corrections += 1
            again = robot.chance(child.action) > 0.1 and not robot.unmet(child.action)
            if again and done.result.retry and left:
                robot.escalate(RecoveryStep.RETRY, done.result.reason, str(child.action))
                left -= 1
                if robot.act(child.action).result.ok:
                    child.failed = False
                    node = child
        return ("" if robot.reached() else "no action is left to carry out"), left

    def _choose(self, node: Node, robot: TaskInterface) -> Node | None:
        """The best child from here, None when there is none that is possible."""
        possible = [
            c
            for c in node.children.values()
            if c.action is not None and not c.failed and not robot.unmet(c.action)
        ]
        if self._grounded and robot.task.goals:
            possible = [c for c in possible if _leads(c, robot.facts, robot.task)]
        return max(possible, key=lambda c: self._worth(c, robot), default=None)

    def _worth(self, node: Node, robot: TaskInterface) -> float:
        assert node.action is not None
        return node.votes * robot.chance(node.action)

    def _elsewhere(self, root: Node, robot: TaskInterface) -> Node | None:
        """A node anywhere in the tree from which its branch leads from here to the goal."""
        if not (self._grounded and robot.task.goals):
            return None
        options = [
            n
            for n in root.everywhere()
            if n.action is not None
            and not n.failed
            and not robot.unmet(n.action)
            and _leads(n, robot.facts, robot.task)
        ]
        return max(options, key=lambda n: self._worth(n, robot), default=None)


def _dead_end(root: Node, robot: TaskInterface) -> str:
    """Where the branch that most plans agree on ends, from what is measured now."""
    facts, task, node = robot.facts, robot.task, root
    while node.children:
        node = max(node.children.values(), key=lambda c: c.votes)
        assert node.action is not None
        unmet = applicable(node.action, facts, task.domain, task.objects)
        if unmet:
            return f"{node.action} is not applicable: {', '.join(unmet)} does not hold then"
        _, facts = applicable_prefix([node.action], facts, task)
    return "the plans end before the instruction is carried out"


def _leads(node: Node, facts: frozenset[Atom], task: Task) -> bool:
    """Whether some way down from a node, itself included, reaches the goals by the domain."""
    assert node.action is not None
    done, after = applicable_prefix([node.action], facts, task)
    if done == 0 or node.failed:
        return False
    return goal_holds(after, task) or any(
        _leads(child, after, task) for child in node.children.values()
    )


STRATEGY = StrategyEntry(make=TreeStrategy)
