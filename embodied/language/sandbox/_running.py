"""Runs code in pydantic-monty: an interpreter of its own, in a process of its own.

The code sees no files, no network, no clock and no host object: only its own values, plain data
that it is given, and host functions that it may call. Numbers, strings, lists, tuples, dictionaries
and sets cross the border, as fresh copies of bounded size; nothing else does, but a host function
that is handed over arrives as the text of its name.
"""

from __future__ import annotations

import datetime
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from embodied.errors import Diagnostic, EmbodiedError, EnvironmentMissingError
from embodied.language.sandbox._plain import plain, size_of

if TYPE_CHECKING:
    from pydantic_monty import ExternalException, ExternalReturnValue

_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_PROCESS_BYTES = 512 << 20
"""Address space of the interpreter's process beside its heap."""

_PASSED_IN = (ValueError, TypeError, LookupError, ArithmeticError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Quotas of one run.

    Attributes:
        time_s: Time that the interpreter may compute; the time of host functions is not counted.
        memory_bytes: Heap of the interpreter.
        recursion: Depth of nested calls.
        host_calls: Calls of host functions, together with look-ups of names that the code does not
            define itself.
        printed_bytes: Text that the code may print.
        code_bytes: Length of the code.
        passed_bytes: Arguments of host functions and the value, all together.
    """

    time_s: float = 1.0
    memory_bytes: int = 64 << 20
    recursion: int = 100
    host_calls: int = 1000
    printed_bytes: int = 64 << 10
    code_bytes: int = 64 << 10
    passed_bytes: int = 1 << 20


class SandboxStatus(Enum):
    """How a run ended."""

    FINISHED = "finished"
    INVALID = "invalid"
    """The code is no Python that the interpreter knows; nothing ran."""
    RAISED = "raised"
    """An exception of the code's own came out of it."""
    STOPPED = "stopped"
    """A quota was used up."""
    CRASHED = "crashed"
    """The interpreter's process died; this one did not notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxResult:
    """What came of a run.

    Attributes:
        status: How it ended.
        value: Value of the last expression, as plain data; None if there is none.
        printed: What the code printed.
        host_calls: Calls of host functions.
        error: What went wrong; None when it finished.
        wall_s: Wall time of the run, host functions included.
    """

    status: SandboxStatus
    value: Any = None
    printed: str = ""
    host_calls: int = 0
    error: Diagnostic | None = None
    wall_s: float = 0.0


class _StoppedError(Exception):
    """A quota of ours is used up."""


@dataclass(slots=True)
class _Border:
    """What crosses between the code and the host: counted, checked and copied."""

    functions: Mapping[str, Callable[..., Any]]
    quotas: Limits
    calls: int = 0
    passed: int = 0

    def call(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> ExternalReturnValue | ExternalException:
        """Answer a call of the code's; what is not its own business is raised."""
        if self.calls >= self.quotas.host_calls:
            raise _StoppedError(f"host call limit {self.quotas.host_calls} exceeded")
        if name not in self.functions:
            return {"exception": NameError(f"name {name!r} is not defined")}
        self.calls += 1
        try:
            return {"return_value": self.functions[name](*self.taken(args), **self.taken(kwargs))}
        except EmbodiedError:
            raise
        except _PASSED_IN as error:
            return {"exception": error}

    def taken(self, value: Any) -> Any:
        """A copy of what the code hands over; raises TypeError and ``_StoppedError``."""
        self.passed += size_of(value, self.quotas.passed_bytes)
        if self.passed > self.quotas.passed_bytes:
            limit = self.quotas.passed_bytes
            raise _StoppedError(f"it handed over more than {limit} bytes")
        return plain(value)


def run_sandboxed(
    code: str,
    *,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    values: Mapping[str, Any] | None = None,
    prelude: str = "",
    limits: Limits | None = None,
) -> SandboxResult:
    """Run code that nobody has to trust.

    Args:
        code: Python: functions, classes without inheritance, no ``yield``, no third-party modules.
        functions: Host functions by the names under which the code calls them, with positional and
            keyword arguments of plain data. A ValueError, TypeError, LookupError or ArithmeticError
            of theirs is raised inside, where the code may catch it; any other exception, Ctrl-C
            included, never gets inside: the interpreter is left, and it comes out of this function.
            They cannot be called from within the code's own dunder methods.
        values: Plain data by the names under which the code reads them.
        prelude: Trusted Python that runs before the code, in the same interpreter and names.
        limits: Quotas; ``Limits()`` if None.

    Returns:
        How it ended. Errors of the code are values: its line numbers count from 1 in ``code``.

    Raises:
        EnvironmentMissingError: The interpreter is not installed.
        Exception: What a host function raised, see there.
    """
    quotas = limits or Limits()
    begin = time.perf_counter()
    size = len(code.encode("utf-8", errors="replace"))
    if size > quotas.code_bytes:
        error = Diagnostic(
            where="code", problem=f"it is {size} bytes long", hint=f"at most {quotas.code_bytes}"
        )
        return SandboxResult(status=SandboxStatus.STOPPED, error=error)
    border = _Border(functions or {}, quotas)
    status, value, printed, error = _run(code, border, values, prelude)
    return SandboxResult(
        status=status,
        value=value,
        printed=printed,
        host_calls=border.calls,
        error=error,
        wall_s=time.perf_counter() - begin,
    )


def _run(
    code: str, border: _Border, values: Mapping[str, Any] | None, prelude: str
) -> tuple[SandboxStatus, Any, str, Diagnostic | None]:
    try:
        import pydantic_monty as monty
    except ImportError as error:
        raise EnvironmentMissingError(
            "the sandbox needs the package pydantic-monty: pip install 'pydantic-monty>=1.4'"
        ) from error
    quotas = border.quotas
    output = monty.CollectString(quotas.printed_bytes)
    pool = monty.Monty(
        min_processes=1, max_processes=1, request_timeout=max(5.0, 4 * quotas.time_s)
    )
    lookup = dict(border.functions)
    with (
        pool,
        pool.checkout(
            limits={
                "max_feed_duration_secs": quotas.time_s,
                "max_memory": quotas.memory_bytes,
                "max_recursion_depth": quotas.recursion,
                # a call may look its name up first
                "max_suspensions": 2 * quotas.host_calls + 100,
                "max_total_sleep_secs": 0.0,
            },
            os_policy={"datetime": _EPOCH, "sleep": "zero", "random_start": {"seed": 0}},
        ) as session,
    ):
        feeds = 0
        pid = session.worker_pid
        if pid is not None:  # what is handed over is packed there, outside the heap's quota
            room = _PROCESS_BYTES + 4 * quotas.memory_bytes
            resource.prlimit(pid, resource.RLIMIT_AS, (room, room))
        try:
            if prelude:
                session.feed_run(prelude, inputs=dict(values or {}), external_lookup=lookup)
                feeds, values = 1, None
            step = session.feed_start(
                code,
                inputs=dict(values or {}),
                external_lookup=lookup,
                print_callback=output,
            )
            while not isinstance(step, monty.MontyComplete):
                if isinstance(step, monty.FunctionSnapshot) and not step.is_os_function:
                    step = step.resume(border.call(step.function_name, step.args, step.kwargs))
                else:
                    step = step.resume_auto()
        except _StoppedError as error:
            return SandboxStatus.STOPPED, None, output.output, _diagnostic(str(error), [])
        except monty.MontySyntaxError as error:
            lines = [f.line for f in error.traceback()]
            return SandboxStatus.INVALID, None, output.output, _diagnostic(str(error), lines)
        except monty.MontyRuntimeError as error:
            mine = f"<python-input-{feeds}>"
            lines = [f.line for f in error.traceback() if f.filename == mine]
            text = str(error)
            status = SandboxStatus.STOPPED if _is_quota(text) else SandboxStatus.RAISED
            if text.startswith("NotImplementedError: The monty syntax parser"):
                status = SandboxStatus.INVALID
            return status, None, output.output, _diagnostic(text, lines)
        except monty.MontyConversionError as error:
            return SandboxStatus.RAISED, None, output.output, _diagnostic(str(error), [])
        except monty.MontyCrashedError as error:
            # one long operation is not interrupted from within: its process is killed instead
            status = SandboxStatus.STOPPED if error.timed_out else SandboxStatus.CRASHED
            return status, None, output.output, _diagnostic(str(error), [])
        try:
            return SandboxStatus.FINISHED, border.taken(step.output), output.output, None
        except _StoppedError as error:
            return SandboxStatus.STOPPED, None, output.output, _diagnostic(str(error), [])
        except TypeError as error:
            return SandboxStatus.RAISED, None, output.output, _diagnostic(f"the value: {error}", [])


_QUOTAS = (
    "memory limit exceeded",
    "time limit exceeded",
    "suspension limit",
    "sleep limit",
    "maximum recursion depth exceeded",
)


def _is_quota(text: str) -> bool:
    head = text.split("\n", 1)[0]
    return head.startswith("MemoryError") or any(q in head for q in _QUOTAS)


def _diagnostic(text: str, lines: list[int]) -> Diagnostic:
    where = f"line {lines[-1]}" if lines else "code"
    return Diagnostic(where=where, problem=text.strip()[:600])
