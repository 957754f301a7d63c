"""Which migrations are judged, and which of the findings are shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.config.paths import shown
from bgce_migrate.errors import UsageError
from bgce_migrate.migration import Finding, MigrationId
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.linting.kept import Request
    from bgce_migrate.linting.loading import Loaded
    from bgce_migrate.repository import Base, Repository


class Git(Struct, frozen=True):
    """The repository around the project and the commit it is compared with."""

    repository: Repository | None = None
    base: Base | None = None

    def findings(self, tree: Tree) -> tuple[Finding, ...]:
        """What was done to migrations that are on the target branch."""
        if self.base is None:
            return ()
        from bgce_migrate import repository

        return repository.findings(tree, self.repository, self.base)

    def on_target(self, tree: Tree) -> frozenset[MigrationId] | None:
        """What the target branch has; None where that is not known."""
        if self.repository is None or self.base is None or self.base.commit is None:
            return None
        from bgce_migrate import repository

        return repository.on_target(tree, self.repository, self.base)


def look_at_git(tree: Tree, ref: str | None, environment: Mapping[str, str]) -> Git:
    """Open the repository around the project, if there is one and GitPython is installed.

    Raises:
        UsageError: `--base` was said and cannot be followed.
    """
    root = tree.project.root
    if ref is None and not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return Git()
    from bgce_migrate import repository

    try:
        found = repository.open_repository(root)
    except UsageError as error:
        if ref is not None:
            raise
        return Git(None, repository.Base(reason=error.message, hint=error.hint))
    targets = [e.branch for e in tree.project.environments.values() if e.branch]
    return Git(found, repository.find_base(found, ref, environment, targets=targets))


def judged_of(tree: Tree, git: Git, *, everything: bool) -> frozenset[MigrationId]:
    """Migrations that are not on the target branch; without git, those that are not in the lock file."""
    if everything:
        return frozenset(tree.migrations)
    known = git.on_target(tree)
    if known is None:
        known = frozenset(line.id for line in tree.lock.lines) if tree.lock is not None else frozenset()
    return frozenset(i for i in tree.migrations if i not in known)


def changed_files(loaded: Loaded, request: Request) -> Request:
    """The request restricted to the files that are not, or not so, on the target branch.

    Raises:
        UsageError: git cannot say what has changed.
    """
    if loaded.tree is None:
        return request
    git = look_at_git(loaded.tree, request.base, request.environment)
    if git.on_target(loaded.tree) is None:
        reason = git.base.reason if git.base is not None else "this folder is in no git repository"
        hint = git.base.hint if git.base is not None else None
        raise UsageError(f"--changed: {reason}", hint=hint or "say what to compare with: --base REF")
    paths = {finding.where.file for finding in git.findings(loaded.tree) if finding.where is not None}
    for migration in judged_of(loaded.tree, git, everything=False):
        found = loaded.tree.migrations[migration]
        paths |= {source.path for source in (found.up, found.down) if source is not None}
    return replace(request, only=frozenset(paths))


#: So many files are checked for style unasked; more take too long.
FEW = 60


def wants_style(tree: Tree, request: Request, judged: frozenset[MigrationId]) -> bool:
    """Whether sqlfluff is asked: when it is said, or where it is installed and few files are judged."""
    if request.style is not None:
        return request.style
    if request.everything or not judged or len(judged) > FEW:
        return False
    import importlib.util

    return importlib.util.find_spec("sqlfluff") is not None


class Chosen(Struct, frozen=True):
    """The files named on the command line, as findings show them; None for all."""

    files: frozenset[str] | None = None

    def shows(self, finding: Finding) -> bool:
        """Whether a finding is about a chosen file."""
        return self.files is None or (finding.where is not None and finding.where.file in self.files)


def chosen(tree: Tree, request: Request) -> Chosen:
    """Which files are asked for; folders mean what is below them.

    Raises:
        UsageError: a name that is no file here.
    """
    files = request.files
    if not files:
        return Chosen(request.only)
    found: set[str] = set()
    known = _known(tree)
    for file in files:
        real = os.path.realpath(file)
        if os.path.isdir(file):
            found.update(name for path, name in known.items() if path.startswith(real + os.sep))
        elif real in known:
            found.add(known[real])
        elif not os.path.lexists(file):
            raise UsageError(f"there is no file {shown(file)}", hint="name migration files, or none for all")
        else:
            found.add(shown(file))
    return Chosen(frozenset(found))


def _known(tree: Tree) -> dict[str, str]:
    """Real path to shown path, of every file of the tree and the folders' declarations."""
    found: dict[str, str] = {}
    for migration in tree.migrations.values():
        for source in (migration.up, migration.down):
            if source is not None:
                found[os.path.realpath(source.path)] = source.path
    return found


