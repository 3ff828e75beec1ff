"""What a training run depends on, and its data: scenes with their sentences, packed.

Each scene stands once with all of its sentences behind it: they see the scene and themselves, not
each other.
"""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812

from embodied.language.offline.prompts import scene_part, sentence_part
from embodied.training.corpus import Example, generate
from embodied.training.corpus.examples import KINDS
from embodied.training.llama import Llama

PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """What a training run depends on; equal settings give equal adapters.

    Attributes:
        steps: Optimiser steps.
        packs_per_step: Packed sequences per step.
        pack_tokens: Longest packed sequence.
        per_scene: Examples that share a scene.
        rank: Rank of the adapters.
        alpha: Scale of the adapters is alpha / rank.
        learning_rate: Highest learning rate, see ``rate``.
        seed: Seed of adapters and data.
        kinds: Kinds of program in the order in which scenes take turns.
        precision: ``"bf16"`` or ``"fp32"``: of the frozen weights and the activations.
        start_from: SHA-256 of the adapter that the run begins with, ``""`` for a fresh one.
        blend: Share of the trained adapter in what is written; the rest is the one it began with.
            Half and half kept more of what was known before than either (Wortsman et al. 2022,
            arXiv 2109.01903).
        workers: Threads, each with packs of its own; does not change the result.
    """

    steps: int = 1000
    packs_per_step: int = 2
    pack_tokens: int = 400
    per_scene: int = 8
    rank: int = 16
    alpha: float = 32.0
    learning_rate: float = 7e-4
    seed: int = 0
    kinds: tuple[str, ...] = KINDS
    precision: str = "bf16"
    start_from: str = ""
    blend: float = 1.0
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Pack:
    """Several scenes, each with its sentences, as one sequence.

    Attributes:
        ids: (n,) tokens.
        positions: (n,) positions within each conversation.
        mask: (n, n) which token sees which.
        predict: Indices whose next token is part of an answer.
        targets: Those next tokens.
        examples: How many examples are in it.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor
    predict: torch.Tensor
    targets: torch.Tensor
    examples: int

    def cuda(self) -> Pack:
        """The same pack on the GPU."""
        return Pack(
            self.ids.cuda(),
            self.positions.cuda(),
            self.mask.cuda(),
            self.predict.cuda(),
            self.targets.cuda(),
            self.examples,
        )


def pack(groups: list[list[Example]], model: Llama) -> Pack:
    """Pack groups of examples of one scene each."""
    ids: list[int] = []
    positions: list[int] = []
    spans: list[tuple[int, int, int, int]] = []
    predict: list[int] = []
    targets: list[int] = []
    for group in groups:
        start = len(ids)
        shared = model.bpe.encode(scene_part(group[0].kind, group[0].scene))
        ids += shared
        positions += range(len(shared))
        spans.append((start, len(ids), start, start))
        for example in group:
            begin = len(ids)
            question = model.bpe.encode(sentence_part(example.sentence, example.previous))
            answer = [*model.bpe.encode(" " + example.slots), model.end_token]
            own = [*question, *answer[:-1]]
            ids += own
            positions += range(len(shared), len(shared) + len(own))
            spans.append((begin, len(ids), start, start + len(shared)))
            first = begin + len(question) - 1
            predict += range(first, first + len(answer))
            targets += answer
    n = len(ids)
    mask = torch.zeros(n, n, dtype=torch.bool)
    for begin, end, prefix, prefix_end in spans:
        mask[begin:end, begin:end] = torch.ones(end - begin, end - begin).tril().bool()
        mask[begin:end, prefix:prefix_end] |= begin != prefix
    return Pack(
        torch.tensor(ids),
        torch.tensor(positions),
        mask,
        torch.tensor(predict),
        torch.tensor(targets),
        sum(len(g) for g in groups),
    )


def packs(settings: TrainSettings, model: Llama, skip: int = 0) -> Iterator[Pack]:
    """The endless stream of packs of a run, from the ``skip``-th on."""
    stream = generate(settings.seed, 1 << 40, per_scene=settings.per_scene, kinds=settings.kinds)
    groups: list[list[Example]] = []
    tokens = 0
    group: list[Example] = []
    made = 0
    for example in stream:
        if group and (example.scene is not group[0].scene or example.kind != group[0].kind):
            size = 30 + 30 * len(group)
            if tokens + size > settings.pack_tokens and groups:
                made += 1
                if made > skip:
                    yield pack(groups, model)
                groups, tokens = [], 0
            groups.append(group)
            tokens += size
            group = []
        group.append(example)


def loss_of(model: Llama, item: Pack) -> torch.Tensor:
    """Sum of the cross-entropy over the answers' tokens, nats."""
    hidden = model.hidden(item.ids, item.positions, item.mask)
    logits = model.logits(hidden[item.predict]).float()
    return F.cross_entropy(logits, item.targets, reduction="sum")
