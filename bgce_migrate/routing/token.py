"""The token that a write hands to later reads: a WAL position, signed, so that nobody can make one up."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct

from msgspec import Struct

from bgce_migrate.errors import UsageError

_FORM = struct.Struct(">BQIQI")
_FORMAT = 1
_SEAL = 16  # bytes of the signature that are kept
_LENGTH = (_FORM.size + _SEAL) // 3 * 4 + (_FORM.size + _SEAL) % 3 + 1
_PADDING = "=" * (-_LENGTH % 4)
_SHORTEST_KEY = 16


class Token(Struct, frozen=True):
    """Everything up to a position of one timeline of one cluster; `expires` is in seconds since 1970."""

    system: int
    timeline: int
    position: int
    expires: int


class Signer:
    """Makes tokens and opens them.

    Args:
        key: the same in all programs that hand tokens to each other. Without one a key is made up, and tokens of
            other processes mean "primary".

    Raises:
        UsageError: the key has fewer than 16 bytes.
    """

    def __init__(self, key: bytes | None = None) -> None:
        if key is not None and len(key) < _SHORTEST_KEY:
            raise UsageError(f"a key of {len(key)} bytes can be guessed", hint=f"give at least {_SHORTEST_KEY}: openssl rand -hex 32")
        # BLAKE2 takes a key itself, of at most 64 bytes, and costs a quarter of an HMAC with SHA-256.
        self._key = hashlib.blake2b(key).digest() if key is not None else os.urandom(32)

    def seal(self, token: Token) -> str:
        """The token as text of URL-safe letters, for a cookie or a header."""
        raw = _FORM.pack(_FORMAT, token.system, token.timeline, token.position, token.expires)
        return base64.urlsafe_b64encode(raw + self._signature(raw)).rstrip(b"=").decode()

    def open(self, text: str) -> Token | None:
        """What was sealed; None where it was not sealed with this key. An expired token is opened, too."""
        if len(text) != _LENGTH:
            return None
        try:
            # Letters that are none are left out here, and the length tells; base64's own check costs more than all else.
            whole = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + _PADDING)
        except ValueError:
            return None
        if len(whole) != _FORM.size + _SEAL:
            return None
        raw, signature = whole[:-_SEAL], whole[-_SEAL:]
        if not hmac.compare_digest(signature, self._signature(raw)) or raw[0] != _FORMAT:
            return None
        _, system, timeline, position, expires = _FORM.unpack(raw)
        return Token(system, timeline, position, expires)

    def _signature(self, raw: bytes) -> bytes:
        return hashlib.blake2b(raw, digest_size=_SEAL, key=self._key).digest()
