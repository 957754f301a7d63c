"""Git: the target branch, what is recorded there, and what of it was changed since."""

from __future__ import annotations

from bgce_migrate.repository.judge import findings, on_target
from bgce_migrate.repository.recorded import Recorded, state_at
from bgce_migrate.repository.target import Base, find_base
from bgce_migrate.repository.work_tree import Repository, open_repository

__all__ = ["Base", "Recorded", "Repository", "find_base", "findings", "on_target", "open_repository", "state_at"]
