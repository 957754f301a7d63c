"""Plans: which steps a run takes, in which order, and what they need from other owners."""

from __future__ import annotations

from bgce_migrate.plan.down import AppliedView, DownTarget, make_down
from bgce_migrate.plan.rights import Right, needed
from bgce_migrate.plan.up import make_up

__all__ = ["AppliedView", "DownTarget", "Right", "make_down", "make_up", "needed"]
