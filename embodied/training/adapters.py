"""Files of trained adapters, as llama.cpp reads them: written, averaged, told apart."""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, GGUFWriter

from embodied.training.llama import Llama


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_adapter(model: Llama, path: Path) -> None:
    """Write the adapters as llama.cpp reads them, in half precision."""
    tensors: dict[str, Any] = {}
    for name in model.frozen:
        key = name.replace(".", "_")
        if key in model.a:
            tensors[f"{name}.weight.lora_a"] = model.a[key].detach().cpu().numpy()
            tensors[f"{name}.weight.lora_b"] = model.b[key].detach().cpu().numpy()
    _write(tensors, model.alpha, path)


def _write(tensors: dict[str, Any], alpha: float, path: Path) -> None:
    part = path.with_suffix(".new")
    writer = GGUFWriter(part, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for name, data in tensors.items():
        writer.add_tensor(name, data.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(path)


def blend(first: Path, second: Path, share: float) -> None:
    """Overwrite the second adapter by a mean of both, ``share`` of it the second."""
    old, new = ({t.name: t.data for t in GGUFReader(p).tensors} for p in (first, second))
    mixed = {
        name: (1.0 - share) * old[name].astype(np.float32) + share * data.astype(np.float32)
        for name, data in new.items()
    }
    reader = GGUFReader(second)
    _write(mixed, float(reader.fields["adapter.lora.alpha"].contents()), second)
