"""Standard input in the place of a migration's file, as editors lint what is not saved yet."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from bgce_migrate.config.folders import FILE_NAME
from bgce_migrate.config.paths import shown
from bgce_migrate.errors import SqlFileError, UsageError
from bgce_migrate.linting.loading import Loaded, findings_of
from bgce_migrate.migration import Migration, MigrationId, SourceFile
from bgce_migrate.sqlfile import read_source


def stand_in(loaded: Loaded, path: Path, raw: bytes) -> None:
    """Let `raw` be the contents of `path`; the file itself need not exist.

    Raises:
        UsageError: the path is no migration of this project.
    """
    tree = loaded.tree
    if tree is None:
        return
    real = os.path.realpath(path)
    folder, name = os.path.split(real)
    domain = next((d for d in tree.project.domains if os.path.realpath(d.folder) == folder), None)
    found = FILE_NAME.match(name)
    if domain is None or found is None:
        raise UsageError(
            f"{shown(path)} is no migration of this project",
            hint="name a file NNNNNN_slug.up.sql or .down.sql in the folder of a domain",
        )
    digits, slug, direction = found.groups()
    try:
        source = read_source(shown(path), raw)
    except SqlFileError as error:
        loaded.findings += findings_of(error, "unreadable-file", domain.name)
        return
    id_ = MigrationId(domain.name, int(digits), slug)
    known = tree.migrations.get(id_) or Migration(
        id_, SourceFile(source.path.replace(".down.sql", ".up.sql"), "", ""), None, domain.declared, domain.distribution
    )
    tree.migrations[id_] = replace(known, up=source) if direction == "up" else replace(known, down=source)
