from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.perception import open_vocabulary
from embodied.perception.cameras import CameraModel
from embodied.perception.open_vocabulary import OpenVocabularyDetector
from embodied.perception.types import CameraView, Cloud
from embodied.types import ObjectSpec, Pose

CUP = ObjectSpec(name="red-cup", kind="item", category="cup", color="red", size_m=(0.06,) * 3)


def _installed() -> bool:
    from importlib.util import find_spec

    return find_spec("torch") is not None and find_spec("transformers") is not None


needs_torch = pytest.mark.skipif(
    not _installed(), reason="torch or transformers is not installed (extra [learned])"
)


@pytest.mark.skipif(_installed(), reason="torch and transformers are installed: nothing to refuse")
def test_without_torch_the_message_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissingError, match="transformers"):
        OpenVocabularyDetector(tmp_path)


@needs_torch
def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="OWL-ViT"):
        OpenVocabularyDetector(tmp_path)


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised OWL-ViT of a few thousand weights, with a made-up vocabulary."""
    import json

    import torch
    import transformers as hf

    folder = tmp_path_factory.mktemp("owl")
    letters = [chr(c) for c in range(97, 123)]
    # The model takes a query that starts with token 0 for padding.
    words = ["!", "<|startoftext|>", "<|endoftext|>", *letters, *(f"{c}</w>" for c in letters)]
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    torch.manual_seed(0)
    small: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    config = hf.OwlViTConfig(
        text_config={
            **small,
            "vocab_size": len(words),
            "max_position_embeddings": 16,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        vision_config={**small, "image_size": 64, "patch_size": 16},
        projection_dim=32,
    )
    hf.OwlViTForObjectDetection(config).save_pretrained(folder)
    tokenizer = hf.CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=16
    )
    backend = getattr(hf, "OwlViTImageProcessorPil", hf.OwlViTImageProcessor)
    image_processor = backend(size={"height": 64, "width": 64})
    hf.OwlViTProcessor(image_processor=image_processor, tokenizer=tokenizer).save_pretrained(folder)
    return folder


@needs_torch
@pytest.mark.filterwarnings("ignore")
def test_boxes_of_a_random_model_become_points(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_vocabulary, "THRESHOLD", 0.0)
    detector = OpenVocabularyDetector(tiny_model)
    assert detector.phrase(CUP) == "a red cup"
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (60, 80, 3)).astype(np.uint8)
    view = CameraView(
        name="top",
        pose_camera_in_world=Pose(position=np.zeros(3), quat_wxyz=np.array([1.0, 0, 0, 0])),
        model=CameraModel(width=80, height=60, fx=80.0, fy=80.0, cx=39.5, cy=29.5),
        rgb=rgb,
        depth=np.ones((60, 80), np.float32),
    )
    grid = np.stack(np.meshgrid(np.arange(80), np.arange(60)), axis=-1).reshape(-1, 2)
    cloud = Cloud(
        points_in_world=np.column_stack([0.005 * grid, np.full(len(grid), 0.05)]),
        rgb=rgb.reshape(-1, 3),
        view=np.zeros(len(grid), np.int32),
        pixel=np.arange(len(grid), dtype=np.int32),
        views=("top",),
    )
    found = detector.detect(cloud, {"top": view}, {"red-cup": CUP}, {})
    assert len(found) == 1
    assert found[0].name == "red-cup"
    assert 0 < len(found[0].index) <= len(cloud)
    monkeypatch.setattr(open_vocabulary, "THRESHOLD", 0.999)
    assert detector.detect(cloud, {"top": view}, {"red-cup": CUP}, {}) == ()
