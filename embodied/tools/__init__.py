"""Tools by which a model or an agent drives a session: one set of definitions for all wires.

``definitions`` says what the tools are called and take, ``toolbox`` what they do, ``asked`` what
the person's sentence asks and whether it holds, ``driving`` lets a language model call them
(``--strategy tools``).
"""

from embodied.tools.asked import Asked as Asked
from embodied.tools.driving import ToolDriver as ToolDriver
from embodied.tools.open_program import OpenProgram as OpenProgram
from embodied.tools.open_program import OpenRoute as OpenRoute
from embodied.tools.open_program import OpenTranslator as OpenTranslator
from embodied.tools.toolbox import Toolbox as Toolbox
