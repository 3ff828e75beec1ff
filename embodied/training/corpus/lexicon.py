# ruff: noqa: E501 - templates are read as whole lines
"""Things that scenes are made of: nouns with what else people call them, colours, places.

``TRAIN`` and ``HELD_OUT`` share colours and the most general words only; the held-out split asks
about nouns that training never saw.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Nouns by theme.

    Attributes:
        items: For each theme nouns of movable things, each ``noun`` or ``noun=alias=alias``.
        containers: Nouns of things to put into.
        surfaces: Nouns of places to put onto.
        drawers: First words of drawers' names, ``""`` for a plain drawer.
        absent: Nouns that no scene has.
    """

    items: dict[str, tuple[str, ...]]
    containers: tuple[str, ...]
    surfaces: tuple[str, ...]
    drawers: tuple[str, ...]
    absent: tuple[str, ...]


COLORS = tuple(
    "red green blue yellow orange purple pink cyan brown white grey black silver wooden".split()
)

GENERIC = ("block=cube=brick", "cube=block", "ball=sphere", "box", "cylinder=can", "peg", "disc")

TRAIN = Lexicon(
    items={
        "blocks": GENERIC,
        "kitchen": tuple(
            "cup=mug mug=cup plate=dish spoon fork knife apple banana orange lemon pear tomato can=tin"
            " bottle glass pan pot whisk ladle saucer teapot jar egg onion carrot potato".split()
        ),
        "workshop": tuple(
            "hammer screwdriver=driver wrench=spanner pliers drill saw bolt screw nut=hexnut washer"
            " gear tape file clamp chisel battery spring bracket sensor motor ruler".split()
        ),
        "office": tuple(
            "pen pencil marker eraser=rubber stapler notebook=notepad book folder envelope scissors"
            " calculator mouse keyboard phone=mobile clip stamp card cable ruler".split()
        ),
        "toys": tuple(
            "doll robot truck train puzzle dinosaur=dino bear=teddy ball duck boat plane drum dice"
            " figure horse ring car=toy kite puppet marble".split()
        ),
        "shop": tuple(
            "packet bag carton tin juice cereal cookie=biscuit chocolate candy soap shampoo sponge"
            " toothpaste brush tissue candle lamp bulb".split()
        ),
        "lab": tuple(
            "flask tube sample pipe filter magnet lens prism coil chip board weight probe vial".split()
        ),
    },
    containers=tuple(
        "bin=basket=trash box=crate basket bowl bucket=pail crate toolbox tray tub=container bag jar"
        " case rack holder chest hamper".split()
    ),
    surfaces=tuple(
        "table=desk counter shelf bench=workbench desk mat=pad tray board stand".split()
    ),
    drawers=("", "", "", "top", "bottom", "left", "right", "kitchen", "tool", "parts"),
    absent=tuple(
        "elephant violin bicycle tractor helicopter piano lobster ladder umbrella guitar hat shoe"
        " pizza laptop rocket castle coin banknote skateboard melon pumpkin statue wallet trophy"
        " hedgehog saxophone pillow broom kettle cactus dagger ruby".split()
    ),
)

HELD_OUT = Lexicon(
    items={
        "blocks": ("block=cube", "cone", "slab", "wedge", "tile"),
        "kitchen": tuple(
            "tongs grater mango peach kiwi thermos pepper garlic spatula goblet".split()
        ),
        "workshop": tuple("rivet hook ratchet mallet anvil hinge lever pulley gasket".split()),
        "office": tuple("binder crayon badge router modem headset charger label".split()),
        "toys": tuple("yoyo whistle penguin tiger rattle wagon zebra unicorn".split()),
        "garden": tuple("trowel seed tulip glove rake hose acorn pebble".split()),
    },
    containers=tuple("hopper pouch vat cooler locker chute".split()),
    surfaces=tuple("platform ledge pedestal table worktop".split()),
    drawers=("", "", "upper", "lower", "cutlery", "sock"),
    absent=tuple("walrus trombone canoe dragon carpet goat igloo scarf lantern trumpet".split()),
)
