"""The key that signs receipts: made at the first signature, kept beside the ledger.

It lies in the user's state folder, readable by that user alone. Only the notary's process reads it;
whoever plans, moves the robot or talks to a model does not.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from embodied.errors import ConfigurationError
from embodied.files import SMALL, read_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

KEY = "key.pem"
PUBLIC = "key.pub"


def state_folder() -> Path:
    """Where key and ledger are: ``$XDG_STATE_HOME/embodied`` or ``~/.local/state/embodied``."""
    root = os.environ.get("XDG_STATE_HOME")
    return (Path(root) if root else Path.home() / ".local" / "state") / "embodied"


def key_id(public: Ed25519PublicKey) -> str:
    """Name of a key: SHA-256 of its SubjectPublicKeyInfo in DER, hexadecimal."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """The private key in a folder; the first call makes one, readable by this user alone.

    Raises:
        ConfigurationError: It is no Ed25519 key, others may read it, or it cannot be made.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = folder / KEY
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            _make(path)
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise ConfigurationError(f"cannot make a key in {folder}: {error.strerror}") from error
    if mode & 0o077:
        raise ConfigurationError(f"others may read the key {path}: chmod 600 {path}")
    try:
        key = load_pem_private_key(read_bytes(path, most=SMALL), password=None)
    except (ValueError, TypeError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{path} is no private key in PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} is a key of another kind: Ed25519 is taken")
    return key


def read_public(path: Path) -> Ed25519PublicKey:
    """A public key in a PEM file.

    Raises:
        ConfigurationError: There is none, or it is of another kind.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = read_bytes(path, most=SMALL)
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{path} is no public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError(f"{path} is a key of another kind: Ed25519 is taken")
    return key


def _make(path: Path) -> None:
    """Make a pair of keys: whole or not at all, whoever else is making one at the same time."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    if path.exists():
        return
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        os.fsync(descriptor)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
    path.with_name(PUBLIC).write_bytes(public)
