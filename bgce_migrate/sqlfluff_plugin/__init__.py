"""Our findings for users of sqlfluff, and so for the editors that show it; entry-point group `sqlfluff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlfluff.core.plugin import hookimpl

if TYPE_CHECKING:
    from sqlfluff.core.rules import BaseRule


@hookimpl
def get_rules() -> list[type[BaseRule]]:
    """The bridges; sqlfluff wants rules imported here and not before."""
    from bgce_migrate.sqlfluff_plugin.rules import RULES

    return list(RULES)
