"""The order: a log of what is settled, and the places of new migrations behind it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bgce_migrate.migration import ForeignUse
    from bgce_migrate.order.placing import place
    from bgce_migrate.order.replaying import Replay, foreign_uses, replay
    from bgce_migrate.order.values import Candidate, LogEntry, Placement, Rules

#: Where each name lives. The lock file alone is read by commands that place nothing, so the rest is loaded late.
_PLACES = {
    "Candidate": "order.values",
    "ForeignUse": "migration",
    "LogEntry": "order.values",
    "Placement": "order.values",
    "Replay": "order.replaying",
    "Rules": "order.values",
    "foreign_uses": "order.replaying",
    "place": "order.placing",
    "replay": "order.replaying",
}

__all__ = [
    "Candidate",
    "ForeignUse",
    "LogEntry",
    "Placement",
    "Replay",
    "Rules",
    "foreign_uses",
    "place",
    "replay",
]


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(import_module(f"bgce_migrate.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'bgce_migrate.order' has no attribute '{name}'")
