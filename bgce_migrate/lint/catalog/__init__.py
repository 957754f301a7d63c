"""The shadow catalog: what the migrations have made so far, replayed from facts without a server."""

from __future__ import annotations

from bgce_migrate.lint.catalog.catalog import Catalog
from bgce_migrate.lint.catalog.replay import apply, apply_all
from bgce_migrate.lint.catalog.state import (
    ColumnState,
    ConstraintState,
    FunctionState,
    IndexState,
    Key,
    TableState,
    TypeState,
    shown,
)

__all__ = [
    "Catalog",
    "ColumnState",
    "ConstraintState",
    "FunctionState",
    "IndexState",
    "Key",
    "TableState",
    "TypeState",
    "apply",
    "apply_all",
    "shown",
]
