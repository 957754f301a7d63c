"""Server programs: embedded, local and docker servers that we start ourselves."""

from __future__ import annotations

from bgce_migrate.servers.local_server import remove, start, status, stop
from bgce_migrate.servers.programs import Programs
from bgce_migrate.servers.server import Server

__all__ = ["Programs", "Server", "remove", "start", "status", "stop"]
