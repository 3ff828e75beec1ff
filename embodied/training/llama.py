"""A Llama model in plain torch, read from a GGUF file, with low-rank adapters to train.

Weights stay in llama.cpp's own layout (query and key rows interleaved for its rotary embedding), so
adapters trained here are written out as they are.
"""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from gguf import GGUFReader, dequantize

from embodied.errors import ConfigurationError
from embodied.training.bpe import Bpe

LINEARS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaShape:
    """Sizes of the model."""

    layers: int
    heads: int
    kv_heads: int
    width: int
    rope_base: float
    epsilon: float


class Llama(torch.nn.Module):
    """Frozen base weights plus adapters ``W x + scale * B A x`` on every linear layer.

    Args:
        path: GGUF file of a Llama model.
        rank: Rank r of the adapters.
        alpha: Scale is alpha / r.
        dtype: Type of the frozen weights and the activations.
        seed: Seed of the adapters' initial A; B starts at zero.
    """

    def __init__(
        self, path: Path, *, rank: int, alpha: float, dtype: torch.dtype, seed: int
    ) -> None:
        super().__init__()
        reader = GGUFReader(path)

        def meta(key: str) -> float:
            return reader.fields[key].contents()

        self.shape = LlamaShape(
            layers=int(meta("llama.block_count")),
            heads=int(meta("llama.attention.head_count")),
            kv_heads=int(meta("llama.attention.head_count_kv")),
            width=int(meta("llama.embedding_length")),
            rope_base=float(meta("llama.rope.freq_base")),
            epsilon=float(meta("llama.attention.layer_norm_rms_epsilon")),
        )
        self.end_token = int(meta("tokenizer.ggml.eos_token_id"))
        self.bpe = Bpe(
            reader.fields["tokenizer.ggml.tokens"].contents(),
            reader.fields["tokenizer.ggml.merges"].contents(),
        )
        self.rank, self.alpha, self.scale = rank, alpha, alpha / rank
        self.dtype = dtype
        self.frozen: dict[str, torch.Tensor] = {}
        for tensor in reader.tensors:
            weight = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
            self.frozen[tensor.name.removesuffix(".weight")] = torch.from_numpy(weight).to(dtype)
        generator = torch.Generator().manual_seed(seed)
        self.a = torch.nn.ParameterDict()
        self.b = torch.nn.ParameterDict()
        for name, weight in self.frozen.items():
            if name.split(".")[-1] in LINEARS:
                n_out, n_in = weight.shape
                start = torch.randn(rank, n_in, generator=generator) / math.sqrt(n_in)
                self.a[name.replace(".", "_")] = torch.nn.Parameter(start)
                self.b[name.replace(".", "_")] = torch.nn.Parameter(torch.zeros(n_out, rank))

    def load_adapter(self, path: Path) -> None:
        """Start from the adapters of a GGUF file that ``write_adapter`` wrote.

        Raises:
            ConfigurationError: The file has other layers or another rank.
        """
        tensors = {t.name: t.data for t in GGUFReader(path).tensors}
        with torch.no_grad():
            for name in self.frozen:
                key = name.replace(".", "_")
                if key not in self.a:
                    continue
                for half, end in ((self.a[key], "lora_a"), (self.b[key], "lora_b")):
                    data = tensors.get(f"{name}.weight.{end}")
                    if data is None or data.shape != tuple(half.shape):
                        raise ConfigurationError(
                            f"{path}: {name}.weight.{end} is"
                            f" {'missing' if data is None else data.shape}, not {tuple(half.shape)}"
                        )
                    half.copy_(torch.from_numpy(data.astype(np.float32)))

    def linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """One adapted layer; x is (n, n_in)."""
        key = name.replace(".", "_")
        y = F.linear(x, self.frozen[name])
        a = self.a[key].to(self.dtype)
        b = (self.b[key] * self.scale).to(self.dtype)
        return y + F.linear(F.linear(x, a), b)

    def norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """Root-mean-square norm."""
        return F.rms_norm(x, (x.shape[-1],), self.frozen[name], self.shape.epsilon)

    def hidden(
        self, ids: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Last hidden states.

        Args:
            ids: (n,) token ids of one packed sequence.
            positions: (n,) position of each token within its own conversation.
            mask: (n, n) True where a token may look at another.

        Returns:
            (n, width) hidden states after the last norm.
        """
        s = self.shape
        d = s.width // s.heads
        frequencies = s.rope_base ** (-torch.arange(0, d, 2, dtype=torch.float32) / d)
        angles = positions.float()[:, None] * frequencies[None]
        cos, sin = angles.cos().to(self.dtype), angles.sin().to(self.dtype)
        bias = torch.zeros(mask.shape, dtype=self.dtype).masked_fill_(~mask, float("-inf"))
        x = F.embedding(ids, self.frozen["token_embd"])
        for i in range(s.layers):
            p = f"blk.{i}."
            h = self.norm(p + "attn_norm", x)
            q = _rotate(self.linear(p + "attn_q", h).view(-1, s.heads, d), cos, sin)
            k = _rotate(self.linear(p + "attn_k", h).view(-1, s.kv_heads, d), cos, sin)
            v = self.linear(p + "attn_v", h).view(-1, s.kv_heads, d)
            group = s.heads // s.kv_heads
            attended = F.scaled_dot_product_attention(
                q.transpose(0, 1)[None],
                k.repeat_interleave(group, 1).transpose(0, 1)[None],
                v.repeat_interleave(group, 1).transpose(0, 1)[None],
                attn_mask=bias,
            )
            x = x + self.linear(
                p + "attn_output", attended[0].transpose(0, 1).reshape(len(ids), -1)
            )
            h = self.norm(p + "ffn_norm", x)
            gated = F.silu(self.linear(p + "ffn_gate", h)) * self.linear(p + "ffn_up", h)
            x = x + self.linear(p + "ffn_down", gated)
        return self.norm("output_norm", x)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(n, vocabulary) logits; the output layer is the embedding where the file has none."""
        return F.linear(hidden, self.frozen.get("output", self.frozen["token_embd"]))


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of neighbouring pairs; x is (n, heads, d), cos and sin (n, d/2)."""
    even, odd = x[..., 0::2], x[..., 1::2]
    c, s = cos[:, None], sin[:, None]
    return torch.stack((even * c - odd * s, even * s + odd * c), -1).flatten(-2)
