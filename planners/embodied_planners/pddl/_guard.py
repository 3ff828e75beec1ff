"""Start a program that dies with its parent and cannot take more memory than allowed.

Run as a script: ``python -I -S _guard.py PARENT_PID MEMORY_BYTES PROGRAM ARGUMENT...``. Asks the
kernel to end this process when the parent ends (Linux), sets the address-space limit, then becomes
the program. A separate script, because code between fork and exec is unsafe in a process with
threads.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Apply the limits and become the program."""
    parent, memory = int(sys.argv[1]), int(sys.argv[2])
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the planner's parent process is gone")
    if memory > 0:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.execv(sys.argv[3], sys.argv[3:])


if __name__ == "__main__":
    main()
