"""Goals as people say them: synonyms, order, exceptions, corrections, references."""

from __future__ import annotations

import pytest

from embodied.app.reading import SentenceReader, as_json
from embodied.records import Record

SAID = """
blocks: get rid of the yellow block -> yellow block in bin
blocks: toss the green cube out -> green block in bin
blocks: pick up and place the red block on the tray -> red block on tray
blocks: grab and raise the green cube -> green block in the hand
blocks: make a pile with the blue block as the base and the red one on top of it \
-> red block on blue block
blocks: the orange block goes at the bottom, then red, then green on top \
-> red block on orange block, green block on red block
blocks: blue goes on the bottom, then yellow goes on it -> yellow block on blue block
blocks: Into the bin put the red block. -> red block in bin
blocks: I'd like the yellow and purple blocks resting on the tray, not stacked \
-> yellow block on tray, purple block on tray
blocks: put the red and the blue one in the trash can -> red block in bin, blue block in bin
blocks: put the red block in the bin | sorry, I meant the purple one -> purple block in bin
blocks: put the red block in the bin | and blue | put the rest on the tray \
-> green block on tray, yellow block on tray, orange block on tray, purple block on tray
blocks: put the green block on the tray | same for the orange block -> orange block on tray
blocks: put the red block in the bin | oops, that was wrong, take it back out \
-> red block not in bin
blocks: put the red block in the bin | put it back where it was -> red block on table
blocks: put the red block in the bin | undo that -> red block on table
blocks: put the yellow block in the bin | no wait, not the yellow one, the orange one \
-> orange block in bin
blocks: put the red block in the bin | that's wrong, it should go on the tray -> red block on tray
kitchen: put the cup on the plate | the red one -> red cup on plate
kitchen: put the cup on the shelf | I mean the blue one -> blue cup on shelf
kitchen: put the cup on the shelf | blue -> blue cup on shelf
kitchen: clear the plate | put the apple on it -> apple on plate
blocks: make a tower of red, green and blue | put the top one in the bin -> blue block in bin
blocks: make a tower of red, green and blue | take the bottom one and put it on the tray \
-> red block on tray
kitchen: put everything edible on the plate -> apple on plate, lime on plate
kitchen: put the food in the basket -> apple in basket, lime in basket
kitchen: put all the things you can eat in the bowl -> apple in bowl, lime in bowl
kitchen: throw out the soda -> soda can in basket
kitchen: put both mugs in the cupboard -> red cup on shelf, blue cup on shelf
kitchen: I'm finished with the apple, could you throw it away? -> apple in basket
kitchen: We're done with the sponge. Please put it in the drawer. -> sponge in drawer
kitchen: take the lime off the dish and set it on the counter -> lime on table
kitchen: put both cups on the shelf | put the blue one on the plate -> blue cup on plate
kitchen: put the apple in the bowl | also the lime | everything else goes in the basket \
-> red cup in basket, blue cup in basket, soda can in basket, sponge in basket
workshop: put the longer brick in the crate -> long brick in crate
workshop: put the smaller brick in the crate -> short brick in crate
workshop: put both bricks in the crate, the long one on top of the short one \
-> short brick in crate, long brick on short brick
workshop: the ball goes in the crate and the cylinder belongs in the drawer \
-> ball in crate, silver cylinder in drawer
workshop: put the ball in the crate | no, in the toolbox -> ball in toolbox
workshop: put the battery in the toolbox | do that with the ball as well -> ball in toolbox
""".replace("\\\n", "")

NOT_CERTAIN = """
blocks: put the block on the tray
kitchen: put the cup on the shelf
kitchen: put three cups on the shelf
kitchen: put the lid on the cup
workshop: put away the ball
workshop: put the screwdriver in the crate
blocks: put the red block on the floor lamp
blocks: everything else goes on the tray
kitchen: put it on the shelf
kitchen: take them and put them in the basket
kitchen: put the apple on top of the bowl
blocks: place the red block alongside the pink one
"""


def last(reader: SentenceReader, line: str) -> dict[str, object]:
    scene, said = line.split(": ", 1)
    record = Record({"scene": scene, "turns": [t.strip() for t in said.split("|")]})
    return as_json(reader.turns(record)[-1])


@pytest.mark.parametrize("line", SAID.strip().splitlines())
def test_what_is_said_is_what_is_read(reader: SentenceReader, line: str) -> None:
    said, expected = line.split(" -> ")
    found = last(reader, said)
    assert (found["kind"], found.get("words")) == ("act", expected.strip()), found


@pytest.mark.parametrize("line", NOT_CERTAIN.strip().splitlines())
def test_what_is_not_certain_does_not_act(reader: SentenceReader, line: str) -> None:
    found = last(reader, line)
    assert found["kind"] in ("ask", "refuse"), found
