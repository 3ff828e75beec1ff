"""Seeded generator of (scene, sentence, program) examples for the narrow offline model."""

from embodied.language.corpus.examples import Example as Example
from embodied.language.corpus.examples import generate as generate
