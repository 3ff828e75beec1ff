"""Training of the narrow offline model: low-rank adapters on a small open model.

``train`` streams generated examples, packs each scene once with all of its sentences behind it (the
sentences see the scene and themselves, not each other), and takes the loss on the answers only. It
is deterministic for equal settings, checkpoints as it goes and continues from the checkpoint. The
adapter is written in llama.cpp's GGUF format, with a model card beside it.

Follows LoRA (Hu et al. 2021, arXiv 2106.09685).
"""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from embodied.errors import ConfigurationError, EnvironmentMissingError

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import numpy as np
    import torch

    from embodied.training.adapters import blend, digest, write_adapter
    from embodied.training.llama import Llama
    from embodied.training.packing import PRECISIONS, Pack, TrainSettings, loss_of, packs
except ImportError as error:
    raise EnvironmentMissingError(
        "training needs the extra [learned] (torch, gguf): pip install 'embodied-stack[learned]'"
    ) from error


PLAIN = ("steps", "packs_per_step", "per_scene", "rank", "learning_rate", "seed", "blend")
"""Settings that are options as they are."""
OPTIONS = {
    "blend": "share of the trained adapter in what is written, the rest is that of --start-from"
}
LINE_EVERY = 25
"""Steps between lines where there is no terminal for a progress bar."""


