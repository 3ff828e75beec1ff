from __future__ import annotations

import os
import signal

import pytest

from embodied.errors import WorldError
from embodied.language.sandbox import Limits, SandboxStatus, run_sandboxed


def test_a_value_comes_out() -> None:
    result = run_sandboxed("print('hello')\n{'a': [1, 2.5, (None, True)]}")
    assert result.status is SandboxStatus.FINISHED
    assert result.value == {"a": [1, 2.5, (None, True)]}
    assert result.printed == "hello\n"
    assert result.error is None


def test_values_and_functions_go_in() -> None:
    calls: list[tuple[object, ...]] = []

    def move(name: str, *, to: list[float]) -> float:
        calls.append((name, to))
        return sum(to)

    code = "total = 0\nfor n in names: total += move(n, to=[1, 2])\ntotal"
    result = run_sandboxed(code, functions={"move": move}, values={"names": ["a", "b"]})
    assert result.value == 6
    assert calls == [("a", [1, 2]), ("b", [1, 2])]
    assert result.host_calls == 2


def test_what_comes_out_is_a_copy() -> None:
    result = run_sandboxed("x = [1]\n[x, x]")
    assert result.value[0] is not result.value[1]


def test_line_numbers_count_in_the_code_and_not_in_the_prelude() -> None:
    result = run_sandboxed("x = 1\ncheck(x)", prelude="def check(v):\n\n  raise ValueError('no')")
    assert result.status is SandboxStatus.RAISED
    assert result.error is not None
    assert result.error.where == "line 2"
    assert "ValueError: no" in result.error.problem


def test_a_value_error_of_a_host_function_is_raised_inside() -> None:
    def look(name: str) -> None:
        raise ValueError(f"no {name}, legal: cup")

    code = "try:\n  look('pear')\nexcept ValueError as e:\n  said = str(e)\nsaid"
    assert run_sandboxed(code, functions={"look": look}).value == "no pear, legal: cup"
    result = run_sandboxed("look('pear')", functions={"look": look})
    assert result.status is SandboxStatus.RAISED
    assert result.error is not None
    assert "legal: cup" in result.error.problem


def test_any_other_exception_comes_out() -> None:
    def broken() -> None:
        raise RuntimeError("a bug of the host")

    with pytest.raises(RuntimeError, match="a bug of the host"):
        run_sandboxed("broken()", functions={"broken": broken})


def test_what_is_no_python_never_runs() -> None:
    called: list[int] = []
    result = run_sandboxed("call(1)\nx = = 2", functions={"call": called.append})
    assert result.status is SandboxStatus.INVALID
    assert result.error is not None
    assert result.error.where == "line 2"
    assert called == []


def test_the_clock_and_the_dice_are_the_same_every_time() -> None:
    code = "import random\nfrom datetime import datetime\n(random.random(), str(datetime.now()))"
    assert run_sandboxed(code).value == run_sandboxed(code).value


def test_the_time_of_host_functions_is_not_counted() -> None:
    import time

    result = run_sandboxed(
        "wait()\n1", functions={"wait": lambda: time.sleep(0.3)}, limits=Limits(time_s=0.1)
    )
    assert result.value == 1


SWALLOWS = """
n = 0
while n < 100000:
  try:
    n += 1
    act(n)
  except BaseException:
    pass
try:
  act(-1)
except:
  act(-2)
finally:
  act(-3)
"""


@pytest.mark.parametrize(
    "raised", [KeyboardInterrupt, SystemExit, GeneratorExit, WorldError, RuntimeError, MemoryError]
)
def test_the_code_cannot_go_on_after_what_is_not_its_business(raised: type[BaseException]) -> None:
    acted: list[int] = []

    def act(n: int) -> None:
        acted.append(n)
        if n == 3:
            raise raised("stop")

    with pytest.raises(raised, match="stop"):
        run_sandboxed(SWALLOWS, functions={"act": act})
    assert acted == [1, 2, 3]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_an_action_ends_the_program(number: signal.Signals) -> None:
    acted: list[int] = []

    def act(n: int) -> None:
        acted.append(n)
        if n == 3:
            os.kill(os.getpid(), number)

    def terminated(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, terminated)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_sandboxed(SWALLOWS, functions={"act": act})
    finally:
        signal.signal(signal.SIGTERM, before)
    assert acted == [1, 2, 3]


@pytest.mark.parametrize(
    "code",
    [
        "take(['a' * 10_000_000] * 90_000)",
        "for _ in range(85): take('a' * 20_000_000)",
        "for _ in range(900): take('a' * 2_000)",
        "take(**{str(i): 'a' * 30_000 for i in range(50)})",
        "['a' * 1_000_000] * 2",
        "take(b'a' * 2_000_000)",
        "x = 'a' * 1000\nfor _ in range(20): x = [x, x]\ntake(x)",
    ],
)
def test_what_is_handed_over_is_counted(code: str) -> None:
    taken: list[object] = []
    result = run_sandboxed(code, functions={"take": lambda *a, **k: taken.append((a, k))})
    assert result.status is SandboxStatus.STOPPED
    assert result.error is not None and "more than 1048576 bytes" in result.error.problem
    assert len(repr(taken)) < 2_000_000


@pytest.mark.parametrize(
    "value",
    ["print", "lambda: 1", "int", "range(3)", "b'a'", "...", "1j", "ValueError('x')"]
    + ["cycle", "[1, [cycle]]", "Own", "Own()", "2 ** 300"],
)
def test_what_is_no_plain_data_is_refused(value: str) -> None:
    taken: list[object] = []
    head = "cycle = []\ncycle.append(cycle)\nclass Own:\n  pass\n"
    result = run_sandboxed(f"{head}take({value})", functions={"take": taken.append})
    assert result.status is SandboxStatus.RAISED and taken == []
    assert result.error is not None and "TypeError" in result.error.problem
