"""Carries out the prompt of an episode: the process that runs in the sandbox.

It gets the prompt and the socket of the episode, and nothing else of the benchmark.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

from embodied.bench.robouse import link
from embodied.bench.robouse.world import EpisodeWorld
from embodied.body import Body
from embodied.errors import EmbodiedError
from embodied.opening import Environment, Opening
from embodied.outcome import NOT_REACHED, Outcome, outcome_of_error
from embodied.protocols import Event
from embodied.session import Session
from embodied.settings import Settings

GOAL = re.compile(r"^\*\*Goal:\*\*\s*(.+)$", re.MULTILINE)
ROBOT = Path(__file__).with_name("gripper.toml")


def sentence_of(prompt: str) -> str:
    """What the prompt asks for: its paragraph under "Goal", else all of it."""
    found = GOAL.search(prompt)
    return (found[1] if found else prompt).strip()


def open_session(settings: Settings, said: str = "") -> Session:
    """The routes, the memory and the verdict of every other run, in the world of the episode."""
    from embodied.app.wiring import open_named_model, session_of
    from embodied.perception.perceivers import TruthPerceiver
    from embodied.route import ROUTES
    from embodied.world import robots
    from embodied.world.builder import build_spec
    from embodied.world.grounding import TabletopGrounder
    from embodied.world.mujoco import planning_model
    from embodied.world.visibility import Sight

    robot = robots.load(str(ROBOT))
    world = EpisodeWorld(link.ask, robot, said=said)
    scene = world.table.scene
    body = Body(world)
    body.reset(seed=settings.seed)
    grounder = TabletopGrounder(world.spec)
    sight = Sight(grounder)
    place = Environment(
        body=body,
        grounder=grounder,
        static_facts=grounder.static_facts,
        scene=scene,
        with_arm=lambda other: build_spec(other, robot),
        planning_model=planning_model(scene, robot),
        read_qpos=lambda: world.qpos,
        perceive=sight,
        see=TruthPerceiver(world.spec, scene, sight),
        shows_all_uncovered=True,
        object_source="states that the episode tells",
    )
    model = open_named_model(settings)
    opening = Opening(environment=place, settings=settings, model=model)
    route = ROUTES.get(settings.route).load().open(opening)
    return session_of(settings, place, route, model=model)


def carry_out(prompt: str, settings: Settings) -> int:
    """Do what the prompt asks for, and end the episode: done, or given up with the reason."""
    began = time.perf_counter()
    events: list[Event] = []
    try:
        session = open_session(settings, sentence_of(prompt))
    except EmbodiedError as error:
        outcome = outcome_of_error(error)
    else:
        try:
            outcome = session.run(sentence_of(prompt), emit=events.append)
        except EmbodiedError as error:
            outcome = outcome_of_error(error)
        _tell(session, outcome, events, time.perf_counter() - began)
    judged = outcome.exit_code <= NOT_REACHED
    link.ask("done" if judged else "give_up", text=outcome.message)
    return 0


def _tell(session: Session, outcome: Outcome, events: list[Event], wall_s: float) -> None:
    """One JSON line for the trial's folder: how it ended, and at which stage it failed."""
    kinds = ("action", "effects", "verdict", "ask", "program", "reading", "retry", "replan")
    said = {
        "exit_code": outcome.exit_code,
        "message": outcome.message,
        "notes": outcome.notes,
        "translator": session.translator,
        "usage": outcome.usage.calls,
        "wall_s": round(wall_s, 2),
        "cpu_s": round(time.process_time(), 2),
        "timings_s": {k: round(v, 2) for k, v in outcome.timings_s.items()},
        "events": [{"kind": e.kind, **e.data} for e in events if e.kind in kinds],
    }
    sys.stdout.write(json.dumps(said, default=str) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """``agent PROMPT_FILE SETTINGS``; the settings are those of a run, as JSON."""
    prompt, settings = arguments
    return carry_out(Path(prompt).read_text("utf-8"), Settings(**json.loads(settings)))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
