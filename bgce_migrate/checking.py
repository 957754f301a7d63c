"""The checks of a whole project without a database: order, lock file, and what git says about both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bgce_migrate.config.paths import shown
from bgce_migrate.errors import BgceError, Problem, Refused, SqlFileError, Where
from bgce_migrate.migration import Direction, Finding, MigrationId, Severity
from bgce_migrate.order import lockfile
from bgce_migrate.order.lockfile import Difference, Edited, Missing, Renumbered
from bgce_migrate.repository import Base, Repository
from bgce_migrate.repository import findings as git_findings
from bgce_migrate.settling import settle
from bgce_migrate.tree import Tree

_RECORD = "bgce-migrate lock"
_MEND = "put the old text back and write a new migration for the change"


def check(tree: Tree, repository: Repository | None, base: Base) -> tuple[Finding, ...]:
    """Everything there is to say, worst first, each edited or missing file once.

    Rules: those of `repository.findings`, `lock-missing`, `lock-edited`, `lock-gone`, `lock-renumbered`,
    `lock-none`, `not-sql`, `order`, and the findings of reading and placing.
    """
    git = git_findings(tree, repository, base) if tree.project.declared else ()
    told = {f.where.file for f in git if f.where is not None}
    found = [*git, *(f for f in lock_findings(tree) if f.where is None or f.where.file not in told)]
    found += order_findings(tree)
    weight = {severity: n for n, severity in enumerate(Severity)}
    return tuple(sorted(dict.fromkeys(found), key=lambda f: weight[f.severity]))


def lock_findings(tree: Tree) -> tuple[Finding, ...]:
    """The lock file against the files on disk."""
    project = tree.project
    if not project.declared:
        return ()
    name = shown(project.lock_path)
    if tree.lock is None:
        if not tree.migrations:
            return ()
        return (Finding("lock-none", Severity.NOTE, f"there is no {name}: no order is recorded", hint=_RECORD),)
    found: dict[tuple[str, MigrationId], Finding] = {}
    for difference in lockfile.check(tree.lock, tuple(tree.migrations.values())):
        for finding in _difference(tree, difference, name):
            found.setdefault((finding.rule, _id(difference)), finding)
    return tuple(found.values())


def _id(difference: Difference) -> MigrationId:
    if isinstance(difference, lockfile.Unlocked):
        return difference.migration.id
    return difference.line.id


def _difference(tree: Tree, difference: Difference, name: str) -> Iterator[Finding]:
    if isinstance(difference, Missing):
        line = difference.line
        # A domain that comes from a package is not here where only the repository's files are.
        if line.id.domain in tree.project.registry:
            message = f"{line.id} is in {name}, but its file is gone"
            yield _error("lock-gone", message, Where(name, line.line), "git checkout HEAD -- FILE brings a file back; a recorded migration is never removed", line.id)
    elif isinstance(difference, Renumbered):
        now = difference.migration
        message = f"{difference.line.id} is in {name}, and its files have another number now: {now.id}"
        hint = "give them their old number back, or renumber only what is not recorded"
        yield _error("lock-renumbered", message, Where(now.up.path), hint, now.id)
    elif isinstance(difference, Edited):
        now = difference.migration
        if _is_edited(tree, difference):
            down = difference.direction is Direction.DOWN
            file = now.down.path if down and now.down is not None else now.up.path
            message = f"{'the down of ' if down else ''}{now.id} was edited after it was recorded in {name}"
            yield _error("lock-edited", message, Where(file), _MEND, now.id)
    else:
        now = difference.migration
        yield _error("lock-missing", f"{now.id} is not in {name}", Where(now.up.path), _RECORD, now.id)


def _is_edited(tree: Tree, edited: Edited) -> bool:
    """Whether more than comments and white space differ."""
    i = edited.line.id
    try:
        if edited.direction is Direction.UP:
            return tree.checksum(i) != edited.line.up_checksum
        return tree.down_checksum(i) != edited.line.down_checksum
    except BgceError:
        return True


def order_findings(tree: Tree) -> tuple[Finding, ...]:
    """Files that cannot be read as SQL, mistakes of the order, and what placing has to say."""
    unreadable = [f for i in tree.migrations for f in _unreadable(tree, i)]
    if unreadable:
        # An order over a part of the files would be another one.
        return tuple(unreadable)
    notes = tuple(n for i in tree.migrations if tree.locked(i) is None for n in tree.script(i).notes)
    try:
        return (*notes, *settle(tree, ()).placement.findings)
    except Refused as error:
        problems = error.problems or (Problem(error.message, error.where, error.hint),)
        return (*notes, *_of_problems("order", problems, error.hint))


def _unreadable(tree: Tree, migration: MigrationId) -> Iterator[Finding]:
    for read in (tree.script, tree.down):
        try:
            read(migration)
        except SqlFileError as error:
            problems = error.problems or (Problem(error.message, error.where, error.hint),)
            yield from _of_problems("not-sql", problems, error.hint, migration.domain)
            return


def _of_problems(
    rule: str, problems: Sequence[Problem], hint: str | None, domain: str | None = None
) -> Iterator[Finding]:
    for problem in problems:
        yield Finding(rule, Severity.ERROR, problem.message, problem.where, problem.hint or hint, domain)


def _error(rule: str, message: str, where: Where, hint: str, migration: MigrationId) -> Finding:
    return Finding(rule, Severity.ERROR, message, where, hint, migration.domain)
