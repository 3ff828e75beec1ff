"""An arm at a table as a Gymnasium environment: a sentence to follow, judged from measurement."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from embodied.app.wiring import open_environment
from embodied.errors import OptionError
from embodied.gym.actions import open_actions
from embodied.gym.tasks import Tasks
from embodied.language.interpreter import Interpreter
from embodied.opening import Opening
from embodied.routes.pddl.translators import open_translator
from embodied.settings import Settings
from embodied.types import Command, Observation

if TYPE_CHECKING:
    from embodied.world.mujoco import MujocoWorld

Seen: TypeAlias = dict[str, Any]
Info: TypeAlias = dict[str, object]

LONGEST = 300
"""Characters of a sentence."""

_REACH_M = 10.0
_SPEEDS = 4.0
_MOST_FORCE_N = 1000.0


class TabletopEnv(gymnasium.Env[Seen, NDArray[Any]]):
    """An arm in a scene that is asked for something in a sentence.

    The observation is a dictionary: ``sentence``; ``q`` (n,) rad and ``dq`` (n,) rad/s; ``ee``
    (7,), pose of the end effector in the world, position in m, then quaternion wxyz; ``gripper``
    (2,), gap in m and force in N; ``objects`` (m, 7), poses in the order of ``object_names``;
    ``openings`` (d,) of the drawers in m, where there are some; ``camera_NAME`` (height, width, 3)
    uint8 for each camera asked for. Poses are the simulator's own: ground truth, hidden things
    included.

    The reward is 1 when the goal is measured to hold, and the episode ends; 0 until then. ``info``
    holds ``is_success``, ``goal`` (PDDL text) and ``limited`` (whether the world cut the last
    action down). A sentence of several goals in order is a success when each was reached in its
    turn and all hold together.

    Args:
        scene: Name of a scene or path of a scene file.
        robot: Name of an arm.
        sentence: What to ask for in every episode; None draws one about a thing and a place.
            ``reset(options={"sentence": ...})`` asks for something once.
        actions: ``"joint"``, ``"ee"`` or ``"setpoint"``, see ``embodied.gym.actions``.
        cameras: Cameras whose pictures are observed; all of the scene are in ``spec.cameras``.
        size_px: Width and height of the pictures.
        period_s: Time from one action to the next, s.
        render_mode: ``"rgb_array"`` or None.

    Attributes:
        object_names: Rows of ``objects``.
        drawer_names: Entries of ``openings``.

    Raises:
        OptionError: There is no such scene, robot or camera.
        ValueError: No such kind of action or render mode, or the period is shorter than the
            control period of the world.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 - Gymnasium's own

    def __init__(
        self,
        scene: str = "blocks",
        robot: str = "fr3",
        *,
        sentence: str | None = None,
        actions: str = "joint",
        cameras: Sequence[str] = (),
        size_px: tuple[int, int] = (128, 128),
        period_s: float = 0.1,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"there is no render mode {render_mode!r}: legal is rgb_array")
        settings = Settings(scene=scene, robot=robot, route="pddl", model="rules", all_seeing=True)
        self.render_mode = render_mode
        self._place = open_environment(settings)
        try:
            self._body, self._sentence = self._place.body, sentence
            world_spec = self._body.spec
            if unknown := sorted(set(cameras) - set(world_spec.cameras)):
                raise OptionError(
                    f"there is no camera {unknown[0]!r}: legal are {', '.join(world_spec.cameras)}"
                )
            self._steps = round(period_s / world_spec.control_dt_s)
            if self._steps < 1:
                raise ValueError(f"a period is at least {world_spec.control_dt_s} s")
            opening = Opening(environment=self._place, settings=settings)
            reader = open_translator(opening)
            assert isinstance(reader, Interpreter)
            self._tasks = Tasks(world_spec, self._place.grounder, reader)
            self._actions = open_actions(actions, world_spec, period_s, self._place.planning_model)
        except BaseException:
            self._place.close()
            raise
        self._cameras, self._size_px = tuple(cameras), size_px
        self._asked = ""
        self.object_names = tuple(world_spec.objects)
        self.drawer_names = tuple(n for n, o in world_spec.objects.items() if o.kind == "drawer")
        self.action_space = self._actions.space
        self._spaces = self._space()
        self.observation_space = self._spaces

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, object] | None = None
    ) -> tuple[Seen, Info]:
        """Begin an episode with another layout; equal seeds give equal episodes.

        Args:
            seed: Of the random layouts and sentences from here on.
            options: ``{"sentence": TEXT}`` asks for something in this episode.

        Raises:
            NotUnderstoodError: The sentence is no goal of this scene.
            ValueError: Other options, or the sentence is too long.
        """
        super().reset(seed=seed)
        options = options or {}
        if strange := set(options) - {"sentence"}:
            raise ValueError(f"there is no option {min(strange)!r}: legal is sentence")
        seen = self._body.reset(seed=int(self.np_random.integers(2**31)))
        asked = options.get("sentence", self._sentence)
        if asked is None:
            self._asked = self._tasks.draw(self.np_random, seen)
        else:
            self._asked = _fitting(str(asked))
            self._tasks.begin(self._asked, seen)
        return self._seen(seen), self._info(self._tasks.reached(seen), limited=False)

    def step(self, action: NDArray[np.float32]) -> tuple[Seen, float, bool, bool, Info]:
        """Move for one period; raises ValueError for an action of another shape or not finite."""
        numbers = np.asarray(action, float)
        shape = self.action_space.shape
        if numbers.shape != shape or not np.isfinite(numbers).all():
            raise ValueError(f"an action has {shape} finite numbers, got {action!r:.200}")
        q_set = self._body.q_set
        q, width = self._actions.set_points(np.clip(numbers, -1.0, 1.0), q_set)
        limited = False
        for k in range(1, self._steps + 1):
            share = k / self._steps
            command = Command(
                q=q_set + share * (q - q_set),
                dq=(q - q_set) / (self._steps * self._body.spec.control_dt_s),
                gripper_width_m=width,
            )
            limited |= bool(self._body.step(command).reasons)
        seen = self._body.observation
        reached = self._tasks.reached(seen)
        return self._seen(seen), float(reached), reached, False, self._info(reached, limited)

    def render(self) -> NDArray[np.uint8] | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The scene from the main camera, (480, 640, 3), in the mode ``rgb_array``."""
        if self.render_mode is None:
            return None
        return self._world.render("main", segmentation=False).rgb

    def close(self) -> None:
        """Release the world; may be called twice."""
        self._place.close()

    # ----------------------------------------------------------------- private

    @property
    def _world(self) -> MujocoWorld:
        world = self._body.world
        assert hasattr(world, "render")
        return world  # pyright: ignore[reportReturnType]

    def _space(self) -> spaces.Dict:
        spec = self._body.spec
        n = len(spec.joint_names)
        pose = np.array([_REACH_M] * 3 + [1.0] * 4)
        found: dict[str, spaces.Space[Any]] = {
            "sentence": spaces.Text(LONGEST, min_length=0, charset=string.printable),
            "q": _box(np.full(n, -2 * np.pi), np.full(n, 2 * np.pi)),
            "dq": _box(-_SPEEDS * spec.dq_max, _SPEEDS * spec.dq_max),
            "ee": _box(-pose, pose),
            "objects": _box(*(np.tile(s * pose, (len(self.object_names), 1)) for s in (-1, 1))),
        }
        if spec.gripper is not None:
            found["gripper"] = _box(np.array([-0.1, 0.0]), np.array([0.5, _MOST_FORCE_N]))
        if self.drawer_names:
            d = len(self.drawer_names)
            found["openings"] = _box(np.full(d, -_REACH_M), np.full(d, _REACH_M))
        width, height = self._size_px
        for name in self._cameras:
            found[f"camera_{name}"] = spaces.Box(0, 255, (height, width, 3), np.uint8)
        return spaces.Dict(found)

    def _seen(self, seen: Observation) -> Seen:
        poses = [seen.poses[n] for n in self.object_names]
        ee = seen.pose_ee_in_world
        numbers = {
            "q": seen.q,
            "dq": seen.dq,
            "ee": np.concatenate([ee.position, ee.quat_wxyz]),
            "objects": np.array([np.concatenate([p.position, p.quat_wxyz]) for p in poses]),
        }
        if seen.gripper is not None:
            numbers["gripper"] = np.array([seen.gripper.width_m, seen.gripper.force_n])
        if self.drawer_names:
            numbers["openings"] = np.array([seen.openings_m[n] for n in self.drawer_names])
        found: Seen = {"sentence": self._asked}
        for name, values in numbers.items():
            box = self._spaces[name]
            assert isinstance(box, spaces.Box)
            found[name] = np.clip(values.astype(np.float32), box.low, box.high)
        width, height = self._size_px
        for name in self._cameras:
            image = self._world.render(name, width=width, height=height, segmentation=False)
            found[f"camera_{name}"] = image.rgb
        return found

    def _info(self, reached: bool, limited: bool) -> Info:
        return {"is_success": reached, "goal": self._tasks.goal, "limited": limited}


def _box(low: NDArray[np.float64], high: NDArray[np.float64]) -> spaces.Box:
    return spaces.Box(low.astype(np.float32), high.astype(np.float32))


def _fitting(sentence: str) -> str:
    """A sentence that the observation can hold; raises ValueError."""
    if len(sentence) > LONGEST or not set(sentence) <= set(string.printable):
        raise ValueError(f"a sentence has at most {LONGEST} printable ASCII characters")
    return sentence
