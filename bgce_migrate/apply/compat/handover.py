"""The way back: golang-migrate's version tables written from history, where that tool could go on from them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from bgce_migrate.apply.compat.rows import Tables, VersionRows
from bgce_migrate.apply.context import Limits, RunInfo
from bgce_migrate.apply.marks import leading
from bgce_migrate.apply.target import Target, require_writable
from bgce_migrate.config.paths import shown
from bgce_migrate.db import golang_migrate
from bgce_migrate.db.golang_migrate import Place
from bgce_migrate.db.history import State
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import Problem, Refused, UsageError
from bgce_migrate.plan.version_row import VersionRow
from bgce_migrate.tree import Tree

#: What golang-migrate calls it where nobody says otherwise.
_ITS_OWN = "schema_migrations"
_SEVERAL = "{service}_schema_migrations"
_NAME = re.compile(r"(?:[a-z_][a-z0-9_]*\.)?[a-z_{][a-z0-9_{}]*\Z")
_LONGEST = 63  # bytes: NAMEDATALEN - 1


class Handed(Struct, frozen=True):
    """One domain's table as golang-migrate will find it.

    Attributes:
        folder: of the domain's files, for that tool's `-path`.
    """

    domain: str
    place: Place
    row: VersionRow
    folder: str

    @property
    def statements(self) -> tuple[str, ...]:
        """What makes it so, whatever is there."""
        return (golang_migrate.create(self.place, missing=True), *golang_migrate.write(self.place, self.row))

    @property
    def words(self) -> str:
        """golang-migrate's own options for this folder and this table."""
        schema, name = self.place
        table = f'"{schema}"."{name}"&x-migrations-table-quoted=1' if schema != "public" else name
        return f"-path {self.folder} -database 'URL?x-migrations-table={table}'"


def places(tree: Tree, domains: Sequence[str], table: str | None) -> dict[str, Place]:
    """The tables' names by domain.

    Args:
        table: with or without a schema, `{service}` for the domain's name; by default what `[compat]` says.

    Raises:
        UsageError: it is no name, or one for several domains.
    """
    whole = {d.name: d for d in tree.project.domains}
    chosen = [whole[name] for name in domains]
    said = tree.project.compat.tables(chosen)
    if table is None and said:
        return said
    pattern = table if table is not None else _ITS_OWN if len(whole) == 1 else _SEVERAL
    if not _NAME.match(pattern) or re.search(r"[{}]", pattern.replace("{service}", "")):
        raise UsageError(f"'{table}' is not a table's name", hint=f"for example --table '{_SEVERAL}'")
    if "{service}" not in pattern and len(chosen) != 1:
        raise UsageError(
            f"{pattern} would be one table for {len(chosen)} domains: {', '.join(domains)}",
            hint=f"say which: --domain NAME; or --table '{{service}}_{pattern.rpartition('.')[2]}'",
        )
    schema, _, name = pattern.rpartition(".")
    out = {d.name: (schema or d.schema, name.replace("{service}", d.name)) for d in chosen}
    if long := [n for _, n in out.values() if len(n.encode()) > _LONGEST]:
        raise UsageError(f"{long[0]} is longer than the {_LONGEST} bytes of a name")
    return out


def handed(tree: Tree, state: State, wanted: dict[str, Place]) -> tuple[Handed, ...]:
    """What each table has to say.

    Raises:
        Refused: golang-migrate could not go on from there; names every migration that is in the way.
    """
    rows = VersionRows(Tables(wanted, tuple(tree.migrations)), state)
    problems = [problem for domain in wanted for problem in _in_the_way(tree, state, rows, domain)]
    if problems:
        raise Refused(
            problems[0].message if len(problems) == 1 else f"golang-migrate could not go on: {len(problems)} migrations are in the way",
            hint=problems[0].hint,
            problems=problems,
        )
    folders = {d.name: shown(d.folder) for d in tree.project.domains}
    return tuple(Handed(d, place, rows.truth(d), folders[d]) for d, place in wanted.items())


def _in_the_way(tree: Tree, state: State, rows: VersionRows, domain: str) -> list[Problem]:
    out = []
    for migration in dict.fromkeys(u.id for u in state.journal if u.id.domain == domain):
        out.append(
            Problem(
                f"{migration.short} is half done, which golang-migrate has no way to tell",
                hint="finish it first: bgce-migrate up, or down; or bgce-migrate repair --forget-journal",
            )
        )
    for version in rows.mark(domain).gaps():
        found = next(i for i in tree.migrations if (i.domain, i.version) == (domain, version))
        out.append(
            Problem(
                f"{found} is not applied, but later ones are: golang-migrate would never run it",
                hint=f"apply it first: bgce-migrate up --domain {domain}",
            )
        )
    for migration in state.applied:
        if migration.domain == domain and migration not in tree.migrations:
            out.append(
                Problem(
                    f"{migration} is applied, but its file is not here: golang-migrate finds no way from it",
                    hint=f"put the file back, or undo it: bgce-migrate down --domain {domain}",
                )
            )
    return out


def write(tree: Tree, target: Target, info: RunInfo, limits: Limits, wanted: dict[str, Place]) -> tuple[Handed, ...]:
    """Write them, all in one transaction under the run's lock.

    Raises:
        Refused: as `handed`; or this login may not make or write them. Nothing was changed.
    """
    require_writable(target)
    with leading(target, info, limits) as leadership:
        tables = handed(tree, target.state, wanted)
        known = golang_migrate.read(target.control) or {}
        commands = [Command("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")]
        commands.append(Command("SELECT pg_catalog.set_config('lock_timeout', $1, true)", (limits.lock_timeout,)))
        for table in tables:
            kept = known.get(table.domain)
            if kept is not None and kept.place == table.place:
                commands.append(golang_migrate.keep(target.control, leadership.epoch, table.domain, table.row))
            else:
                commands += map(Command, table.statements)
        try:
            target.control.run([*commands, Command("COMMIT")])
        except Failed as failed:
            target.control.execute("ROLLBACK")
            raise Refused(
                f"{target.facts.login} cannot write {golang_migrate.names(t.place for t in tables)}: "
                f"{failed.error.diag.message_primary}",
                hint="run the printed SQL as who may; or set [compat] golang_migrate and let an administrator run"
                " bgce-migrate bootstrap",
            ) from None
    return tables
