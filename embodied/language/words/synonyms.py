"""Everyday words for things: synonyms of a scene's own nouns, and words for kinds."""

from __future__ import annotations

SYNONYMS: tuple[frozenset[str], ...] = tuple(
    frozenset(w.replace("_", " ") for w in line.split())
    for line in (
        "bin trash garbage rubbish trash_can garbage_can rubbish_bin trash_bin garbage_bin dustbin "
        "waste_basket wastebasket waste_bin trashcan wastebin",
        "cup mug beaker",
        "block cube",
        "can tin",
        "plate dish saucer",
        "table counter desk tabletop countertop worktop bench workbench work_surface",
        "shelf ledge rack",
        "drawer",
        "cabinet cupboard closet",
        "basket hamper",
        "crate",
        "toolbox tool_box tool_chest tool_case toolchest",
        "sponge scrubber",
        "ball sphere orb",
        "cylinder",
        "battery cell battery_cell",
        "bottle flask",
        "jar pot",
        "lid cap cover top",
        "soda coke cola pop soft_drink beverage drink",
        "brick",
        "pen biro",
        "book",
        "phone mobile_phone cell_phone smartphone telephone",
        "couch sofa settee",
        "box carton",
        "bowl basin",
        "knife",
        "spoon",
        "fork",
        "towel cloth rag",
        "tray platter",
    )
)
"""Nouns that people use for each other; a scene's own nouns keep their own meaning."""

_FOOD = frozenset(
    "fruit apple lime lemon orange banana pear peach plum strawberry grape vegetable carrot tomato "
    "potato onion bread roll cake cookie biscuit cheese egg sandwich chips snack candy chocolate "
    "meat fish food cucumber pepper mango kiwi cherry".split()
)
_DRINK = frozenset(
    "soda coke cola juice milk water beer wine tea coffee lemonade can bottle".split()
)
KINDS: dict[str, frozenset[str]] = {
    "food": _FOOD,
    "snack": _FOOD,
    "produce": frozenset("fruit vegetable".split()),
    "drink": _DRINK,
    "beverage": _DRINK,
    "toy": frozenset("ball block cube doll car teddy puzzle brick".split()),
    "tool": frozenset("hammer screwdriver wrench pliers saw drill spanner".split()),
    "crockery": frozenset("cup mug plate bowl saucer glass".split()),
    "tableware": frozenset("cup mug plate bowl saucer glass fork knife spoon".split()),
    "cutlery": frozenset("fork knife spoon".split()),
    "stationery": frozenset("pen pencil eraser ruler book notebook".split()),
}
"""Words for kinds of things, and the nouns of these kinds."""

QUALITIES: dict[str, frozenset[str]] = {
    "edible": _FOOD,
    "eatable": _FOOD,
    "drinkable": _DRINK,
}
"""Adjectives that things of a kind have."""

COLOR_KINDS: dict[str, frozenset[str]] = {
    "warm": frozenset("red orange yellow pink gold golden".split()),
    "cool": frozenset("blue green purple cyan violet turquoise".split()),
    "cold": frozenset("blue green purple cyan violet turquoise".split()),
}
"""Words for kinds of colours."""

SHAPES: dict[str, frozenset[str]] = {
    "round": frozenset(("sphere", "cylinder")),
    "spherical": frozenset(("sphere",)),
    "cylindrical": frozenset(("cylinder",)),
}
"""Words for shapes of things."""

MASS_KINDS = frozenset("food produce crockery tableware cutlery stationery".split())
"""Words for kinds that speak of all there is without a plural."""
