"""Attacks on the sandbox: each is stopped within its limits and the process lives on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from embodied.errors import WorldError
from embodied.language.sandbox import Limits, SandboxStatus, run_sandboxed

SECRET = "the-canary-sings-at-dawn"
TIGHT = Limits(time_s=0.15, memory_bytes=16 << 20, recursion=60, host_calls=50, printed_bytes=2000)

RAISED, STOPPED, INVALID = SandboxStatus.RAISED, SandboxStatus.STOPPED, SandboxStatus.INVALID

ATTACKS: dict[str, tuple[str, tuple[SandboxStatus, ...]]] = {
    # imports
    "import subprocess": ("import subprocess", (RAISED,)),
    "import socket": ("import socket\nsocket.socket()", (RAISED,)),
    "import ctypes": ("import ctypes\nctypes.CDLL(None)", (RAISED,)),
    "import builtins": ("import builtins\nbuiltins.open(PATH)", (RAISED,)),
    "import importlib": ("import importlib\nimportlib.import_module('os')", (RAISED,)),
    "import embodied": ("import embodied\nembodied", (RAISED,)),
    "import numpy": ("import numpy as np\nnp.load(PATH)", (RAISED,)),
    "os.system": ("import os\nos.system('touch ' + PATH)", (RAISED,)),
    "os.environ": ("import os\nos.environ['CANARY']", (RAISED,)),
    "os.getenv": ("import os\nassert os.getenv('CANARY') == None\n1/0", (RAISED,)),
    "os.remove": ("import os\nos.remove(PATH)", (RAISED,)),
    "os.listdir": ("import os\nos.listdir('/')", (RAISED,)),
    "sys.modules": ("import sys\nsys.modules['os']", (RAISED,)),
    "sys.exit": ("import sys\nsys.exit(3)", (RAISED,)),
    "dunder import": ("__import__('os').getcwd()", (RAISED,)),
    "dunder import through builtins": ("__builtins__['__import__']('os')", (RAISED,)),
    # files
    "open to read": ("open(PATH).read()", (RAISED,)),
    "open to write": ("open(PATH, 'w').write('gone')", (RAISED,)),
    "pathlib to read": ("from pathlib import Path\nPath(PATH).read_text()", (RAISED,)),
    "pathlib to delete": ("from pathlib import Path\nPath(PATH).unlink()", (RAISED,)),
    "proc environment": ("open('/proc/self/environ').read()", (RAISED,)),
    # attribute chains
    "class bases": ("().__class__.__bases__[0].__subclasses__()", (RAISED,)),
    "mro": ("''.__class__.__mro__[1].__subclasses__()", (RAISED,)),
    "type of a type": ("type(type(1)).__subclasses__(type)", (RAISED,)),
    "globals of a host function": ("host.__globals__['os']", (RAISED,)),
    "code of a host function": ("host.__code__.co_consts", (RAISED,)),
    "closure of a host function": ("host.__closure__[0].cell_contents", (RAISED,)),
    "self of a bound method": ("[].append.__self__", (RAISED,)),
    "globals of a lambda": ("(lambda: 0).__globals__", (RAISED,)),
    "getattr by text": ("getattr(host, '__glo' + 'bals__')", (RAISED,)),
    "getattr of a name built from characters": (
        "getattr((), ''.join([chr(95)] * 2 + list('class') + [chr(95)] * 2))",
        (RAISED,),
    ),
    "setattr on a builtin": ("setattr(len, 'x', 1)", (RAISED,)),
    "overwriting a builtin method": ("str.join = host", (RAISED,)),
    # format tricks
    "format to class": ("'{0.__class__.__mro__}'.format(host)", (RAISED,)),
    "format to globals": ("'{0.__globals__}'.format(host)", (RAISED,)),
    "percent width": ("'%1000000000d' % 1", (STOPPED, RAISED)),
    "format width": ("f'{1:>1000000000}'", (STOPPED, RAISED)),
    # frames and tracebacks
    "traceback frame": (
        "try:\n  1/0\nexcept Exception as e:\n  e.__traceback__.tb_frame.f_back.f_globals",
        (RAISED,),
    ),
    "sys._getframe": ("import sys\nsys._getframe(1).f_globals", (RAISED,)),
    "generator frame": ("(x for x in [1]).gi_frame.f_back", (RAISED, INVALID)),
    "inspect": ("import inspect\ninspect.stack()", (RAISED,)),
    # nested evaluation
    "eval of an import": ("eval(\"__import__('os')\")", (RAISED,)),
    "exec of an import": ("exec('import subprocess')", (RAISED,)),
    "eval with own builtins": (
        "eval('open(p)', {'__builtins__': {}, 'p': PATH})",
        (RAISED,),
    ),
    "compile": ("compile('1', 'x', 'exec')\nopen(PATH)", (RAISED,)),
    "exec bomb": ("s = 'exec(s)'\nexec(s)", (RAISED, STOPPED)),
    # time
    "endless loop": ("while True: pass", (STOPPED,)),
    "endless loop that catches everything": (
        "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
        (STOPPED,),
    ),
    "endless for": ("n = [0]\nfor x in n: n.append(x)", (STOPPED,)),
    "power tower": ("9 ** 9 ** 9", (STOPPED, RAISED)),
    "large multiplication": ("x = 7 ** 200000\nwhile True: x = x * x", (STOPPED, RAISED)),
    "regular expression": (
        "import re\nre.match('(a|a)+$', 'a' * 64 + 'b')\nwhile 1: pass",
        (STOPPED,),
    ),
    "sleep": ("import time\nfor i in range(10**9): time.sleep(1000)", (STOPPED,)),
    "sorting": ("x = list(range(300000))\nwhile True: sorted(x, key=lambda v: -v)", (STOPPED,)),
    # memory
    "list bomb": ("x = [0] * 10 ** 9", (STOPPED,)),
    "string bomb": ("x = 'a'\nwhile True: x = x + x", (STOPPED,)),
    "dictionary bomb": ("d = {}\nfor i in range(10 ** 9): d[i] = [i]", (STOPPED,)),
    "bytes bomb": ("bytes(10 ** 10)", (STOPPED, RAISED)),
    "range to list": ("list(range(10 ** 12))", (STOPPED,)),
    "replace bomb": ("('a' * 10 ** 5).replace('a', 'b' * 10 ** 5)", (STOPPED,)),
    "laughs in the value": (
        "x = [0] * 100\nfor i in range(9): x = [x] * 100\nx",
        (STOPPED,),
    ),
    "laughs in an argument": (
        "x = [0] * 100\nfor i in range(9): x = [x] * 100\nhost(x)",
        (STOPPED,),
    ),
    # recursion
    "recursion": ("def f(n): return f(n + 1)\nf(0)", (STOPPED,)),
    "mutual recursion": ("def f(): return g()\ndef g(): return f()\nf()", (STOPPED,)),
    "recursion in repr": (
        "class A:\n  def __repr__(self): return repr(self)\nrepr(A())",
        (STOPPED, RAISED),
    ),
    "nested brackets": ("(" * 5000 + ")" * 5000, (INVALID, STOPPED)),
    "nested data": ("x = []\nfor i in range(5000): x = [x]\nx", (RAISED, STOPPED)),
    # callbacks
    "callback flood": ("for i in range(10 ** 6): host(i)", (STOPPED,)),
    "callback flood that catches everything": (
        "while True:\n  try: host(1)\n  except BaseException: pass",
        (STOPPED,),
    ),
    "name flood": ("while True:\n  try: nobody\n  except NameError: pass", (STOPPED,)),
    "callback with an object": ("class A: pass\nhost(A())", (RAISED,)),
    "callback with a function": ("host(lambda: 0)", (RAISED, SandboxStatus.FINISHED)),
    "a host function under another name": ("run_sandboxed('1')", (RAISED,)),
    "print flood": ("while True: print('x' * 1000)", (STOPPED,)),
    # text
    "code too long": ("x = 1\n" * 20000, (STOPPED,)),
    "null bytes": ("x = 1\0", (INVALID, RAISED)),
    "lone surrogate": ("'\ud800'", (INVALID, RAISED)),
}


def test_there_are_at_least_forty() -> None:
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_stopped(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text(SECRET)
    monkeypatch.setenv("CANARY", SECRET)
    here = os.getcwd()
    heard: list[object] = []
    code, expected = ATTACKS[name]
    result = run_sandboxed(
        code, functions={"host": heard.append}, values={"PATH": str(canary)}, limits=TIGHT
    )
    assert result.status in expected, result
    assert SECRET not in repr(result) + repr(heard) + capfd.readouterr().out
    assert canary.read_text() == SECRET
    assert sorted(p.name for p in tmp_path.iterdir()) == ["canary.txt"]
    assert os.getcwd() == here
    assert len(heard) <= TIGHT.host_calls
    assert len(result.printed) <= TIGHT.printed_bytes
    if result.status is not SandboxStatus.FINISHED:
        assert result.error is not None
        assert result.value is None


def test_after_an_attack_the_next_run_knows_nothing_of_it() -> None:
    run_sandboxed("len = 5\nsecret = 1", limits=TIGHT)
    result = run_sandboxed("secret")
    assert result.status is RAISED
    assert run_sandboxed("len([1, 2])").value == 2


def test_what_a_host_function_raises_cannot_be_swallowed() -> None:
    def fail() -> None:
        raise WorldError("the arm is gone")

    calls: list[int] = []
    code = "while True:\n  try:\n    fail()\n  except BaseException: pass\n  more(1)"
    with pytest.raises(WorldError, match="the arm is gone"):
        run_sandboxed(code, functions={"fail": fail, "more": calls.append}, limits=TIGHT)
    assert calls == []
