"""Packs `migrations/<domain>` of the checkout into the packages, so that the SQL has one source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds every domain's declaration and SQL to the wheel and to the source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Map each domain's folder to `bgce_<domain>/migrations`.

        An editable install reads the checkout, and an unpacked source distribution already has the
        folders in place; neither needs the mapping.
        """
        migrations = Path(self.root).parent / "migrations"
        if version == "editable":
            return
        for name in sorted(self.metadata.core.entry_points["bgce_migrate"]):
            packaged = Path(self.root, name, "migrations")
            if packaged.is_dir():
                continue
            source = migrations / name.removeprefix("bgce_")
            if not (source / "domain.toml").is_file():
                raise FileNotFoundError(f"{name}: no domain.toml in {source}")
            build_data["force_include"][str(source)] = f"{name}/migrations"
