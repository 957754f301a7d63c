"""The platform's domain `learning` (Learning), handed over as a plugin."""

from __future__ import annotations

from pathlib import Path

from bgce_archive import folder_of
from bgce_migrate.hookspecs import hookimpl


@hookimpl
def domain() -> Path:
    """The folder of `learning`."""
    return folder_of("learning")
