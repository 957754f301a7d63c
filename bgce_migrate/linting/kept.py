"""Whole results, kept by everything that could change them: when nothing did, nothing is read or judged again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct, field

from bgce_migrate import __version__
from bgce_migrate.linting.store import READING, Store, code_times
from bgce_migrate.migration import Finding, MigrationId, Severity
from bgce_migrate.tree import Tree

#: Raised when rules change without a new version.
FORMAT = 1
_JUDGING = (*READING, "lint", "lint/rules", "lint/catalog", "lint/ownership", "linting", "order")
_KIN = "run-"
_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


class Request(Struct, frozen=True):
    """What is asked of one lint run.

    Attributes:
        files: only findings about these are shown; empty: all.
        only: the same, by the paths that findings show; files that are gone, too.
        everything: judge what is on the target branch, too.
        one_by_one: every migration finds rows in the tables of those before it, as if each had been deployed by itself.
        base: what to compare with, instead of the target branch.
        target: oldest major of PostgreSQL; None: what `bgce.toml` says.
        style: also sqlfluff, on the judged files; None: where it is installed and few files are judged.
        today: ISO date, for waivers.
    """

    files: tuple[Path, ...] = ()
    only: frozenset[str] | None = None
    everything: bool = False
    one_by_one: bool = False
    base: str | None = None
    target: int | None = None
    style: bool | None = None
    today: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    use_git: bool = True
    cache: bool = True
    jobs: int = 2


class Result(Struct, frozen=True):
    """What lint has to say.

    Attributes:
        findings: by file; within a file the worst first, then by line.
        sources: the texts of files that findings are about, by shown path.
        judged: how many migrations were judged, of `migrations`.
        fixable: paths that may be rewritten: judged and not in the lock file.
        statements: the words of the statement a finding is about: they stay when lines move.
    """

    findings: tuple[Finding, ...] = ()
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    judged: int = 0
    migrations: int = 0
    fixable: frozenset[str] = frozenset()
    statements: Mapping[Finding, str] = field(default_factory=lambda: MappingProxyType({}))


class _Wire(msgspec.Struct, array_like=True):
    findings: list[Finding]
    statements: list[str]
    fixable: list[str]


_findings: msgspec.msgpack.Decoder[list[Finding]] = msgspec.msgpack.Decoder(list[Finding])
_decoder: msgspec.msgpack.Decoder[_Wire] = msgspec.msgpack.Decoder(_Wire)


def key_of(tree: Tree, request: Request, judged: frozenset[MigrationId], more: tuple[Finding, ...], style: bool) -> str:
    """The name under which a result is kept."""
    digest = hashlib.sha256()
    for part in _parts(tree, request, judged, more, style):
        digest.update(repr(part).encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return f"{_KIN}{digest.hexdigest()}"


def _parts(
    tree: Tree, request: Request, judged: frozenset[MigrationId], more: tuple[Finding, ...], style: bool
) -> Iterator[Any]:
    """Everything a result depends on; the code itself by the times of its files."""
    yield __version__, FORMAT, code_times(_JUDGING)
    yield request.target, request.today, request.one_by_one, sorted(map(str, request.files)), sorted(request.only or ()), request.only is None, style, os.getcwd()
    project = tree.project
    yield project.lint, project.database, project.history_view, project.domains, project.environments
    yield tree.lock
    for migration in tree.migrations.values():
        down = migration.down.sha256 if migration.down is not None else None
        yield migration.up.path, migration.up.sha256, down, migration.id in judged
    yield more
    if style:
        from bgce_migrate.style.keys import Keys

        naming = Keys()
        for chosen in sorted(judged):
            found = tree.migrations[chosen]
            yield [naming.of(source) for source in (found.up, found.down) if source is not None]


def get(store: Store, key: str, tree: Tree, judged: int) -> Result | None:
    """A kept result, with the texts as they are now."""
    raw = store.one(key)
    if raw is None:
        return None
    try:
        wire = _decoder.decode(raw)
    except (msgspec.DecodeError, ValueError, TypeError):
        return None
    paths = {f.where.file for f in wire.findings if f.where is not None}
    sources = {
        source.path: source.text
        for migration in tree.migrations.values()
        for source in (migration.up, migration.down)
        if source is not None and source.path in paths
    }
    statements = {f: words for f, words in zip(wire.findings, wire.statements, strict=True) if words}
    return Result(tuple(wire.findings), sources, judged, len(tree.migrations), frozenset(wire.fixable), statements)


def put(store: Store, key: str, result: Result) -> None:
    """Keep a result."""
    statements = [result.statements.get(f, "") for f in result.findings]
    wire = _Wire(list(result.findings), statements, sorted(result.fixable))
    store.put_one(key, msgspec.msgpack.encode(wire), kin=_KIN)


def write_findings(pipe: BinaryIO, findings: Sequence[Finding]) -> None:
    """Send findings to another process."""
    pipe.write(msgspec.msgpack.encode(findings))


def read_findings(raw: bytes) -> tuple[Finding, ...] | None:
    """What `write_findings` sent; None where it did not arrive whole."""
    try:
        return tuple(_findings.decode(raw))
    except (msgspec.DecodeError, ValueError, TypeError):
        return None


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Files by name, within a file the worst first, then by place."""

    def place(finding: Finding) -> tuple[str, int, int, int, str]:
        where = finding.where
        if where is None:
            return ("", _RANKS[finding.severity], 0, 0, finding.rule)
        return (where.file, _RANKS[finding.severity], where.line or 0, where.column or 0, finding.rule)

    return tuple(sorted(findings, key=place))
