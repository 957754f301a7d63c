"""A project's migrations against the target branch: edited, deleted, renamed, or with a number that is taken."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from bgce_migrate.config.paths import shown
from bgce_migrate.errors import BgceError, Where
from bgce_migrate.migration import Finding, Migration, MigrationId, Severity, SourceFile
from bgce_migrate.repository.lock_lines import moved_lines
from bgce_migrate.repository.recorded import Pair, Recorded, checksum_of, state_at
from bgce_migrate.repository.target import Base
from bgce_migrate.repository.work_tree import Repository

if TYPE_CHECKING:
    from bgce_migrate.tree import Tree


def findings(tree: Tree, repository: Repository | None, base: Base) -> tuple[Finding, ...]:
    """What the change did to migrations that are on the target branch, and to their lines in the lock file.

    Rules: `git-edited` (comments and white space are free), `git-deleted`, `git-renamed`, `git-same-number`,
    `git-lock-moved`; `git-no-base` is a note that nothing could be compared.
    """
    if repository is None:
        return base.notes
    found = list(base.notes)
    known: Collection[MigrationId] = ()
    if base.commit is not None:
        then = state_at(repository, base.commit, tree.project)
        known = then.pairs
        found += _Judge(tree, repository, base, then).migrations()
        found += moved_lines(tree, base, then)
    if base.tip is not None and base.tip != base.commit:
        found += _same_numbers(tree, base, state_at(repository, base.tip, tree.project), known)
    return tuple(found)


def on_target(tree: Tree, repository: Repository | None, base: Base) -> frozenset[MigrationId]:
    """Migrations of the tree that the target branch has, whether they were edited since or not."""
    if repository is None:
        return frozenset()
    found: set[MigrationId] = set()
    for commit in dict.fromkeys(c for c in (base.commit, base.tip) if c is not None):
        then = state_at(repository, commit, tree.project)
        same = commit == base.commit
        found |= {i for i in then.pairs if i in tree.migrations and (same or _is_same(tree, then, i))}
    return frozenset(found)


def _is_same(tree: Tree, then: Recorded, migration: MigrationId) -> bool:
    pair, now = then.pairs[migration], tree.migrations[migration]
    return then.has_bytes(pair.up, now.up) or then.checksum(pair.up) == _checksum(tree, migration)


def _checksum(tree: Tree, migration: MigrationId) -> str | None:
    """`v1:` of the up file now; None for what is no SQL."""
    try:
        return tree.checksum(migration)
    except BgceError:
        return None


class _Judge:
    """The migrations of one commit, looked for on disk."""

    def __init__(self, tree: Tree, repository: Repository, base: Base, then: Recorded) -> None:
        self.tree, self.repository, self.base, self.then = tree, repository, base, then
        # The common case reads nothing from git: the blob's hash is computed from what is on disk.
        self.differing = [pair for pair in then.pairs.values() if not self._untouched(pair)]
        then.load(path for pair in self.differing for path in (pair.up, pair.down) if path)

    def migrations(self) -> Iterator[Finding]:
        for pair in self.differing:
            now = self.tree.migrations.get(pair.id)
            if now is not None:
                yield from self._still_here(pair, now)
            elif pair.id not in self.tree.unread:
                yield from self._gone(pair)

    def _untouched(self, pair: Pair) -> bool:
        now = self.tree.migrations.get(pair.id)
        if now is None or now.id.name != pair.id.name or not self.then.has_bytes(pair.up, now.up):
            return False
        if pair.down is None or now.down is None:
            return pair.down is None and now.down is None
        return self.then.has_bytes(pair.down, now.down)

    def _still_here(self, pair: Pair, now: Migration) -> Iterator[Finding]:
        changed = self._differs(pair.up, now.up)
        if now.id.name != pair.id.name:
            said = " and edited" if changed else ""
            message = f"{pair.id} is {self._on_target()} and was renamed{said}: it is {now.up.path} now"
            yield self._finding("git-renamed", pair.id, message, now.up.path, self._restore(pair, now))
        elif changed:
            message = f"{pair.id} is {self._on_target()} and was edited"
            yield self._finding("git-edited", pair.id, message, now.up.path, self._restore(pair))
        if pair.down is None and now.down is not None:
            message = f"{pair.id} is {self._on_target()} without a down, and was given one"
            yield self._finding("git-edited", pair.id, message, now.down.path, "put it into a new migration")
        elif pair.down is not None and now.down is None and now.id not in self.tree.unread:
            message = f"the down of {pair.id} is {self._on_target()} and was deleted"
            yield self._finding("git-deleted", pair.id, message, self._shown(pair.down), self._restore(pair))
        elif pair.down is not None and now.down is not None and self._differs(pair.down, now.down):
            message = f"the down of {pair.id} is {self._on_target()} and was edited"
            yield self._finding("git-edited", pair.id, message, now.down.path, self._restore(pair))

    def _gone(self, pair: Pair) -> Iterator[Finding]:
        moved = self._same_content_elsewhere(pair)
        if moved is None:
            message = f"{pair.id} is {self._on_target()} and was deleted"
            yield self._finding("git-deleted", pair.id, message, self._shown(pair.up), self._restore(pair))
        else:
            message = f"{pair.id} is {self._on_target()} and was given another number: it is {moved.id.short} now"
            yield self._finding("git-renamed", pair.id, message, moved.up.path, self._restore(pair, moved))

    def _same_content_elsewhere(self, pair: Pair) -> Migration | None:
        for migration in self.tree.migrations.values():
            if migration.id in self.then.pairs or migration.id.domain != pair.id.domain:
                continue
            if not self._differs(pair.up, migration.up):
                return migration
        return None

    def _differs(self, path: str, now: SourceFile) -> bool:
        """Whether a file says something else than it did; comments and white space do not count."""
        if self.then.has_bytes(path, now):
            return False
        then = self.then.content(path)
        if then is None:
            return True
        before, after = checksum_of(path, then), checksum_of(path, now.text.encode("utf-8", "surrogatepass"))
        if before is None or after is None:
            # One of them is no SQL: only the ends of lines are free.
            return then.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n") != now.text.encode()
        return before != after

    def _on_target(self) -> str:
        return f"on {self.base.branch} (commit {self.base.short})"

    def _shown(self, path: str) -> str:
        return shown(self.repository.top / path)

    def _restore(self, pair: Pair, instead: Migration | None = None) -> str:
        """The commands that bring the old files back."""
        # Paths are said from the top: `:/` means there wherever the person stands.
        old = " ".join(shlex.quote(f":/{path}") for path in (pair.up, pair.down) if path)
        remove = [s.path for s in (instead.up, instead.down) if s is not None] if instead else []
        first = f"git rm -f {' '.join(map(shlex.quote, remove))} && " if remove else ""
        domain = pair.id.domain
        return (
            f"{first}git checkout {self.base.short} -- {old}; "
            f"what should be different goes into a new migration: bgce-migrate new migration {domain} SLUG"
        )

    def _finding(self, rule: str, migration: MigrationId, message: str, file: str, hint: str) -> Finding:
        return Finding(rule, Severity.ERROR, message, Where(file), hint, migration.domain)


def _same_numbers(
    tree: Tree, base: Base, tip: Recorded, known: Collection[MigrationId]
) -> Iterator[Finding]:
    """New migrations whose version another branch took first."""
    taken = [i for i in tip.pairs if i in tree.migrations and i not in known]
    tip.load(tip.pairs[i].up for i in taken if not tip.has_bytes(tip.pairs[i].up, tree.migrations[i].up))
    for i in taken:
        pair, now = tip.pairs[i], tree.migrations[i]
        if _is_same(tree, tip, i) and pair.id.name == now.id.name:
            continue
        other = pair.id.name if pair.id.name != now.id.name else "other contents"
        message = (
            f"{now.id.short} is taken: {base.branch} (commit {tip.commit[:10]}) has {other} under this number, "
            f"here it is {now.id.name}"
        )
        hint = f"bgce-migrate renumber {i.domain}" + (f" --base {shlex.quote(base.said)}" if base.said else "")
        yield Finding("git-same-number", Severity.ERROR, message, Where(now.up.path), hint, i.domain)
