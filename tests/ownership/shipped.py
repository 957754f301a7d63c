"""The repository's own project in a folder of its own: its settings and declarations, without installed plugins."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.cli.program import REPOSITORY, write


def shipped(folder: Path) -> Path:
    """`bgce.toml`, CODEOWNERS and the domains as they are shipped; a plugin of another checkout says nothing here."""
    shutil.copytree(REPOSITORY / "migrations", folder / "migrations")
    settings = re.sub(r"^plugins = \[.*?^\]\n", "", (REPOSITORY / "bgce.toml").read_text(), flags=re.MULTILINE | re.DOTALL)
    owners = (REPOSITORY / ".github/CODEOWNERS").read_bytes()
    return write(folder, {"bgce.toml": settings, ".github/CODEOWNERS": owners})
