"""One list of findings from declarations, order, git, ownership, safety and style."""

from __future__ import annotations

from bgce_migrate.linting.compose import Request, Result, lint
from bgce_migrate.linting.loading import Loaded, load

__all__ = ["Loaded", "Request", "Result", "lint", "load"]
