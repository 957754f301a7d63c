"""`renumber`: migrations whose number another branch took first get new ones, with their lines in the lock file."""

from __future__ import annotations

from bgce_migrate.renumbering.carry_out import carry_out
from bgce_migrate.renumbering.collisions import Move, find_moves

__all__ = ["Move", "carry_out", "find_moves"]
