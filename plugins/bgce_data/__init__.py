"""The platform's domain `data` (Data), handed over as a plugin."""

from __future__ import annotations

from pathlib import Path

from bgce_archive import folder_of
from bgce_migrate.hookspecs import hookimpl


@hookimpl
def domain() -> Path:
    """The folder of `data`."""
    return folder_of("data")
