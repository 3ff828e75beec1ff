"""A robot of your own for the reward route: a pole on a motor that points where it is told.

Name ``ROBOT`` in your package's metadata and ``embodied run --robot pole "point up"`` finds it:

    [project.entry-points."embodied.reward_robots"]
    pole = "own_robot:ROBOT"
"""

from __future__ import annotations

import re

import mujoco
import numpy as np
from embodied_controllers.mpc import PlannerOptions
from embodied_controllers.mpc.terms import Parameters, View

from embodied import Settings
from embodied.app.wiring import session_of
from embodied.language.reward import Speech, read_vocabulary
from embodied.language.reward.phrases import Wish, pattern
from embodied.language.reward.rules import RewardRules
from embodied.routes.reward.robot import RewardRobot
from embodied.routes.reward.route import RewardRoute
from embodied.routes.reward.setup import build_setup, environment_of
from embodied.types import RewardTerm

POLE = """
<mujoco>
  <compiler angle="radian"/>
  <worldbody>
    <camera name="main" pos="0 -2.5 1" xyaxes="1 0 0 0 0.2 1"/>
    <geom type="plane" size="2 2 0.1"/>
    <body pos="0 0 1">
      <joint name="motor" axis="0 1 0" range="-2 2" damping="0.5"/>
      <geom type="capsule" size="0.02" fromto="0 0 0 0.5 0 0" mass="1"/>
      <site name="tip" pos="0.5 0 0"/>
    </body>
  </worldbody>
  <actuator><position joint="motor" kp="200" kv="10" forcerange="-20 20"/></actuator>
  <sensor><framepos name="tip" objtype="site" objname="tip"/></sensor>
</mujoco>"""

WORDS = """
[terms.tip_height]
meaning = "height of the pole's tip above the floor"
tolerance = 0.05
residual_unit = "m"
parameters.height = { meaning = "target height", unit = "m", lower = 0.5, upper = 1.5 }

[sensors]
tip_height = { meaning = "height of the pole's tip", unit = "m", lower = 0.0, upper = 2.0 }
"""
HEIGHTS_M = {"up": 1.45, "ahead": 1.0, "down": 0.55}


class PoleView(View):
    """The words as numbers, over (N, T)."""

    RESIDUALS, SENSORS = {"tip_height": "_off"}, {"tip_height": "tip_height"}

    def tip_height(self) -> np.ndarray:
        """Its height, (N, T), m."""
        return self.sensor("tip")[..., 2]

    def _off(self, p: Parameters) -> np.ndarray:
        return (self.tip_height() - float(p["height"]))[..., None]


def pointing(match: re.Match[str]) -> Wish:
    """What the words ask for."""
    height = {"height": HEIGHTS_M[match["way"]]}
    return Wish(essential=(RewardTerm(name="tip_height", parameters=height, weight=10.0),))


def speech(things: tuple[str, ...], elsewhere: str) -> Speech:
    """The words, and the phrases that use them."""
    ways = (pattern(r"point (?P<way>up|ahead|down)", pointing),)
    words = read_vocabulary("pole", WORDS)
    return Speech(vocabulary=words, patterns=ways, known="point up, ahead, down")


ROBOT = RewardRobot(
    name="pole",
    speech=speech,
    model=lambda things: mujoco.MjSpec.from_string(POLE),
    view=PoleView,
    options=PlannerOptions(horizon_s=0.4, n_knots=3, n_samples=16),
    shown=("tip_height",),
)

if __name__ == "__main__":
    setup = build_setup(ROBOT, seed=1)
    settings = Settings(robot="pole")
    place = environment_of(setup, settings)
    session = session_of(settings, place, RewardRoute(setup, RewardRules(setup.speech)))
    outcome = session.run("point up, then point down")
    print(outcome.message, [v.holds for v in outcome.verdicts], *session.state())
    assert outcome.reached and outcome.verdicts[1].holds
    session.close()
