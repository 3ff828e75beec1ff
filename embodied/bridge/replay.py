"""Passes recorded periods through the filter again, also with other limits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bridge.filter import SafetyFilter
from embodied.bridge.messages import Acknowledgement, ArmMode, ArmState, Setpoint
from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.types import GripperState

Message = tuple[str, float, dict[str, Any]]
"""Topic, time in seconds, content."""


@dataclass(slots=True)
class Replayed:
    """How the recorded decisions compare with those of the replay.

    Attributes:
        periods: Recorded periods.
        same: Of them, those decided as recorded.
        recorded: Count of each recorded verdict.
        replayed: Count of each verdict now.
        reasons: Count of each reason given now.
        largest_difference_rad: Between set-points sent then and now, where both let one through.
        first_difference: What was the first to be decided differently, ``""`` if none.
    """

    periods: int = 0
    same: int = 0
    recorded: Counter[str] = field(default_factory=Counter[str])
    replayed: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    largest_difference_rad: float = 0.0
    first_difference: str = ""


def read_recording(path: Path) -> tuple[dict[str, str], list[Message]]:
    """Metadata and messages of a recording, in the order in which they were written.

    Raises:
        ConfigurationError: It is no recording of a bridge.
        EnvironmentMissingError: The package ``mcap`` is missing.
    """
    try:
        from mcap.exceptions import McapError
        from mcap.reader import make_reader
    except ImportError as error:
        raise EnvironmentMissingError(
            "recordings need the package mcap: pip install 'embodied-stack[bridge]'"
        ) from error
    try:
        with path.open("rb") as file:
            reader = make_reader(file)
            about: dict[str, str] = {}
            for record in reader.iter_metadata():
                if record.name == "embodied-bridge":
                    about = dict(record.metadata)
            found = [
                (message.sequence, channel.topic, message.log_time / 1e9, json.loads(message.data))
                for _, channel, message in reader.iter_messages()
            ]
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    except (McapError, ValueError) as error:
        raise ConfigurationError(f"{path} is no readable MCAP file: {error}") from error
    if not about:
        raise ConfigurationError(f"{path} holds no recording of a bridge")
    found.sort(key=lambda m: m[0])
    return about, [m[1:] for m in found]


def replay(messages: list[Message], safety: SafetyFilter) -> Replayed:
    """Put recorded states and proposals through a filter and compare the decisions."""
    result = Replayed()
    seen = Acknowledgement(operator="replay", statement="as recorded")
    state: ArmState | None = None
    proposal: Setpoint | None = None
    take_over: list[float] | None = None
    for topic, now, content in messages:
        if topic == "/bridge/event":
            event, details = content["event"], content["details"]
            if event == "enabled":
                safety.forget()
                take_over = details["q"]
            elif event == "planner-connected":
                safety.new_planner()
            elif event == "hold":
                safety.hold()
            elif event == "recovered":
                safety.recover(seen)
            elif event == "stop" and safety.latched is None:
                safety.latch_code(details["code"])
        elif topic == "/arm/state":
            state = _state(content)
        elif topic == "/bridge/proposal":
            proposal = _proposal(content, now)
        elif topic == "/bridge/decision" and state is not None:
            if take_over is not None:
                at_rest = replace(state, q=np.array(take_over), dq=np.zeros(len(take_over)))
                safety.start(at_rest)
                take_over = None
            _compare(result, content, safety, proposal, state, now)
            proposal = None
    return result


def _compare(
    result: Replayed,
    recorded: Mapping[str, Any],
    safety: SafetyFilter,
    proposal: Setpoint | None,
    state: ArmState,
    now: float,
) -> None:
    decision = safety.judge(proposal, state, now)
    verdict, was = decision.verdict.value, recorded["verdict"]
    result.periods += 1
    result.recorded[was] += 1
    result.replayed[verdict] += 1
    result.reasons.update(r.code for r in decision.reasons)
    if verdict == was:
        result.same += 1
        difference = float(np.max(np.abs(decision.q - np.array(recorded["q"]))))
        result.largest_difference_rad = max(result.largest_difference_rad, difference)
    elif not result.first_difference:
        why = "; ".join(map(str, decision.reasons)) or "nothing against it"
        result.first_difference = f"period {result.periods}: {was} then, {verdict} now ({why})"


def _state(content: Mapping[str, Any]) -> ArmState:
    mode, width = ArmMode(content["mode"]), content.get("gripper_width_m")
    return ArmState(
        sequence=content["sequence"],
        source_time_s=content["source_time_s"],
        receive_time_s=content.get("receive_time_s", 0.0),
        q=content["q"],
        dq=content["dq"],
        q_commanded=content["q_commanded"],
        dq_commanded=np.zeros(len(content["q"])),
        tau=content["tau"],
        mode=mode,
        protective_stop=mode is ArmMode.PROTECTIVE_STOP,
        emergency_stop=mode is ArmMode.EMERGENCY_STOP,
        gripper=None if width is None else GripperState(width_m=width),
    )


def _proposal(content: Mapping[str, Any], now: float) -> Setpoint:
    return Setpoint(
        sequence=content["sequence"],
        created_s=now - content["age_s"],
        q=np.array(content["q"], dtype=np.float64),
        gripper_width_m=content["gripper_width_m"],
        gripper_force_n=content["gripper_force_n"],
    )


def events(messages: list[Message]) -> Iterator[tuple[float, str, dict[str, Any]]]:
    """Time, name and details of the recorded events."""
    for topic, now, content in messages:
        if topic == "/bridge/event":
            yield now, content["event"], content["details"]
