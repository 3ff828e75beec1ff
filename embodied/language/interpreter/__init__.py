"""What a sentence asks for, before any translator may move a robot."""

from embodied.language.interpreter.interpret import Interpreter as Interpreter
from embodied.language.interpreter.interpret import NotAnActError as NotAnActError
from embodied.language.interpreter.interpret import writer_of as writer_of
from embodied.language.interpreter.reading import Act as Act
from embodied.language.interpreter.reading import Answer as Answer
from embodied.language.interpreter.reading import Ask as Ask
from embodied.language.interpreter.reading import Reading as Reading
from embodied.language.interpreter.reading import Refuse as Refuse
from embodied.language.interpreter.reading import Tell as Tell
from embodied.language.interpreter.reading import kind_of as kind_of
