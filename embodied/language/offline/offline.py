"""The offline translator as the application uses it: rules at once, the model when it is there."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from embodied.errors import ConfigurationError, Diagnostic, EmbodiedError, NotUnderstoodError
from embodied.language.offline.scene_view import SceneView, Thing
from embodied.language.offline.translator import NAME, CascadeTranslator, LocalTranslator
from embodied.language.offline.weights import adapter_path, find_base
from embodied.language.reward.vocabulary import Vocabulary
from embodied.protocols import StateMemory, Translator
from embodied.types import Program, WorldSpec

if TYPE_CHECKING:
    from embodied.language.offline.slot_model import SlotModel


class OfflineModel:
    """The local model, loaded on its first sentence; until it can be, it abstains and says why.

    Put behind the rules in a ``CascadeTranslator``: the rules answer at once, and only a sentence
    that they refuse makes the weights load.

    Args:
        kind: ``"goal"``, ``"reward"`` or ``"value-map"``.
        scene: As for ``LocalTranslator``.
        domain_text: As for ``LocalTranslator``.
        objects: As for ``LocalTranslator``.
    """

    def __init__(
        self,
        kind: str,
        *,
        scene: SceneView | None = None,
        domain_text: str = "",
        objects: Mapping[str, str] | None = None,
    ) -> None:
        self._kind = kind
        self._scene = scene
        self._domain_text = domain_text
        self._objects = objects
        self._translator: LocalTranslator | None = None

    @property
    def name(self) -> str:
        """Who answers."""
        return NAME

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        """Translate one sentence; raises as ``LocalTranslator.translate`` does."""
        if self._translator is None:
            try:
                self._load()
            except EmbodiedError as error:
                raise NotUnderstoodError(
                    instruction, [Diagnostic(where=NAME, problem=f"not available: {error}")]
                ) from None
        assert self._translator is not None  # loaded above
        return self._translator.translate(instruction, memory, spec)

    def close(self) -> None:
        """Free the weights, unless another translator uses them too; may be called twice."""
        self._translator = None

    def _load(self) -> None:
        adapter, base, why_not = adapter_path(), find_base(), missing()
        if base is None or why_not:
            raise EmbodiedError(why_not)
        self._translator = LocalTranslator(
            _weights(base, adapter),
            self._kind,
            scene=self._scene,
            domain_text=self._domain_text,
            objects=self._objects,
        )


_LOADED: WeakValueDictionary[tuple[Path, Path], SlotModel] = WeakValueDictionary()


def _weights(base: Path, adapter: Path) -> SlotModel:
    """The model, loaded once for all translators of this process that use it at the same time."""
    from embodied.language.offline.slot_model import SlotModel

    model = _LOADED.get((base, adapter))
    if model is None:
        model = _LOADED[base, adapter] = SlotModel(base, adapter)
    return model


def offline_translator(
    rules: Translator,
    kind: str,
    *,
    scene: SceneView | None = None,
    domain_text: str = "",
    objects: Mapping[str, str] | None = None,
) -> CascadeTranslator:
    """Rules first, the local model for what they refuse; arguments as for ``OfflineModel``.

    Its name says in one line who answers, and what the model lacks where it cannot.
    """
    model = OfflineModel(kind, scene=scene, domain_text=domain_text, objects=objects)
    return CascadeTranslator([rules, model], name=described())


def described() -> str:
    """The offline translators of this machine, in one line."""
    rules = "rules (a deterministic grammar, not a language model)"
    why_not = missing()
    if why_not:
        return f"{rules}; what they refuse would go to {NAME}: {why_not}"
    return f"{rules}; what they refuse goes to {NAME} (a narrow language model)"


def reward_scene(words: Vocabulary) -> SceneView:
    """What the scene of a reward vocabulary has.

    Raises:
        ConfigurationError: The model was not trained for this robot.
    """
    if words.robot == "quadruped":
        return SceneView(robot="quadruped")
    if words.robot != "fr3-hand":
        raise ConfigurationError(
            f"the offline model knows the quadruped and the fr3-hand, not the {words.robot}: "
            "take --model rules or a language model"
        )
    objects, joints = words.names["objects"], words.names["joints"]
    return SceneView(
        robot="arm",
        things=tuple(Thing(name=n, kind="item", category=n) for n in objects),
        handles=tuple(f"{joint}_handle" for joint in joints),
        joints=joints,
    )


def missing() -> str:
    """What the local model lacks on this machine, with what to do; ``""`` when it can run."""
    if not all(importlib.util.find_spec(name) for name in ("xllamacpp", "spellchecker")):
        return "it needs the extra [local]: pip install 'embodied-stack[local]'"
    if find_base() is None:
        return "its weights (93 MB) are not here yet: embodied fetch-model"
    return ""
