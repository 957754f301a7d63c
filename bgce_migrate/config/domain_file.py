"""One `domain.toml` -> Domain."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import cast

from msgspec import Struct, UnsetType

from bgce_migrate.config.convert import convert
from bgce_migrate.config.mistakes import Mistakes
from bgce_migrate.config.schema import DomainToml, ServiceToml, TableToml
from bgce_migrate.config.toml_file import TomlFile, read_toml
from bgce_migrate.domain import COLUMN_CLASSES, ColumnClass, Domain, Read, Service, Table
from bgce_migrate.errors import Where
from bgce_migrate.registry.references import (
    KeyPath,
    ReferenceFault,
    did_you_mean,
    key_text,
    parse_read,
    printable,
)

DECLARATION = "domain.toml"


class Declared(Struct, frozen=True):
    """A domain with the file it was read from, to find lines in."""

    domain: Domain
    file: TomlFile
    read_index: dict[KeyPath, KeyPath]

    def where(self, path: KeyPath) -> Where:
        """The place of a key of the domain."""
        return self.file.where(self.read_index.get(path, path))


def read_domain(
    folder: Path, mistakes: Mistakes, *, rank: int = 0, distribution: str | None = None
) -> Declared | None:
    """Read `folder/domain.toml`; None, and mistakes, if no domain can be made of it.

    What is wrong with single keys is recorded, and the key left at its default.
    """
    file = read_toml(folder / DECLARATION, mistakes)
    if file is None:
        return None
    said = convert(file, DomainToml, mistakes)
    if said is None:
        return None
    index: dict[KeyPath, KeyPath] = {}
    tables = {name: _table(name, table, file, mistakes) for name, table in said.tables.items()}
    services = tuple(
        _service(i, service, tuple(tables), file, mistakes, index) for i, service in enumerate(said.services)
    )
    domain = Domain(
        name=said.name,
        folder=folder,
        rank=rank,
        title=said.title,
        team=said.team,
        requires=tuple(said.requires),
        schema=said.schema,
        tables=MappingProxyType(tables),
        services=services,
        functions=MappingProxyType(dict(said.functions)),
        loose=tuple(said.loose),
        shares=MappingProxyType({reader: tuple(targets) for reader, targets in said.shares.items()}),
        distribution=distribution,
    )
    return Declared(domain, file, index)


def _table(name: str, said: TableToml, file: TomlFile, mistakes: Mistakes) -> Table:
    columns: dict[str, ColumnClass] = {}
    for column, kind in said.columns.items():
        if kind not in COLUMN_CLASSES:
            path = ("tables", name, "columns", column)
            hint = did_you_mean(kind, COLUMN_CLASSES) or f"one of {', '.join(COLUMN_CLASSES)}"
            message = f"{key_text(path)}: '{printable(kind)}' is not a class of columns"
            mistakes.add(message, file.where(path), hint)
        elif kind != "public":
            columns[column] = cast(ColumnClass, kind)
    sets = {set_name: tuple(members) for set_name, members in said.sets.items()}
    return Table(name, MappingProxyType(columns), MappingProxyType(sets), frozenset(said.columns))


def _service(
    i: int,
    said: ServiceToml,
    tables: tuple[str, ...],
    file: TomlFile,
    mistakes: Mistakes,
    index: dict[KeyPath, KeyPath],
) -> Service:
    reads: list[Read] = []
    for j, text in enumerate(said.reads):
        path: KeyPath = ("services", i, "reads", j)
        try:
            read = parse_read(text)
        except ReferenceFault as fault:
            mistakes.add(f"{key_text(path)}: {fault}", file.where(path))
            continue
        # Reads that cannot be read are left out, so later messages must find the others' own lines.
        index["services", i, "reads", len(reads)] = path
        reads.append(read)
    return Service(
        name=said.name,
        login=f"{said.name}_user" if said.login is None else said.login,
        pool=said.pool,
        writes=tables if isinstance(said.writes, UnsetType) else tuple(said.writes),
        reads=tuple(reads),
        calls=tuple(said.calls),
    )
