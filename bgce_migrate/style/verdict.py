"""What sqlfluff said about one file, as it is kept."""

from __future__ import annotations

import msgspec


class Remark(msgspec.Struct, frozen=True, array_like=True):
    """One violation. `weak` is one that the configuration wants as a warning only."""

    code: str
    name: str
    line: int
    column: int
    message: str
    weak: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """The remarks on a file, or why it could not be checked.

    Attributes:
        fault: why there are none; "" where the file was read.
        line: where the fault is, or 0.
    """

    remarks: tuple[Remark, ...] = ()
    fault: str = ""
    line: int = 0
