"""One episode of a level, in MiniGrid's own environment; needs nothing of this project.

Run as a script: ``LEVEL SEED METHOD``. For ``full`` and ``partial`` it writes one observation a
line and reads one action a line; ``bot`` and ``random`` are played here. The last line says whether
it succeeded, which is the reward of the environment and nothing else, and in how many steps.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any


def told(env: Any, seen: dict[str, Any], *, full: bool) -> dict[str, object]:
    """What the agent is told: the whole grid and its pose in it, or only its 7 x 7 view."""
    if not full:
        return {"mission": seen["mission"], "view": seen["image"].tolist()}
    hand = None if env.carrying is None else list(env.carrying.encode())
    pose = [int(env.agent_pos[0]), int(env.agent_pos[1]), int(env.agent_dir)]
    grid = env.grid.encode().tolist()
    return {"mission": seen["mission"], "grid": grid, "pose": pose, "hand": hand}


def chooser(method: str, env: Any, seed: int) -> Callable[[], int]:
    """The actions of the two methods that are played here."""
    if method == "bot":
        from minigrid.utils.baby_ai_bot import BabyAIBot  # pyright: ignore

        bot = BabyAIBot(env)
        return lambda: int(bot.replan())
    import numpy as np

    rng = np.random.default_rng(seed)
    return lambda: int(rng.integers(0, 6))


def main(level: str, seed: int, method: str) -> None:
    """Play one episode."""
    import gymnasium
    import minigrid  # pyright: ignore

    out = sys.stdout

    def say(record: dict[str, object]) -> None:
        out.write(json.dumps(record) + "\n")
        out.flush()

    with contextlib.redirect_stdout(sys.stderr):  # the levels print while they are drawn
        gymnasium.register_envs(minigrid)
        made = gymnasium.make(f"BabyAI-{level}-v0")
        env: Any = made.unwrapped
        seen, _ = made.reset(seed=seed)
        own = method in ("bot", "random")
        choose = chooser(method, env, seed) if own else lambda: int(sys.stdin.readline() or -1)
        steps, over, reward, why, began = 0, False, 0.0, "", time.process_time()
        while not over:
            if not own:
                say(told(env, seen, full=method == "full"))
            try:
                action = choose()
            except (Exception, AssertionError) as error:
                why = f"{type(error).__name__}: {error}"
                break
            if action < 0 or (own and action == 6):  # given up; the bot's word for it is "done"
                break
            seen, reward, ended, cut, _ = made.step(action)
            steps, over = steps + 1, bool(ended or cut)
        cpu_s = round(time.process_time() - began, 3)
        won = over and float(reward) > 0
        say({"success": won, "steps": steps, "why": why, "cpu_s": cpu_s})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
