"""Reads any tree as far as it can be read; what is no PostgreSQL is left aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.config import Project, as_found
from bgce_migrate.finding import Finding, Severity
from bgce_migrate.linting import Request, lint
from bgce_migrate.linting.loading import read_tree
from bgce_migrate.looking.model import Aside
from bgce_migrate.registry import build
from bgce_migrate.tree import Tree

#: Names of folders that say whose SQL is in them.
_OTHER = {
    "mysql": "MySQL", "mariadb": "MariaDB", "sqlite": "SQLite", "sqlite3": "SQLite", "sqlserver": "SQL Server",
    "mssql": "SQL Server", "clickhouse": "ClickHouse", "cassandra": "Cassandra", "mongodb": "MongoDB",
    "spanner": "Spanner", "oracle": "Oracle", "snowflake": "Snowflake", "tidb": "TiDB",
}  # fmt: skip
#: Names of folders whose migrations nobody runs for real.
_TRIALS = frozenset({"testdata", "test-data", "fixtures", "testfixtures", "examples", "vendor"})


class Found(Struct, frozen=True):
    """A tree with everything that lint has to say about it."""

    tree: Tree
    findings: tuple[Finding, ...]
    aside: tuple[Aside, ...]


def read(directory: Path) -> Found:
    """Read a tree of plain folders.

    Raises:
        ConfigError: there is no such folder, or it cannot be read.
    """
    project, problems = as_found(directory)
    project, aside = _without_others(project)
    findings = [Finding("folder", Severity.ERROR, p.message, p.where, p.hint) for p in problems]
    while True:
        loaded = read_tree(project)
        tree = loaded.tree
        if tree is None:
            # One folder cannot be read at all: what is said of it stays, and the others are looked at.
            broken = {f.domain for f in loaded.findings if f.domain} or {d.name for d in project.domains[:1]}
            findings += loaded.findings
            aside += [Aside(_folder(project, name), "it cannot be read") for name in sorted(broken)]
            project = _less(project, broken)
            continue
        request = Request(everything=True, one_by_one=True, style=False, use_git=False, cache=False)
        said = lint(loaded, request).findings
        foreign = _foreign(tree, said)
        if not foreign:
            return Found(tree, (*findings, *said), tuple(aside))
        aside += [Aside(_folder(project, name), reason) for name, reason in foreign.items()]
        project = _less(project, foreign)


def _without_others(project: Project) -> tuple[Project, list[Aside]]:
    """Without folders whose names say that their SQL is another server's, or of tests."""
    aside: dict[str, str] = {}
    for domain in project.domains:
        words = [word.lower() for word in domain.folder.relative_to(project.root).parts]
        other = next((_OTHER[word] for word in reversed(words) if word in _OTHER), None)
        trial = next((word for word in words if word in _TRIALS), None)
        if other is not None:
            aside[domain.name] = f"its name says {other}"
        elif trial is not None:
            aside[domain.name] = f"it lies in {trial}"
    if len(aside) == len(project.domains):
        return project, []  # nothing else is here, so they are meant
    listed = [Aside(_folder(project, name), reason) for name, reason in aside.items()]
    return _less(project, aside), listed


def _foreign(tree: Tree, findings: Iterable[Finding]) -> dict[str, str]:
    """Domains of which more than half is not PostgreSQL's SQL."""
    ups = {found.up.path for found in tree.migrations.values()}
    broken = Counter(
        (f.domain, f.where.file) for f in findings if f.rule == "syntax" and f.where is not None and f.where.file in ups
    )
    counts = Counter(domain for domain, _ in broken)
    sizes = Counter(i.domain for i in tree.migrations)
    return {
        name: f"{count} of its {sizes[name]} up files are not PostgreSQL's SQL"
        for name, count in sorted(counts.items(), key=str)
        if name is not None and count * 2 > sizes[name]
    }


def only(tree: Tree, domains: Iterable[str]) -> Tree:
    """The same tree with these domains only, so far as they can be applied: up to the first file that cannot be read."""
    kept = frozenset(domains)
    ends = {i.domain: i.version for i in sorted(tree.unread, reverse=True)}
    small = Tree.of(
        _less(tree.project, {d.name for d in tree.project.domains} - kept),
        {i: m for i, m in tree.migrations.items() if i.domain in kept and i.version < ends.get(i.domain, i.version + 1)},
        None,
    )
    for migration in small.migrations:
        small.know(migration, tree.script(migration))
    return small


def _less(project: Project, names: Iterable[str]) -> Project:
    gone = frozenset(names)
    domains = tuple(d for d in project.domains if d.name not in gone)
    return replace(project, domains=domains, registry=build(domains)) if gone else project


def _folder(project: Project, name: str) -> str:
    return relative(next(d.folder for d in project.domains if d.name == name), project.root)


def relative(path: Path | str, root: Path) -> str:
    """A path as it is said from the tree; as it is if it lies elsewhere."""
    try:
        return Path(path).absolute().relative_to(root).as_posix()
    except ValueError:
        return str(path)
