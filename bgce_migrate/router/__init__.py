"""Sends the reads and writes of services to the servers that may have them, and proves reads of own writes."""

from __future__ import annotations

from bgce_migrate.router.deciding import Choice
from bgce_migrate.router.declared import Places, of_project, settings_of
from bgce_migrate.router.leases import Lease
from bgce_migrate.router.once import Answer, Shown, show
from bgce_migrate.router.router import Router

__all__ = ["Answer", "Choice", "Lease", "Places", "Router", "Shown", "of_project", "settings_of", "show"]
