"""One thing that lint, order or reading has to say: its weight, its place, and the edits that mend it."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from bgce_migrate.errors import Where


class Severity(str, Enum):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Edit(Struct, frozen=True):
    """Replace `length` characters at `offset` of a file's text (as read: no BOM, LF) by `text`."""

    offset: int
    length: int
    text: str


class Finding(Struct, frozen=True):
    """One thing that lint, order or reading has to say.

    Attributes:
        fix: edits of the file that mend it for certain; empty if a person must.
        subject: the object it is about (`orders.total`), so that it is known again when lines move.
        span: characters from `where.column` on that it is about; 0 if not known.
    """

    rule: str
    severity: Severity
    message: str
    where: Where | None = None
    hint: str | None = None
    domain: str | None = None
    fix: tuple[Edit, ...] = ()
    subject: str = ""
    span: int = 0
