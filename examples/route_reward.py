"""The route reward without a sentence: terms in two stages, carried out by predictive control."""

from __future__ import annotations

from embodied import Settings, open_session
from embodied.language.reward import make_term
from embodied.types import RewardProgram, RewardStage

program = RewardProgram(
    robot="quadruped",
    stages=(
        RewardStage(  # low, for a second
            terms=(
                make_term("torso_height", height=0.18, weight=40.0),
                make_term("torso_pitch", angle=0.0, weight=5.0),
            ),
            duration_s=1.0,
        ),
        RewardStage(terms=(make_term("torso_height", height=0.27, weight=40.0),)),  # and up again
    ),
    source="example",
)
session = open_session(Settings(robot="quadruped", seed=1))
heights: list[float] = []
session.watch(lambda time_s: heights.append(float(session.qpos()[2])))
outcome = session.pursue(program)
print(f"torso between {min(heights):.2f} and {max(heights):.2f} m; {outcome.message}")
for verdict in outcome.verdicts:
    print(verdict.text, "holds:", *verdict.holds, "unmet:", *verdict.unmet)
assert outcome.reached
session.close()
