"""A sentence in, verified robot motion out.

Importing this package pulls in numpy alone; simulators, planners and model clients are imported by
the modules that need them.
"""

__version__ = "0.1.0"
