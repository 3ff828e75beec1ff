"""Seeded generator of (scene, sentence, program) examples for the narrow offline model."""

from embodied.training.corpus.examples import Example as Example
from embodied.training.corpus.examples import generate as generate
