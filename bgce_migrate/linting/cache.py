"""What was read of a file, kept by content below `.bgce/cache/facts/`; anything wrong with it is read anew."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from bgce_migrate import __version__
from bgce_migrate.lint.facts import VERSION
from bgce_migrate.linting.analysis import Analysis, Depths, Task
from bgce_migrate.linting.store import READING, code_times

#: Raised when analyses change, so that cached ones are read anew; the version of the facts counts by itself.
FORMAT = 2
_STAMP = f"{__version__}/{FORMAT}/{VERSION}/{code_times(READING)}"


def key_of(task: Task) -> str:
    """The name under which a file's analysis is kept."""
    said = (_STAMP, task.source.sha256, task.source.path, task.declared, task.direction.value, task.schema, str(task.migration))
    return hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()


def encode(value: object) -> bytes:
    """As it is kept and sent between processes."""
    return msgspec.msgpack.encode(value)


class Decoder:
    """Reads one type; the decoder is made once, when it is needed: looking at all kinds of facts takes its time."""

    def __init__(self, type_: Any) -> None:
        self._type = type_
        self._decoder: msgspec.msgpack.Decoder[Any] | None = None

    def __call__(self, raw: bytes) -> Any:
        """The value, or None where the bytes are not one."""
        if self._decoder is None:
            self._decoder = msgspec.msgpack.Decoder(self._type)
        try:
            return self._decoder.decode(raw)
        except (msgspec.DecodeError, msgspec.ValidationError, ValueError, TypeError, RecursionError):
            return None


decode_analysis = Decoder(Analysis)
decode_depths = Decoder(Depths)


def joined(begun: bytes, depths: bytes) -> bytes:
    """The bytes of an analysis, from those of one that is only begun and of its depths.

    The last fields are those of `Depths`, each a byte while it is empty.
    """
    return begun[: -len(Depths.__struct_fields__)] + depths[1:]
