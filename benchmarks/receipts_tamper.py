"""Changes to run folders that ``embodied verify`` must notice: single bytes, files, signatures.

``python benchmarks/receipts_tamper.py`` carries out two sentences, one with pictures, signs them
with a key of its own and changes copies of the folders: ``--bytes`` single bytes (each byte of
a folder is as likely as any other half of the time; otherwise each file is), and ``--others``
changes of each other kind. Exit status 1 where one is not noticed, or an unchanged folder is not
accepted. ``RUN`` takes signed run folders of your own; they are copied, never written to.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from embodied.receipts.checking import Trust, check
from embodied.receipts.contents import RECEIPT
from embodied.receipts.envelope import Envelope, canonical
from embodied.receipts.keys import key_id, state_folder

SENTENCES = (
    ("put the red block on the green block",),
    ("put the yellow block in the bin", "--no-video"),
)
Change = Callable[[Path, np.random.Generator], None]


def _files(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.rglob("*")) if p.is_file()]


def _some_file(folder: Path, rng: np.random.Generator) -> Path:
    files = [p for p in _files(folder) if p.name != RECEIPT]
    return files[int(rng.integers(len(files)))]


def one_byte(folder: Path, rng: np.random.Generator) -> None:
    """Another value for one byte."""
    files = _files(folder)
    sizes = np.array([p.stat().st_size for p in files], float)
    chances = sizes / sizes.sum() if rng.random() < 0.5 else None
    path = files[int(rng.choice(len(files), p=chances))]
    data = bytearray(path.read_bytes())
    place = int(rng.integers(len(data)))
    data[place] = (data[place] + int(rng.integers(1, 256))) % 256
    path.write_bytes(data)


def deleted(folder: Path, rng: np.random.Generator) -> None:
    """A file less."""
    _some_file(folder, rng).unlink()


def added(folder: Path, rng: np.random.Generator) -> None:
    """A file more."""
    (folder / f"more-{rng.integers(10**6)}.txt").write_bytes(rng.bytes(int(rng.integers(2))))


def renamed(folder: Path, rng: np.random.Generator) -> None:
    """A file under another name."""
    path = _some_file(folder, rng)
    path.rename(path.with_name(f"{path.name}.{rng.integers(100)}"))


def swapped(folder: Path, rng: np.random.Generator) -> None:
    """Two files with each other's content."""
    a = b = _some_file(folder, rng)
    while a.read_bytes() == b.read_bytes():
        b = _some_file(folder, rng)
    data = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(data)


def cut_off(folder: Path, rng: np.random.Generator) -> None:
    """A receipt that ends early."""
    data = (folder / RECEIPT).read_bytes()
    (folder / RECEIPT).write_bytes(data[: int(rng.integers(len(data)))])


def forged(folder: Path, rng: np.random.Generator) -> None:
    """A changed verdict, signed with a key of one's own; half of them under the true key's name."""
    envelope = Envelope.load((folder / RECEIPT).read_bytes())
    statement = json.loads(envelope.payload)
    statement["predicate"]["verdict"] = {"reached": bool(rng.integers(2)), "goals": []}
    key = Ed25519PrivateKey.generate()
    name = envelope.key_id if rng.random() < 0.5 else key_id(key.public_key())
    data = Envelope.sign(canonical(statement), name, key.sign).dump()
    (folder / RECEIPT).write_bytes(data)


def linked(folder: Path, rng: np.random.Generator) -> None:
    """A file that lies elsewhere now, with a link in its place."""
    path = _some_file(folder, rng)
    elsewhere = folder.parent / f"elsewhere-{rng.integers(10**9)}"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


OTHERS: tuple[Change, ...] = (deleted, added, renamed, swapped, cut_off, forged, linked)


def main() -> None:
    """Change, check, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN")
    parser.add_argument("--bytes", type=int, default=1000)
    parser.add_argument("--others", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        if not options.runs:
            os.environ["XDG_STATE_HOME"] = str(place / "state")
            for words in SENTENCES:
                command = [sys.executable, "-m", "embodied.app.cli.main", "run", *words]
                out = ["--quiet", "--out", str(place / "runs")]
                subprocess.run([*command, *out], check=False, stdout=subprocess.DEVNULL)
            options.runs = sorted((place / "runs").iterdir())
        trust = Trust.of((), state_folder())
        rng = np.random.default_rng(options.seed)
        noticed, made = Counter[str](), Counter[str]()
        work = place / "work"
        for change, n in ((one_byte, options.bytes), *((c, options.others) for c in OTHERS)):
            for number in range(n):
                run = options.runs[number % len(options.runs)]
                shutil.copytree(run, work / run.name)
                if check(work / run.name, trust).problems:
                    sys.exit(f"{run} is not accepted as it is")
                change(work / run.name, rng)
                made[change.__name__] += 1
                noticed[change.__name__] += bool(check(work / run.name, trust).problems)
                shutil.rmtree(work)
    files = "\n".join(f"{kind:10} {noticed[kind]} of {n} noticed" for kind, n in made.items())
    print(files)
    sys.exit(0 if noticed == made else 1)


if __name__ == "__main__":
    main()
