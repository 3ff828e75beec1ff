"""Real arms behind a supervisor process: safety filter, watchdog, drivers.

Not a certified safety function: see docs/bridge.md.
"""
