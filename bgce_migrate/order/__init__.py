"""The order: a log of what is settled, and the places of new migrations behind it."""

from __future__ import annotations

from bgce_migrate.migration import ForeignUse
from bgce_migrate.order.place import place
from bgce_migrate.order.replay import Replay, foreign_uses, replay
from bgce_migrate.order.values import Candidate, LogEntry, Placement, Rules

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
