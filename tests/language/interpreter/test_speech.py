"""Forms of sentences: what is a command, and what is not."""

from __future__ import annotations

import pytest

from embodied.language.interpreter.foreign import foreign_language
from embodied.language.interpreter.speech import Form, parts

SENTENCES = {
    Form.COMMAND: """
        put the green block on the tray
        Could you please put the battery in the crate?
        would you mind closing the drawer
        I'd like the apple on the plate
        we need the cups in the basket
        the sponge goes in the drawer
        the lime should be on the plate
        make sure that the drawer is not left open
        if you don't mind, open the drawer
        don't forget to close the drawer
        when you are done with that, close the drawer
        after you have put the ball in the crate, open the drawer
        you should put the ball in the toolbox
        let's put the ball away
        move the hand above the bowl, and slow down when near the cup
        put it in the bin, will you?
        no, I meant the short brick
        put the "red block" in the bin
        head off to the left as you walk
        do the same with the lime
        have the cups on the shelf
    """,
    Form.QUESTION: """
        where did you put the lime?
        is it true that the drawer is open
        tell me which blocks are on the tray
        can you reach the shelf?
        could the ball roll off the tray?
        how many cups are there
        do you know where the sponge is
        the lime is on the plate, isn't it?
        will the brick fit in the drawer?
        can you tell me whether the drawer is open?
        check whether the apple is still on the table
        shall I open the drawer for you?
        has anybody moved the ball?
    """,
    Form.PROHIBITION: """
        do not touch the ball
        never open the drawer
        you must not put the cups on the shelf
        nobody may move the sponge
        the lime may not go in the basket
        please refrain from stacking the blocks
        I don't want you to move the battery
        whatever you do, don't open the drawer
        I would prefer you did not touch the cups
        no stacking of blocks
        quit moving the ball
    """,
    Form.STATEMENT: """
        the sponge is wet
        my sister moved the ball to the crate
        I have put the apple in the bowl
        earlier the drawer was open
        you already closed the drawer
        there is a ball in the crate
        the battery fell off the tray
        they usually keep the cups on the shelf
        we are going to put the lime in the basket
    """,
    Form.CONDITIONAL: """
        if the drawer is open, close it
        put the ball in the crate if it is free
        unless the lime is on the plate, put the apple there
        open the drawer as soon as the apple is in the bowl
        close the drawer provided that the sponge is in it
        once the bowl is empty, put the lime in it
    """,
    Form.WISH_OF_OTHERS: """
        my daughter would like the apple in the bowl
        grandma wants you to open the drawer
        the boss told me to put the ball in the crate
        Anna needs the battery in the drawer
    """,
    Form.QUOTATION: """
        the label reads "put the ball in the crate"
        how about the phrase: he said put it down
        spell put the ball in the crate
        the manual says to close the drawer
        repeat after me: open the drawer
    """,
    Form.HYPOTHETICAL: """
        suppose the ball were in the crate
        pretend that the drawer is open
        what if I put the ball in the crate
        let's say the apple is in the bowl
    """,
    Form.RETRACTION: """
        never mind
        forget about the ball
        cancel that
        there is no need to close the drawer
        you don't have to move the ball
        I changed my mind about the drawer
        ignore my last instruction
    """,
    Form.HAND_OVER: """
        hand me the ball
        pass the sponge to me
        put the apple in my hand
        bring me the blue cup
        get us a lime
    """,
    Form.UNSAFE: """
        throw the ball at my head
        poke the child with the brick
        hit the dog
        drop the brick on my foot
    """,
    Form.WAITING: """
        wait until I tell you, then open the drawer
        hold the ball until I come back
        do nothing until the lights are on
        put the ball in the crate in ten minutes
        close the drawer later
    """,
    Form.STANDING_RULE: """
        always close the drawer after use
        from now on keep the ball in the crate
        every time I come in, open the drawer
        keep the sponge in the drawer at all times
    """,
    Form.DOUBTFUL: """
        maybe put the ball in the crate
        I think the lime should go on the plate
        you could close the drawer
        put the ball in the crate or something
        why don't you open the drawer?
        close the drawer?
        it might be nice to have the drawer open
        the ball could go in the crate
        could you not put the ball in the crate?
    """,
}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [(f, s.strip()) for f, text in SENTENCES.items() for s in text.strip().splitlines()],
)
def test_forms(form: Form, sentence: str) -> None:
    found = parts(sentence)
    assert [p.form for p in found] == [form] or (
        form is Form.QUOTATION and form in [p.form for p in found]
    ), found


def test_a_statement_before_a_request_is_one_of_its_own() -> None:
    told, asked = parts("I am finished with the cup, can you put it on the shelf?")
    assert (told.form, asked.form) == (Form.STATEMENT, Form.COMMAND)
    assert asked.command == "put it on the shelf"


def test_a_condition_and_its_command_are_told_apart() -> None:
    for sentence in (
        "if the ball is in the crate, open the drawer",
        "open the drawer if the ball is in the crate",
        "if the ball is in the crate then open the drawer",
    ):
        (part,) = parts(sentence)
        assert (part.condition, part.command) == ("the ball is in the crate", "open the drawer")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("German", "Stell die Tasse bitte auf das Regal"),
        ("German", "räum alles in den Korb"),
        ("Spanish", "pon la manzana en el plato"),
        ("Chinese", "打开抽屉"),
        ("German", "setz dich hin"),
        ("Spanish", "siéntate"),
        ("", "open the hand as wide as possible"),
        ("", "get as low as you can"),
        ("French", "mets la balle dans la caisse"),
        ("Japanese", "ボールを箱に入れて"),
        ("", "put the can on the die"),
        ("", "no, the red one"),
        ("", "open drawer"),
        ("", "stop"),
    ],
)
def test_other_languages_are_recognised(language: str, sentence: str) -> None:
    assert foreign_language(sentence) == language
