"""`python -m bgce_migrate`."""

from __future__ import annotations

from bgce_migrate.cli import run

run()
