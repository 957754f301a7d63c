"""What every fact has; the version by which cached facts are told apart."""

from __future__ import annotations

import msgspec

from bgce_migrate.lint.facts.values import Place, Ref

#: Raised when facts change, so that cached ones are read anew.
VERSION = 2


class Fact(msgspec.Struct, frozen=True, tag=True, tag_field="fact", omit_defaults=True):
    """One thing one statement does."""

    at: Place


class TableFact(Fact, frozen=True, omit_defaults=True):
    """Something done to one relation that exists."""

    table: Ref
