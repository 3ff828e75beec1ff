"""What is believed about the world, and the conversation about it."""

from embodied.memory.state import SceneMemory as SceneMemory
