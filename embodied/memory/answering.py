"""Answers to questions, in words: from what is believed and from what has happened.

``answer_question(sentence, belief)`` reads a question and answers it; nothing moves and nothing is
measured. ``ask(sentence, belief)`` gives the same answer with the names that are in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from embodied.memory.believing import Belief as Belief
from embodied.memory.believing import BelievedState as BelievedState
from embodied.memory.believing import answer as answer
from embodied.memory.questions import Question, read_question
from embodied.memory.speaking import Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer.

    Attributes:
        question: What was asked.
        words: Names of objects, or a word or number: ``("yes",)``, ``("2",)``; empty for nothing.
        text: A sentence.
    """

    question: Question
    words: tuple[str, ...]
    text: str


def answer_question(sentence: str, belief: Belief) -> str:
    """Answer a question in a sentence.

    Raises:
        NotUnderstoodError: It is no question that can be answered; the hint lists those that are.
    """
    return ask(sentence, belief).text


def ask(sentence: str, belief: Belief) -> Answer:
    """Answer a question; raises as ``answer_question`` does."""
    state = belief.state
    question = read_question(sentence, state.scene, state.told)
    words = answer(question, state, belief.history)
    return Answer(question=question, words=words, text=Speaker(belief).text(question, words))
