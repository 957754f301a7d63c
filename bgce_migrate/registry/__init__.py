"""Domains -> Registry: one owner a table, every reference declared, no circle; or all mistakes at once."""

from __future__ import annotations

from bgce_migrate.registry.checks import Locate, find_problems
from bgce_migrate.registry.model import Registry, build, build_checked

__all__ = ["Locate", "Registry", "build", "build_checked", "find_problems"]
