"""Plugins -> typed hooks: loads what is allowed, names what is broken, and isolates observers."""

from __future__ import annotations

from bgce_migrate.host.calls import Host, Routed
from bgce_migrate.host.discovery import Plugin, discover, unlisted

__all__ = ["Host", "Plugin", "Routed", "discover", "unlisted"]
