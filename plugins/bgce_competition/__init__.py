"""The platform's domain `competition` (Competition), handed over as a plugin."""

from __future__ import annotations

from pathlib import Path

from bgce_archive import folder_of
from bgce_migrate.hookspecs import hookimpl


@hookimpl
def domain() -> Path:
    """The folder of `competition`."""
    return folder_of("competition")
