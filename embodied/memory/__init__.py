"""What is believed about the world, where each belief comes from, and what was said about it."""

from embodied.memory.arithmetic import Linear as Linear
from embodied.memory.arithmetic import Quantities as Quantities
from embodied.memory.facts import Change as Change
from embodied.memory.facts import Contradiction as Contradiction
from embodied.memory.facts import Delta as Delta
from embodied.memory.facts import Fact as Fact
from embodied.memory.facts import Kind as Kind
from embodied.memory.facts import Op as Op
from embodied.memory.facts import Provenance as Provenance
from embodied.memory.facts import Value as Value
from embodied.memory.log import MEMORY_LOG as MEMORY_LOG
from embodied.memory.log import MemoryLog as MemoryLog
from embodied.memory.log import Sync as Sync
from embodied.memory.log import read_changes as read_changes
from embodied.memory.log import replay as replay
from embodied.memory.log import states as states
from embodied.memory.memory import Memory as Memory
from embodied.memory.state import SceneMemory as SceneMemory
from embodied.memory.vocabulary import Vocabulary as Vocabulary
from embodied.memory.vocabulary import inconsistencies as inconsistencies
from embodied.memory.writer import Decision as Decision
from embodied.memory.writer import Judgement as Judgement
from embodied.memory.writer import Writer as Writer
from embodied.memory.writer import Written as Written
