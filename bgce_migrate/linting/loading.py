"""Reads a project as far as it can be read: what is wrong with it becomes findings, the rest goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct, field

from bgce_migrate import config as settings
from bgce_migrate.config import Project, read_what_can_be_read
from bgce_migrate.errors import BgceError, ConfigError, Problem, UsageError, Where
from bgce_migrate.host import Host
from bgce_migrate.migration import Finding, Migration, MigrationId, Severity
from bgce_migrate.order import lockfile
from bgce_migrate.tree import Tree

#: Which rule a mistake of loading belongs to, by its words; the first that matches.
_RULES = (
    (re.compile(r"has two (up|down) files|is there twice"), "duplicate-version"),
    (re.compile(r"has no up file"), "missing-version"),
    (re.compile(r"is locked twice|lock file|merge conflict"), "lock-unreadable"),
    (re.compile(r"require each other in a circle"), "order-cycle"),
    (re.compile(r"is owned by .* already"), "two-owners"),
)


class Loaded(Struct):
    """A project, or what of it could be read.

    Attributes:
        tree: None where nothing can be linted; `findings` say why.
    """

    project: Project | None = None
    tree: Tree | None = None
    findings: list[Finding] = field(default_factory=list)


def load(
    start: Path,
    *,
    config: Path | None = None,
    migrations: Path | None = None,
    no_plugins: Sequence[str] = (),
) -> Loaded:
    """Find and read a project like `Desk.load`, but go on where one file or one domain is broken.

    Plugins that are not installed are left out: lint runs in environments that hold nothing but itself.

    Raises:
        UsageError: there is no project here.
    """
    if migrations is not None:
        if not migrations.is_dir():
            raise UsageError(f"{migrations} is not a folder", hint="--migrations takes a folder of migrations")
        return read_tree(settings.undeclared(migrations))
    found = config or settings.find(start)
    if found is None:
        raise UsageError(
            f"there is no bgce.toml in {start} or above",
            hint="`bgce-migrate init` makes one; or try a plain folder: --migrations DIR",
        )
    loaded = Loaded()
    try:
        host = Host.discover(settings.plugin_names(found), blocked=no_plugins, required=False)
        project = settings.load(found, delivered=host.delivered())
    except ConfigError as error:
        loaded.findings += findings_of(error, "declaration")
        return loaded
    return read_tree(project)


def read_tree(project: Project) -> Loaded:
    """All that can be read of a project's migrations."""
    loaded = Loaded(project)
    migrations: dict[MigrationId, Migration] = {}
    notes: list[Finding] = []
    unread: set[MigrationId] = set()
    for domain in project.domains:
        try:
            contents = read_what_can_be_read(domain)
        except ConfigError as error:
            # Without a whole domain everything that is said of the others could be wrong.
            loaded.findings += findings_of(error, "unreadable-file", domain.name)
            return loaded
        loaded.findings += _findings(contents.problems, "unreadable-file", domain.name)
        notes += contents.notes
        unread |= contents.unread
        migrations |= {m.id: m for m in contents.migrations}
    loaded.tree = Tree.of(project, migrations, _lock(project, loaded.findings), notes)
    loaded.tree.unread = frozenset(unread)
    return loaded


def _lock(project: Project, findings: list[Finding]) -> lockfile.LockFile | None:
    from bgce_migrate.config.paths import shown

    path = shown(project.lock_path)
    if not project.declared or not project.lock_path.is_file():
        return None
    try:
        return lockfile.parse(project.lock_path.read_text(encoding="utf-8"), path)
    except ConfigError as error:
        findings += findings_of(error, "lock-unreadable")
    except (OSError, UnicodeDecodeError) as error:
        said = f"{path} cannot be read: {error}"
        findings.append(Finding("lock-unreadable", Severity.ERROR, said, Where(path)))
    return None


def findings_of(error: BgceError, rule: str, domain: str | None = None) -> list[Finding]:
    """Each mistake of an error as a finding, under the rule its words say or else `rule`."""
    problems = error.problems or (Problem(error.message, error.where, error.hint),)
    return _findings(
        [Problem(p.message, p.where or error.where, p.hint or error.hint) for p in problems], rule, domain
    )


def _findings(problems: Iterable[Problem], rule: str, domain: str | None) -> list[Finding]:
    found = []
    for problem in problems:
        name = next((r for pattern, r in _RULES if pattern.search(problem.message)), rule)
        found.append(Finding(name, Severity.ERROR, problem.message, problem.where, problem.hint, domain))
    return found
