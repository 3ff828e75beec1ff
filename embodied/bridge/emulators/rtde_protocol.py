"""Universal Robots' Real-Time Data Exchange, version 2, as the controller speaks it.

After the manufacturer's "RTDE guide": a message is a big-endian ``uint16`` length, a type and a
payload; recipes name the variables of data packages, which are then packed without names.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

VERSION = 2

REQUEST_PROTOCOL_VERSION = ord("V")
GET_URCONTROL_VERSION = ord("v")
TEXT_MESSAGE = ord("M")
DATA_PACKAGE = ord("U")
SETUP_OUTPUTS = ord("O")
SETUP_INPUTS = ord("I")
START = ord("S")
PAUSE = ord("P")

NOT_FOUND = "NOT_FOUND"

_FORMATS = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT32": "I",
    "UINT64": "Q",
    "INT32": "i",
    "DOUBLE": "d",
    "VECTOR3D": "3d",
    "VECTOR6D": "6d",
    "VECTOR6INT32": "6i",
    "VECTOR6UINT32": "6I",
}

_VECTORS = (
    "target_q target_qd target_qdd target_current target_moment actual_q actual_qd actual_qdd"
    " actual_current actual_current_as_torque actual_moment joint_control_output actual_TCP_pose"
    " actual_TCP_speed actual_TCP_force target_TCP_pose target_TCP_speed joint_temperatures"
    " actual_joint_voltage ft_raw_wrench payload_inertia"
).split()
_DOUBLES = (
    "timestamp actual_execution_time speed_scaling target_speed_fraction actual_momentum"
    " actual_main_voltage actual_robot_voltage actual_robot_current payload time_scale_source"
    " standard_analog_input0 standard_analog_input1 standard_analog_output0"
    " standard_analog_output1 io_current tool_analog_input0 tool_analog_input1"
    " tool_output_current tool_temperature tcp_force_scalar"
).split()
_OUTPUTS = {
    **dict.fromkeys(_VECTORS, "VECTOR6D"),
    **dict.fromkeys(_DOUBLES, "DOUBLE"),
    "actual_digital_input_bits": "UINT64",
    "actual_digital_output_bits": "UINT64",
    "robot_mode": "INT32",
    "joint_mode": "VECTOR6INT32",
    "safety_mode": "INT32",
    "safety_status": "INT32",
    "actual_tool_accelerometer": "VECTOR3D",
    "payload_cog": "VECTOR3D",
    "elbow_position": "VECTOR3D",
    "elbow_velocity": "VECTOR3D",
    "runtime_state": "UINT32",
    "robot_status_bits": "UINT32",
    "safety_status_bits": "UINT32",
    "tool_mode": "UINT32",
    "tool_output_voltage": "INT32",
    "analog_io_types": "UINT32",
    "output_bit_registers0_to_31": "UINT32",
    "output_bit_registers32_to_63": "UINT32",
    **{f"output_int_register_{i}": "INT32" for i in range(48)},
    **{f"output_double_register_{i}": "DOUBLE" for i in range(48)},
}
_INPUTS = {
    "speed_slider_mask": "UINT32",
    "speed_slider_fraction": "DOUBLE",
    "standard_digital_output_mask": "UINT8",
    "standard_digital_output": "UINT8",
    "configurable_digital_output_mask": "UINT8",
    "configurable_digital_output": "UINT8",
    "tool_digital_output_mask": "UINT8",
    "tool_digital_output": "UINT8",
    "standard_analog_output_mask": "UINT8",
    "standard_analog_output_type": "UINT8",
    "standard_analog_output_0": "DOUBLE",
    "standard_analog_output_1": "DOUBLE",
    "input_bit_registers0_to_31": "UINT32",
    "input_bit_registers32_to_63": "UINT32",
    **{f"input_int_register_{i}": "INT32" for i in range(48)},
    **{f"input_double_register_{i}": "DOUBLE" for i in range(48)},
    "external_force_torque": "VECTOR6D",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The variables of one kind of data package.

    Attributes:
        number: Its number in data packages.
        names: Variables, in order.
        types: Their types; ``NOT_FOUND`` for unknown ones.
    """

    number: int
    names: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """All variables are known."""
        return NOT_FOUND not in self.types

    def reply(self) -> bytes:
        """Payload that answers a set-up request."""
        return bytes([self.number]) + ",".join(self.types).encode("ascii")

    def pack(self, values: Mapping[str, object]) -> bytes:
        """Payload of a data package; variables without a value are zero."""
        parts = [bytes([self.number])]
        for name, kind in zip(self.names, self.types, strict=True):
            form = ">" + _FORMATS[kind]
            value = values.get(name)
            if value is None:
                parts.append(bytes(struct.calcsize(form)))
            elif isinstance(value, (Sequence, np.ndarray)):
                parts.append(struct.pack(form, *value))
            else:
                parts.append(struct.pack(form, value))
        return b"".join(parts)

    def unpack(self, payload: bytes) -> dict[str, float | tuple[float, ...]]:
        """Values of a data package, without its first byte.

        Raises:
            ValueError: The payload has another length than the recipe.
        """
        values: dict[str, float | tuple[float, ...]] = {}
        offset = 0
        for name, kind in zip(self.names, self.types, strict=True):
            form = ">" + _FORMATS[kind]
            size = struct.calcsize(form)
            if offset + size > len(payload):
                raise ValueError(f"data package of recipe {self.number} is too short")
            fields = struct.unpack_from(form, payload, offset)
            values[name] = fields[0] if len(fields) == 1 else fields
            offset += size
        if offset != len(payload):
            raise ValueError(f"data package of recipe {self.number} is too long")
        return values


def output_recipe(number: int, names: Sequence[str]) -> Recipe:
    """The recipe of a client that wants to read ``names``."""
    return _recipe(number, names, _OUTPUTS)


def input_recipe(number: int, names: Sequence[str]) -> Recipe:
    """The recipe of a client that wants to write ``names``."""
    return _recipe(number, names, _INPUTS)


def _recipe(number: int, names: Sequence[str], known: Mapping[str, str]) -> Recipe:
    wanted = tuple(n for n in names if n)
    return Recipe(number=number, names=wanted, types=tuple(known.get(n, NOT_FOUND) for n in wanted))


def message(kind: int, payload: bytes) -> bytes:
    """Put a header in front of a payload."""
    return struct.pack(">HB", 3 + len(payload), kind) + payload
