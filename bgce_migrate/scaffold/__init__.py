"""New repositories, domains and migrations, written as files; nothing that exists is overwritten."""

from __future__ import annotations

from bgce_migrate.scaffold.domains import new_domain
from bgce_migrate.scaffold.migrations import new_migration
from bgce_migrate.scaffold.repository import init

__all__ = ["init", "new_domain", "new_migration"]
