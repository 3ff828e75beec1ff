"""Runs Python written by a model where it can reach only the functions it is given.

The code runs in an interpreter of its own, in a process of its own, under quotas of time, memory
and calls. Only plain data crosses its border, copied and bounded. Errors of the code are values
with the line that caused them.
"""

from embodied.language.sandbox._running import Limits as Limits
from embodied.language.sandbox._running import SandboxResult as SandboxResult
from embodied.language.sandbox._running import SandboxStatus as SandboxStatus
from embodied.language.sandbox._running import run_sandboxed as run_sandboxed
