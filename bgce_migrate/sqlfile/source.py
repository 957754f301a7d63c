"""Bytes of a migration file to text, refusing what no server should be sent."""

from __future__ import annotations

import hashlib
import re

from bgce_migrate.errors import SqlFileError, Where
from bgce_migrate.migration import SourceFile

_MIB = 1024 * 1024
MAX_BYTES = 16 * _MIB
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
#: They make a text look other than it is ("trojan source"); marks like U+200F do not.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


def read_source(path: str, raw: bytes) -> SourceFile:
    """The text of a file: UTF-8, without BOM, with LF line ends.

    Args:
        path: as messages shall show it.
        raw: the whole file.

    Raises:
        SqlFileError: over 16 MiB, UTF-16, a NUL byte, invalid UTF-8, a bidirectional control.
    """
    if len(raw) > MAX_BYTES:
        raise SqlFileError(
            f"the file is too large: a migration may have {MAX_BYTES // _MIB} MiB",
            hint="load data with COPY from a program, outside of migrations",
            where=Where(path),
        )
    if raw.startswith(_UTF16):
        raise SqlFileError("the file is UTF-16", hint="save it as UTF-8", where=Where(path, 1))
    nul = raw.find(b"\0")
    if nul >= 0:
        raise SqlFileError(
            f"NUL byte at offset {nul}: the server would drop everything after it",
            hint="remove it (a file full of them is UTF-16: save it as UTF-8)",
            where=_place(path, raw, nul),
        )
    try:
        text = raw.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        at = error.start + (len(_BOM) if raw.startswith(_BOM) else 0)
        raise SqlFileError(
            f"invalid UTF-8: byte 0x{raw[at]:02x} at offset {at}",
            hint="save the file as UTF-8",
            where=_place(path, raw, at),
        ) from None
    if not text.isascii():
        _refuse_bidi(path, text)
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    return SourceFile(path, text, hashlib.sha256(raw).hexdigest())


def _place(path: str, raw: bytes, at: int) -> Where:
    before = raw[:at].removeprefix(_BOM)
    column = len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
    return Where(path, before.count(b"\n") + 1, column)


def _refuse_bidi(path: str, text: str) -> None:
    found = _BIDI.search(text)
    if found is None:
        return
    at = found.start()
    raise SqlFileError(
        f"bidirectional control character U+{ord(found.group()):04X}: it hides what the SQL says",
        hint="remove it, or write it as U&'\\2066' in a string",
        where=Where(path, text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1),
    )
