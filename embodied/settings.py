"""What a person says about a run, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person says about a run; ``embodied.app.compatibility`` says what goes together.

    Attributes:
        scene: Name of a scene or path of a scene file.
        robot: Name of a robot, or path of a robot model.
        world: Name of a world, one of ``embodied.app.wiring.WORLDS``.
        route: Name of a route; ``"auto"`` takes the one that the robot is moved by.
        model: Name of a translator, or what ``embodied.language.models.open_model`` opens.
        base_url: Address of an OpenAI-compatible server.
        max_tokens: Budget of model tokens, None for no limit.
        max_calls: Budget of model calls, None for no limit.
        record: File that model answers are recorded to.
        plan_time_s: Wall time for one planner call.
        optimal: Ask for a provably cheapest plan.
        seed: Seed of the initial layout and of all sampling.
        asynchronous: Plan in a thread while the robot moves in real time.
        strategy: Name of a strategy; all but ``"plan"`` need a language model.
        optimiser: Name of an optimiser of the reward route.
        yes: Do what cannot be undone without asking.
        pictures: Make pictures for the run folder.
    """

    scene: str = "blocks"
    robot: str = "fr3"
    world: str = "mujoco"
    route: str = "auto"
    model: str = "rules"
    base_url: str | None = None
    max_tokens: int | None = None
    max_calls: int | None = None
    record: str | None = None
    plan_time_s: float = 10.0
    optimal: bool = False
    seed: int = 0
    asynchronous: bool = False
    strategy: str = "plan"
    optimiser: str = "mppi"
    yes: bool = False
    pictures: bool = True
