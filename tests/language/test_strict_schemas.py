"""What models are asked for is a strict schema, as hosted models' structured outputs demand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic_ai.providers.openai import OpenAIProvider

from embodied.language.pddl.scene_translator import ANSWER_SCHEMA
from embodied.language.records import record_schema
from embodied.language.reward import VOCABULARIES, json_schema
from embodied.language.value_map import json_schema as value_map_schema
from embodied.types import MapOperation
from embodied.world.scene import load_scene

SCHEMAS: dict[str, Any] = {
    "goals": ANSWER_SCHEMA,
    **{f"reward, {robot}": json_schema(words) for robot, words in VOCABULARIES.items()},
    **{
        f"value map, {scene}": value_map_schema(tuple(load_scene(scene).objects))
        for scene in ("blocks", "kitchen", "workshop")
    },
    "value map, nothing there": value_map_schema(()),
    "value map, 60 objects": value_map_schema(tuple(f"thing-{i}" for i in range(60))),
}


def parts(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from parts(value)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_a_strict_mode_takes_the_schema_as_it_is(schema: dict[str, Any]) -> None:
    profile = OpenAIProvider.model_profile("gpt-5")
    assert profile is not None
    transformer = profile.get("json_schema_transformer")
    assert transformer is not None
    asked = transformer(schema, strict=None)
    asked.walk()
    assert asked.is_strict_compatible
    strict = transformer(schema, strict=True).walk()
    for part in parts(strict):
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])
    plain = {key: value for key, value in schema.items() if key != "title"}
    assert strict == plain  # nothing had to be changed


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_it_keeps_to_the_limits_of_size(schema: dict[str, Any]) -> None:
    names = [n for part in parts(schema) for n in part.get("enum", ())]
    properties = sum(len(part["properties"]) for part in parts(schema) if "properties" in part)
    assert properties <= 5000 and len(names) <= 1000


def test_a_schema_cannot_differ_from_its_record() -> None:
    with pytest.raises(TypeError, match="map, region, value"):
        record_schema(MapOperation, map={}, region={})
