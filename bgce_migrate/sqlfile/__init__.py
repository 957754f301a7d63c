"""Migration files: bytes to text, text to statements, directives, checksum and effects."""

from __future__ import annotations

from bgce_migrate.migration import Direction, MigrationId, Script, SourceFile
from bgce_migrate.sqlfile.source import MAX_BYTES, read_source

__all__ = ["MAX_BYTES", "checksum", "read_down", "read_script", "read_source"]


def read_script(
    source: SourceFile,
    *,
    declared: bool,
    direction: Direction,
    schema: str = "public",
    migration: MigrationId | None = None,
) -> Script:
    """Understand a file: directives, statements, mode, effects, checksum.

    Args:
        declared: the strict rules of a declared domain, else those of a plain folder.
        schema: where unqualified names are made.
        migration: named in messages.

    Raises:
        SqlFileError: with every mistake of the file in `problems`.
    """
    from bgce_migrate.sqlfile import script

    return script.read_script(
        source, declared=declared, direction=direction, schema=schema, migration=migration
    )


def read_down(
    source: SourceFile | None,
    *,
    declared: bool,
    schema: str = "public",
    migration: MigrationId | None = None,
    irreversible: str | None = None,
) -> tuple[Script | None, str]:
    """The down of a migration, or None and the reason why there is none ("" if there is one).

    Args:
        irreversible: the reason that the up file gives, if it does.

    Raises:
        SqlFileError: only for declared domains: a broken down, or none although the up does not
            say `irreversible`.
    """
    from bgce_migrate.sqlfile import script

    return script.read_down(
        source, declared=declared, schema=schema, migration=migration, irreversible=irreversible
    )


def checksum(source: SourceFile) -> str:
    """`v1:` and the SHA-256 over the file's tokens and directives, as 64 hex digits.

    Raises:
        SqlFileError: the file cannot be cut into tokens, or a directive is wrong.
    """
    from bgce_migrate.sqlfile.digest import checksum_of

    return checksum_of(source)
