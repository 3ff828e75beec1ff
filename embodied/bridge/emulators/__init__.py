"""Emulated controllers: they speak vendors' protocols, so that vendors' clients move them.

An emulator is what stands at the other end of a driver's wire when no robot does: a UR controller
(``universal_robots``), or a chain of serial servos (``servo_bus``). What it moves is a ``Plant``:
joints with rate limits, or an arm in a simulator. Emulators run in processes of their own:

    python -m embodied.bridge.emulators universal-robots --host 127.0.0.1

They are test equipment. That a driver moves its emulator shows that the driver speaks the protocol;
it does not show what a real arm does.
"""
