# pyright: reportAttributeAccessIssue=false
"""Reward programs become running costs.

``J(t) = sum_i w_i norm_i(r_i(sensors; parameters))``. A robot gives a *view* class: from sensors
and states it computes named quantities lazily, vectorised over (N, T); its residual functions and
its scalar sensors are methods of the view. The same view reads the plan rollouts (N, T) and one
measurement (1, 1), so what is optimised and what is judged cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias

import mujoco
import numpy as np

from embodied.types import RewardCondition, RewardProgram, RewardStage, RewardTerm
from embodied_controllers.mpc.norms import NORMS, Array
from embodied_controllers.mpc.path import Path
from embodied_controllers.mpc.search_space import SearchSpace

Parameters: TypeAlias = Mapping[str, float | str]


class Layout:
    """Where the named sensors and joints of a model lie in its flat arrays."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self.model = model
        self.sensors = {
            model.sensor(i).name: slice(
                int(model.sensor_adr[i]), int(model.sensor_adr[i] + model.sensor_dim[i])
            )
            for i in range(model.nsensor)
        }
        self.qpos = {model.joint(i).name: 1 + int(model.jnt_qposadr[i]) for i in range(model.njnt)}
        """Index into a full physics state, which begins with the time."""
        self.qvel = {
            model.joint(i).name: 1 + model.nq + int(model.jnt_dofadr[i]) for i in range(model.njnt)
        }
        """The same for velocities."""


class View:
    """Named quantities over (N, T); base of the robots' views."""

    RESIDUALS: ClassVar[Mapping[str, str]] = {}
    """Term of the vocabulary -> method ``(parameters) -> residual (N, T, k)``."""
    SENSORS: ClassVar[Mapping[str, str]] = {}
    """Sensor of the vocabulary -> method ``(*arguments) -> value (N, T)``."""
    DERIVED: ClassVar[Mapping[str, tuple[float, str]]] = {}
    """Terms that ``completed`` adds: largest distance that counts as reached, and its unit."""

    SPEEDS: ClassVar[frozenset[str]] = frozenset()
    """Terms that are judged over the whole of a stage that follows a path."""

    def __init__(
        self, layout: Layout, time: Array, states: Array, sensors: Array, path: Path | None = None
    ) -> None:
        self.layout, self.time, self.states, self.data = layout, time, states, sensors
        self.path = path

    @classmethod
    def goes_on(cls, stage: RewardStage) -> bool:
        """Whether a stage is a motion that goes on, not something to be reached."""
        del stage
        return False

    @classmethod
    def completed(cls, stage: RewardStage) -> RewardStage:
        """The stage with the terms that follow from its own; none unless a robot says so."""
        return stage

    @classmethod
    def path_of(cls, stage: RewardStage, layout: Layout, state: Array) -> Path | None:
        """The path of a stage that begins in a full physics state (nstate,), if it has one."""
        del stage, layout, state
        return None

    @classmethod
    def waiting(cls, path: Path, layout: Layout, state: Array) -> Path:
        """The path, waiting for a robot in a full physics state (nstate,)."""
        del layout, state
        return path

    @classmethod
    def search_space(cls, stage: RewardStage, layout: Layout) -> SearchSpace | None:
        """What to search in; None for the controls themselves."""
        del stage, layout
        return None

    def numbers(self) -> dict[str, float]:
        """What to tell of a recorded stage (1, T) that follows a path, by name, SI units."""
        return {}

    def sensor(self, name: str) -> Array:
        """Sensor data (N, T, dim) by name."""
        return self.data[:, :, self.layout.sensors[name]]

    def joint(self, name: str) -> Array:
        """Position of a scalar joint (N, T)."""
        return self.states[:, :, self.layout.qpos[name]]

    def residual(self, term: RewardTerm) -> Array:
        """Residual (N, T, k) of a term."""
        method: Callable[[Parameters], Array] = getattr(self, self.RESIDUALS[term.name])
        return method(term.parameters)

    def value(self, sensor: str, arguments: tuple[str, ...] = ()) -> Array:
        """Value (N, T) of a scalar sensor."""
        method: Callable[..., Array] = getattr(self, self.SENSORS[sensor])
        return method(*arguments)


class StageCost:
    """The running cost of one stage on one model; a ``RunningCost``.

    Attributes:
        stage: Its terms, with those that follow from them (``View.completed``).
        path: The path that it follows, once it has begun and if it has one.
    """

    def __init__(
        self, stage: RewardStage, view: type[View], layout: Layout, path: Path | None = None
    ) -> None:
        self.stage, self.view, self.layout = view.completed(stage), view, layout
        unknown = [t.name for t in self.stage.terms if t.name not in view.RESIDUALS]
        if unknown:
            raise ValueError(
                f"no residual for {', '.join(unknown)}, legal: {', '.join(view.RESIDUALS)}"
            )
        self.path = path
        self._active = tuple(t for t in self.stage.terms if t.weight > 0)

    def started(self, state: Array) -> StageCost:
        """The cost of a stage that begins in a full physics state (nstate,)."""
        return self._with(self.view.path_of(self.stage, self.layout, state))

    def followed(self, state: Array) -> StageCost:
        """The cost with its path started, or waiting for the robot."""
        if self.path is None:
            return self.started(state)
        return self._with(self.view.waiting(self.path, self.layout, state))

    def reset(self) -> StageCost:
        """The cost of a stage that has not begun."""
        return self._with(None)

    def _with(self, path: Path | None) -> StageCost:
        return self if path is self.path else StageCost(self.stage, self.view, self.layout, path)

    def __call__(self, time: Array, states: Array, sensors: Array) -> Array:
        """Running cost (N, T)."""
        view = self.view(self.layout, time, states, sensors, self.path)
        total = np.zeros(states.shape[:2])
        for term in self._active:
            total += term.weight * NORMS[term.norm](view.residual(term))
        return total

    def by_term(self, time: Array, states: Array, sensors: Array) -> Array:
        """Mean cost of every term of the stage, (n_terms,), weights included."""
        view = self.view(self.layout, time, states, sensors, self.path)
        return np.array(
            [float(np.mean(t.weight * NORMS[t.norm](view.residual(t)))) for t in self.stage.terms]
        )


def condition_holds(condition: RewardCondition, view: View, stage_time: float) -> bool:
    """Whether a condition holds in a single measurement (view of shape (1, 1))."""
    if condition.sensor == "stage_time":
        value = stage_time
    else:
        value = float(view.value(condition.sensor, condition.arguments)[0, 0])
    return value >= condition.value if condition.op == ">=" else value <= condition.value


def term_label(term: RewardTerm) -> str:
    """Short name of a term for traces, e.g. ``"foot_lift front_left 0.1"``."""
    parts = [
        f"{v:.3g}" if isinstance(v, (int, float)) else str(v) for v in term.parameters.values()
    ]
    return " ".join([term.name, *parts])


def stage_costs(program: RewardProgram, view: type[View], layout: Layout) -> tuple[StageCost, ...]:
    """One running cost per stage."""
    return tuple(StageCost(stage, view, layout) for stage in program.stages)
