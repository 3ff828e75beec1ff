"""Runs Python written by a model where it can reach only the functions it is given."""

from embodied.language.sandbox._running import Limits as Limits
from embodied.language.sandbox._running import SandboxResult as SandboxResult
from embodied.language.sandbox._running import SandboxStatus as SandboxStatus
from embodied.language.sandbox._running import run_sandboxed as run_sandboxed
