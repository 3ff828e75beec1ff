from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch: Any = pytest.importorskip("torch", reason="torch is not installed (extra [learned])")
gguf: Any = pytest.importorskip("gguf", reason="gguf is not installed (extra [learned])")
np: Any = pytest.importorskip("numpy")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two layers with a byte vocabulary."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    from embodied.training.bpe import byte_letters

    letters = list(byte_letters().values())
    tokens = ["<unk>", "<s>", "</s>", *letters]
    width, heads, kv, ffn, layers = 32, 4, 2, 48, 2
    w = gguf.GGUFWriter(path, "llama")
    w.add_block_count(layers)
    w.add_head_count(heads)
    w.add_head_count_kv(kv)
    w.add_embedding_length(width)
    w.add_rope_freq_base(10000.0)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_eos_token_id(2)
    w.add_token_list(tokens)
    w.add_token_merges([f"{letters[0]} {letters[1]}"])
    rng = np.random.default_rng(0)

    def tensor(name: str, *shape: int) -> None:
        w.add_tensor(name + ".weight", (rng.normal(size=shape) * 0.2).astype(np.float32))

    tensor("token_embd", len(tokens), width)
    for i in range(layers):
        for name, rows, columns in (
            ("attn_q", width, width),
            ("attn_k", width * kv // heads, width),
            ("attn_v", width * kv // heads, width),
            ("attn_output", width, width),
            ("ffn_gate", ffn, width),
            ("ffn_up", ffn, width),
            ("ffn_down", width, ffn),
        ):
            tensor(f"blk.{i}.{name}", rows, columns)
        w.add_tensor(f"blk.{i}.attn_norm.weight", np.ones(width, dtype=np.float32))
        w.add_tensor(f"blk.{i}.ffn_norm.weight", np.ones(width, dtype=np.float32))
    w.add_tensor("output_norm.weight", np.ones(width, dtype=np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return path


@pytest.fixture
def settings() -> Iterator[Any]:
    from embodied.training.packing import TrainSettings

    yield TrainSettings(steps=6, packs_per_step=2, per_scene=3, rank=4, learning_rate=5e-3)


def test_packed_sentences_do_not_see_each_other(tiny: Path) -> None:
    from embodied.training.corpus import generate
    from embodied.training.llama import Llama
    from embodied.training.packing import loss_of, pack

    model = Llama(tiny, rank=4, alpha=8.0, dtype=torch.float32, seed=0)
    group = list(generate(1, 3, kinds=("goal",), per_scene=3))
    together = loss_of(model, pack([group], model)).item()
    apart = sum(loss_of(model, pack([[e]], model)).item() for e in group)
    assert together == pytest.approx(apart, rel=1e-4)


def test_learns_resumes_and_gives_the_same_adapter(
    tiny: Path, tmp_path: Path, settings: Any
) -> None:
    from embodied.training.train import train

    steps: list[int] = []
    card = train(tiny, tmp_path / "whole", settings, progress=lambda step, loss: steps.append(step))
    assert steps == [1, 2, 3, 4, 5, 6]
    assert card["steps_done"] == 6 and card["examples"] > 20
    train(tiny, tmp_path / "parts", settings, stop=lambda: True)
    assert json.loads((tmp_path / "parts" / "card.json").read_text())["steps_done"] == 1
    train(tiny, tmp_path / "parts", settings)
    whole, parts = (tmp_path / d / "adapter.gguf" for d in ("whole", "parts"))
    assert whole.read_bytes() == parts.read_bytes()


def test_the_adapter_has_the_names_and_shapes_that_llama_cpp_reads(
    tiny: Path, tmp_path: Path, settings: Any
) -> None:
    from embodied.training.train import train

    train(tiny, tmp_path, settings)
    reader = gguf.GGUFReader(tmp_path / "adapter.gguf")
    assert reader.fields["general.type"].contents() == "adapter"
    assert reader.fields["adapter.type"].contents() == "lora"
    shapes = {t.name: t.data.shape for t in reader.tensors}
    assert shapes["blk.0.attn_k.weight.lora_a"] == (4, 32)
    assert shapes["blk.0.attn_k.weight.lora_b"] == (16, 4)
    assert len(shapes) == 2 * 7 * 2


def test_other_settings_do_not_continue_a_run(tiny: Path, tmp_path: Path, settings: Any) -> None:
    from dataclasses import replace

    from embodied.errors import ConfigurationError
    from embodied.training.train import train

    train(tiny, tmp_path, settings)
    with pytest.raises(ConfigurationError, match="other settings"):
        train(tiny, tmp_path, replace(settings, seed=5))


def test_the_learning_rate_falls_in_the_last_quarter(settings: Any) -> None:
    from dataclasses import replace

    from embodied.training.train import rate

    long = replace(settings, steps=400)
    rates = [rate(long, s) for s in range(400)]
    assert rates[0] < rates[20] < rates[30] == rates[299] == settings.learning_rate
    assert rates[300] > rates[350] > rates[399] > 0


def test_a_run_goes_on_from_an_earlier_adapter(tiny: Path, tmp_path: Path, settings: Any) -> None:
    from dataclasses import replace

    from embodied.errors import ConfigurationError
    from embodied.training.adapters import digest, write_adapter
    from embodied.training.llama import Llama
    from embodied.training.train import train

    train(tiny, tmp_path / "first", settings)
    first = tmp_path / "first" / "adapter.gguf"
    model = Llama(tiny, rank=4, alpha=settings.alpha, dtype=torch.float32, seed=9)
    model.load_adapter(first)
    write_adapter(model, tmp_path / "again.gguf")
    assert (tmp_path / "again.gguf").read_bytes() == first.read_bytes()

    further = replace(settings, seed=1, start_from=digest(first))
    losses: list[float] = []
    train(
        tiny,
        tmp_path / "second",
        further,
        start_from=first,
        progress=lambda step, loss: losses.append(loss),
    )
    fresh: list[float] = []
    train(
        tiny,
        tmp_path / "fresh",
        replace(settings, seed=1),
        progress=lambda step, loss: fresh.append(loss),
    )
    assert losses[0] < fresh[0]
    with pytest.raises(ConfigurationError, match="starts from"):
        train(tiny, tmp_path / "third", further)
    half = replace(further, blend=0.5)
    train(tiny, tmp_path / "second", half, start_from=first)  # done: only written anew
    old, new = (
        {t.name: t.data for t in gguf.GGUFReader(tmp_path / d / "adapter.gguf").tensors}
        for d in ("first", "second")
    )
    train(tiny, tmp_path / "second", further, start_from=first)
    whole = {t.name: t.data for t in gguf.GGUFReader(tmp_path / "second" / "adapter.gguf").tensors}
    for name, data in new.items():
        mean = (old[name].astype(np.float32) + whole[name].astype(np.float32)) / 2
        assert np.array_equal(data, mean.astype(np.float16))
    wider = Llama(tiny, rank=8, alpha=settings.alpha, dtype=torch.float32, seed=0)
    with pytest.raises(ConfigurationError, match="lora_a"):
        wider.load_adapter(first)


def test_precision_is_one_that_this_machine_has() -> None:
    from embodied.training.packing import PRECISIONS
    from embodied.training.train import faster_precision

    assert faster_precision() in PRECISIONS
