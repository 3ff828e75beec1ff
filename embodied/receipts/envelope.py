"""A signed message: a DSSE envelope with one Ed25519 signature.

What is signed is not the JSON but the pre-authentication encoding of the payload,

    PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body

so that neither the type nor the length can be read in two ways. The file holds one form of the
envelope only: another spacing, order of keys or spelling of base64 is a change like any other.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class BadEnvelopeError(ValueError):
    """The bytes are no envelope of the one form that is written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload and its signature.

    Attributes:
        payload: What was signed, bytes of JSON.
        key_id: Key that is said to have signed it; nothing vouches for this name.
        signature: 64 bytes.
    """

    payload: bytes
    key_id: str
    signature: bytes

    @staticmethod
    def sign(payload: bytes, key_id: str, sign: Callable[[bytes], bytes]) -> Envelope:
        """Sign a payload with what turns a message into its signature."""
        return Envelope(payload=payload, key_id=key_id, signature=sign(encoded(payload)))

    @property
    def message(self) -> bytes:
        """The bytes that the signature belongs to."""
        return encoded(self.payload)

    def dump(self) -> bytes:
        """The envelope as the bytes of its file."""
        signature = {"keyid": self.key_id, "sig": _base64(self.signature)}
        return canonical(
            {
                "payload": _base64(self.payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [signature],
            }
        )

    @staticmethod
    def load(data: bytes) -> Envelope:
        """Read what ``dump`` wrote.

        Raises:
            BadEnvelopeError: It is anything else, be it by one space.
        """
        try:
            fields = json.loads(data)
            (signature,) = fields["signatures"]
            key_id = signature["keyid"]
            envelope = Envelope(
                payload=base64.b64decode(fields["payload"], validate=True),
                key_id=key_id if isinstance(key_id, str) else "",
                signature=base64.b64decode(signature["sig"], validate=True),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadEnvelopeError(f"no envelope: {type(error).__name__}: {error}") from error
        if envelope.dump() != data:
            raise BadEnvelopeError("the envelope is not written in the one form that is signed")
        return envelope


def encoded(payload: bytes) -> bytes:
    """The pre-authentication encoding of a payload of ``PAYLOAD_TYPE``."""
    kind = PAYLOAD_TYPE.encode()
    return b" ".join((b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload))


def canonical(value: object) -> bytes:
    """JSON in one form: sorted keys, no spaces, one end of line; raises ValueError for NaN."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def objects(value: object) -> dict[str, object]:
    """The JSON object in ``value``; empty where it is none."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
