"""Settings of a run, as data."""

from __future__ import annotations

from dataclasses import dataclass

TOOLS = "tools"
"""Name of the strategy by which a model calls tools, on every route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a run; ``embodied.app.compatibility`` says which go together.

    Attributes:
        scene: Name of a scene or path of a scene file.
        robot: Name of a robot, or path of a robot model.
        world: Name of a world, one of ``embodied.app.wiring.WORLDS``.
        route: Name of a route; ``"auto"`` goes by the robot.
        perception: ``"truth"``: the simulator's own poses; ``"pixels"``: what cameras see;
            ``"auto"`` goes by the route.
        all_seeing: Perceive also what a closed drawer hides, where the simulator says it.
        model: Name of a translator, or what ``embodied.language.models.open_model`` opens.
        base_url: Address of an OpenAI-compatible server.
        max_tokens: Budget of model tokens, None for no limit.
        max_calls: Budget of model calls, None for no limit.
        max_cost_usd: Budget of money for calls with a price, USD, None for no limit.
        timeout_s: Longest wait for one answer of a model, s.
        max_output_tokens: Longest answer, reasoning included; None: by the kind of request.
        temperature: Sampling temperature; None: 0 where the model takes one.
        reasoning_effort: How much the model reasons, None for its own default.
        price: USD for a million tokens, ``"READ,WRITTEN"`` or ``"READ,WRITTEN,CACHED"``.
        fallbacks: Further models, asked in turn while those before cannot answer; or None.
        record: File to which the model's answers are recorded.
        plan_time_s: Time limit of one planner call, s.
        optimal: Ask for a provably cheapest plan.
        seed: Seed of the initial layout and of all sampling.
        asynchronous: Plan in a thread while the robot moves in real time.
        strategy: Name of a strategy of the route pddl, or ``"tools"`` for all routes; all but
            ``"plan"`` need a language model.
        optimiser: Name of an optimiser of the reward route.
        yes: Do not ask before irreversible actions.
        pictures: Make pictures for the run folder.
    """

    scene: str = "blocks"
    robot: str = "fr3"
    world: str = "mujoco"
    route: str = "auto"
    perception: str = "auto"
    all_seeing: bool = False
    model: str = "rules"
    base_url: str | None = None
    max_tokens: int | None = None
    max_calls: int | None = None
    max_cost_usd: float | None = None
    timeout_s: float = 60.0
    max_output_tokens: int | None = None
    temperature: float | None = None
    reasoning_effort: str | None = None
    price: str | None = None
    fallbacks: tuple[str, ...] | None = None
    record: str | None = None
    plan_time_s: float = 10.0
    optimal: bool = False
    seed: int = 0
    asynchronous: bool = False
    strategy: str = "plan"
    optimiser: str = "mppi"
    yes: bool = False
    pictures: bool = True