def rate(settings: TrainSettings, step: int) -> float:
    """Learning rate of a step: warm-up over 30 steps, constant, linear to zero in the last quarter.

    As the rate does not depend on the number of steps before the last quarter, a run can be
    lengthened until then.
    """
    warm = min(30, max(1, settings.steps // 10))
    decay = settings.steps - _decay_starts(settings.steps)
    left = (settings.steps - step) / max(1, decay)
    return settings.learning_rate * min(1.0, (step + 1) / warm, left)


def _decay_starts(steps: int) -> int:
    return steps - steps // 4


def train(
    base: Path,
    out: Path,
    settings: TrainSettings,
    *,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    start_from: Path | None = None,
    checkpoint_every: int = 50,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, object]:
    """Train, or continue a run in ``out`` that was interrupted; returns the model card.

    Args:
        base: GGUF file of the base model.
        out: Folder for ``checkpoint.pt``, ``adapter.gguf``, ``card.json`` and ``loss.png``.
        settings: The run; a checkpoint that is continued must have been of equal settings, except
            for workers and, before the learning rate falls, steps.
        progress: Called after each step with its number and loss per answer token.
        start_from: Adapter to begin with; must be the one of ``settings.start_from``.
        checkpoint_every: Steps between checkpoints.
        stop: Asked after each step; True ends the run early, checkpoint and adapter written.

    Raises:
        ConfigurationError: The checkpoint in ``out`` is of other settings, or the adapter to
            start from is not the one named in them.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    on_gpu = torch.cuda.is_available()
    model = Llama(
        base,
        rank=settings.rank,
        alpha=settings.alpha,
        dtype=PRECISIONS[settings.precision],
        seed=settings.seed,
    )
    if (digest(start_from) if start_from else "") != settings.start_from:
        raise ConfigurationError(
            f"the run starts from {start_from}, its settings say {settings.start_from or 'none'}"
        )
    if start_from:
        model.load_adapter(start_from)
    if on_gpu:
        model.cuda()
        model.frozen = {k: v.cuda() for k, v in model.frozen.items()}
    parameters = list(model.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=0.0)
    losses: list[float] = []
    examples = tokens = 0
    seconds = 0.0
    file = out / "checkpoint.pt"
    if file.exists():
        state = torch.load(file, weights_only=False)
        begun = min(_decay_starts(state["settings"]["steps"]), _decay_starts(settings.steps))
        changed = state["settings"]["steps"] != settings.steps and len(state["losses"]) > begun
        if changed or _identity(state["settings"]) != _identity(asdict(settings)):
            raise ConfigurationError(
                f"{file} is of other settings: {state['settings']}; use another folder"
            )
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        losses, examples, tokens, seconds = (
            state[k] for k in ("losses", "examples", "tokens", "seconds")
        )
    stream = packs(settings, model, skip=len(losses) * settings.packs_per_step)
    started = time.perf_counter()

    def gradient(item: Pack) -> tuple[float, list[torch.Tensor]]:
        torch.set_num_threads(1)
        if on_gpu:
            item = item.cuda()
        loss = loss_of(model, item)
        return float(loss.detach()), list(torch.autograd.grad(loss, parameters))

    def save() -> None:
        state = {
            "settings": asdict(settings),
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "losses": losses,
            "examples": examples,
            "tokens": tokens,
            "seconds": seconds + time.perf_counter() - started,
        }
        torch.save(state, file.with_suffix(".new"))
        file.with_suffix(".new").replace(file)

    with ThreadPoolExecutor(max_workers=settings.workers) as pool:
        while len(losses) < settings.steps:
            batch = list(islice(stream, settings.packs_per_step))
            total = sum(len(p.targets) for p in batch)
            for group in optimiser.param_groups:
                group["lr"] = rate(settings, len(losses))
            results = list(pool.map(gradient, batch))
            for i, parameter in enumerate(parameters):
                parameter.grad = sum(r[1][i] for r in results[1:]) + results[0][1][i]
                parameter.grad /= total
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            losses.append(sum(r[0] for r in results) / total)
            examples += sum(p.examples for p in batch)
            tokens += sum(len(p.ids) for p in batch)
            progress(len(losses), losses[-1])
            if len(losses) % checkpoint_every == 0:
                save()
            if stop():
                break
    save()
    write_adapter(model, out / "adapter.gguf")
    if start_from and settings.blend < 1.0:
        blend(start_from, out / "adapter.gguf", settings.blend)
    plot(losses, out / "loss.png")
    card: dict[str, object] = {
        "base": base.name,
        "settings": asdict(settings),
        "steps_done": len(losses),
        "examples": examples,
        "tokens": tokens,
        "seconds": round(seconds + time.perf_counter() - started),
        "loss_first": round(float(np.mean(losses[:10])), 4),
        "loss_last": round(float(np.mean(losses[-50:])), 4),
        "device": torch.cuda.get_device_name() if on_gpu else f"CPU, {settings.workers} threads",
    }
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n")
    return card


def faster_precision() -> str:
    """The precision in which this machine multiplies faster, tried on one layer.

    Processors without bfloat16 instructions emulate them, tens of times slower.
    """
    if torch.cuda.is_available():
        return "bf16"

    def seconds(dtype: torch.dtype) -> float:
        x, w = torch.ones(200, 576, dtype=dtype), torch.ones(576, 576, dtype=dtype)
        _ = x @ w
        start = time.perf_counter()
        for _ in range(3):
            _ = x @ w
        return time.perf_counter() - start

    return min(PRECISIONS, key=lambda name: seconds(PRECISIONS[name]))


def _identity(settings: Mapping[str, object]) -> dict[str, object]:
    return {k: v for k, v in settings.items() if k not in ("workers", "steps", "blend")}


def plot(losses: list[float], path: Path) -> bool:
    """Draw the loss; False where matplotlib is not installed."""
    from embodied.bench.report import new_figure

    try:
        figure = new_figure(7, 3.5)
    except EnvironmentMissingError:
        return False
    width = max(1, len(losses) // 100)
    smooth = np.convolve(losses, np.ones(width) / width, "valid")
    axes = figure.subplots()
    axes.semilogy(losses, color="0.8", label="each step")
    axes.semilogy(np.arange(len(smooth)) + width - 1, smooth, label=f"mean of {width}")
    axes.set(xlabel="step", ylabel="loss per answer token [nats]")
    axes.legend()
    figure.savefig(path, dpi=110)
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """Train the narrow offline model (``embodied train-translator``)."""
    from rich.progress import Progress, TextColumn, TimeRemainingColumn

    from embodied.language.offline.weights import fetch_base, find_base

    standard = TrainSettings()
    parser = argparse.ArgumentParser(prog="embodied train-translator", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/train-translator"))
    parser.add_argument(
        "--base", type=Path, help="GGUF of the base model; found or fetched if none"
    )
    for name in PLAIN:
        value = getattr(standard, name)
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=type(value), default=value, help=OPTIONS.get(name))
    parser.add_argument(
        "--kinds", default=",".join(standard.kinds), help="kinds of program, in turn; may repeat"
    )
    parser.add_argument(
        "--precision", choices=tuple(PRECISIONS), help="the faster one here if not given"
    )
    parser.add_argument("--start-from", type=Path, help="adapter to begin with")
    parser.add_argument("--checkpoint-every", type=int, default=50)
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    options = parser.parse_args(argv)
    settings = TrainSettings(
        **{name: getattr(options, name) for name in PLAIN},
        kinds=tuple(options.kinds.split(",")),
        precision=options.precision or faster_precision(),
        start_from=digest(options.start_from) if options.start_from else "",
        workers=options.workers,
    )
    columns = (
        *Progress.get_default_columns()[:-1],
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("training", total=settings.steps, loss="")

        def show(step: int, loss: float) -> None:
            bar.update(task, completed=step, loss=f"loss {loss:.3f}")
            if not bar.console.is_terminal and step % LINE_EVERY == 0:
                sys.stderr.write(f"step {step} of {settings.steps}, loss {loss:.3f}\n")
                sys.stderr.flush()

        base = options.base or find_base() or fetch_base()
        card = train(
            base,
            options.out,
            settings,
            progress=show,
            start_from=options.start_from,
            checkpoint_every=options.checkpoint_every,
        )
    sys.stdout.write(json.dumps(card, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
