from __future__ import annotations

import pytest

from embodied.language.offline.mentions import mentioned, mentions
from embodied.language.offline.scene_view import SceneView

from .conftest import thing


@pytest.fixture
def rakes() -> SceneView:
    return SceneView(
        things=(
            thing("blue-rake", "item", "rake", "blue"),
            thing("grey-rake", "item", "rake", "grey"),
            thing("rake", "item", "rake", "brown"),
            thing("blue-cup", "item", "cup", "blue"),
            thing("cup-2", "item", "cup", "red"),
            thing("p2", "item", "pot"),
            thing("bin", "container", "bin"),
        )
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("the blue rake", {"blue-rake"}),
        ("the brown rake", {"rake"}),
        ("the gray rake", {"grey-rake"}),
        ("the rake", {"blue-rake", "grey-rake", "rake"}),
        ("the blue one", {"blue-rake", "blue-cup"}),
        ("cup 2 in the bin", {"cup-2", "bin"}),
        ("p2", {"p2"}),
        ("p 2", {"p2"}),
        ("the blue cup -> cup 2", {"blue-cup", "cup-2"}),
        ("the rake that is blue", {"blue-rake"}),
        ("put the rake in grey in the bin", {"grey-rake", "bin"}),
        ("cup number one", {"blue-cup", "cup-2"}),
        ("the second cup", {"cup-2"}),
        ("cup number 2", {"cup-2"}),
        ("the blue colored rake", {"blue-rake"}),
        ("the blue and the grey rake", {"blue-rake", "blue-cup", "grey-rake"}),
        ("the blue + grey rakes", {"blue-rake", "blue-cup", "grey-rake"}),
        ("the blue grey rakes", {"blue-rake", "grey-rake"}),
        ("the green rake", {"blue-rake", "grey-rake", "rake"}),
        ("the bleu rakee", {"blue-rake"}),
        ("tidy up", set[str]()),
    ],
)
def test_what_a_text_may_mean(rakes: SceneView, text: str, names: set[str]) -> None:
    assert mentioned([text], rakes) == names


def test_mentions_come_in_the_order_of_the_text(rakes: SceneView) -> None:
    assert mentions("bin for the blue cup", rakes) == [{"bin"}, {"blue-cup"}]


def test_sizes_and_sides_have_other_words() -> None:
    scene = SceneView(
        things=(
            thing("small-cup", "item", "cup"),
            thing("large-cup", "item", "cup"),
            thing("left-jar", "item", "jar"),
            thing("right-jar", "item", "jar"),
        )
    )
    assert mentions("the big cup , the little cup", scene) == [{"large-cup"}, {"small-cup"}]
    assert mentions("the leftmost jar", scene) == [{"left-jar"}]
    assert mentions("the right-hand jar to the table", scene) == [{"right-jar"}]
    assert mentions("take the jar on the left, thanks", scene) == [{"left-jar"}]
