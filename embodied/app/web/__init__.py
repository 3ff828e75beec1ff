"""The console in the browser: viser behind a guard, driving ``embodied.app.serving``."""
