"""A tree of plain golang-migrate files, without any declaration -> Project."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from pathlib import Path

from msgspec import Struct, field

from bgce_migrate.config.domain_file import DECLARATION
from bgce_migrate.config.folders import FILE_NAME
from bgce_migrate.config.globs import subfolders
from bgce_migrate.config.mistakes import combined
from bgce_migrate.config.paths import inside, shown
from bgce_migrate.config.project import Project
from bgce_migrate.config.settings import LOCK_FILE
from bgce_migrate.domain import Domain
from bgce_migrate.errors import ConfigError, Problem, Where
from bgce_migrate.migration import Finding, Severity
from bgce_migrate.registry import build
from bgce_migrate.registry.references import printable

MAX_DEPTH = 8
MAX_FOLDERS = 10_000
#: A folder of this name says nothing about whose it is.
PLAIN_NAME = "migrations"
#: Other people's code, never a service's migrations.
FOREIGN = frozenset({"node_modules", "__pycache__"})
#: Characters that reorder the text around them: a name with one is not what it looks like.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


class _Search(Struct):
    top: str
    found: list[Path] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    visited: int = 0

    def note(self, rule: str, folder: Path, message: str) -> None:
        self.notes.append(Finding(rule, Severity.NOTE, message, Where(shown(folder))))


def undeclared(directory: Path) -> Project:
    """A project of the plain folders in `directory` (`--migrations DIR`).

    A folder that holds `*.up.sql` is a domain, named after it or, if it is called `migrations`, after its
    parent; folders inside such a folder are left aside, as golang-migrate does. Installed domains and
    declarations never enter.

    Raises:
        ConfigError: no such folder, no migrations in it, two domains of one name, a name with control
            characters, a link out of the folder.
    """
    root = directory.absolute()
    if not root.is_dir():
        raise ConfigError(f"there is no folder {shown(root)}", hint="name a folder with --migrations DIR")
    search = _Search(os.path.realpath(root))
    _look(root, search, 0)
    if search.problems:
        raise combined(ConfigError, f"folder {shown(root)}", search.problems)
    if not search.found:
        hint = "migrations are named NNNNNN_slug.up.sql, in this folder or one below it"
        raise ConfigError(f"folder {shown(root)} holds no *.up.sql", hint=hint, where=Where(shown(root)))
    names = [(_name(folder), folder) for folder in search.found]
    if problems := _name_problems(names):
        raise combined(ConfigError, f"folder {shown(root)}", problems)
    return _project(root, names, search)


def as_found(directory: Path) -> tuple[Project, tuple[Problem, ...]]:
    """Like `undeclared`, but what is wrong is told beside a project of all that can be used.

    Folders of one name get longer ones, of the folders they lie in: `shop-db` and `mail-db`. A project without
    domains is one, too.

    Raises:
        ConfigError: no such folder, or it cannot be read.
    """
    root = directory.absolute()
    if not root.is_dir():
        raise ConfigError(f"there is no folder {shown(root)}", hint="name a folder of migrations, or one above such")
    search = _Search(os.path.realpath(root))
    try:
        _look(root, search, 0)
    except ConfigError as error:
        if not search.found:
            raise
        search.problems.append(Problem(error.message, error.where, error.hint))
    return _project(root, _distinct(root, search.found), search), tuple(search.problems)


def _project(root: Path, names: list[tuple[str, Path]], search: _Search) -> Project:
    domains = tuple(
        Domain(name=name, folder=folder, rank=rank, declared=False)
        for rank, (name, folder) in enumerate(sorted(names, key=lambda pair: pair[0]))
    )
    rules_off = Finding(
        "undeclared",
        Severity.NOTE,
        f"{shown(root)} is not declared: ownership rules are off",
        hint="bgce-migrate init declares domains",
    )
    return Project(
        root=root,
        name=_name(root),
        domains=domains,
        registry=build(domains),
        lock_path=root / LOCK_FILE,
        notes=(rules_off, *sorted(search.notes, key=lambda n: str(n.where))),
    )


def _distinct(root: Path, folders: list[Path]) -> list[tuple[str, Path]]:
    """Names that say where a folder lies, as far as it takes to tell it from the others."""
    words = {
        folder: [w for w in (root.name, *folder.relative_to(root).parts) if w != PLAIN_NAME] or [PLAIN_NAME]
        for folder in folders
    }
    taken = dict.fromkeys(folders, 1)
    while True:
        names = {folder: printable("-".join(words[folder][-count:])) for folder, count in taken.items()}
        folded = Counter(_folded(name) for name in names.values())
        longer = [f for f in folders if folded[_folded(names[f])] > 1 and taken[f] < len(words[f])]
        if not longer:
            break
        for folder in longer:
            taken[folder] += 1
    # `a/migrations` and `a` are both called a.
    seen: Counter[str] = Counter()
    result = []
    for folder in folders:
        name = names[folder]
        seen[_folded(name)] += 1
        result.append((name if seen[_folded(name)] == 1 else f"{name}-{seen[_folded(name)]}", folder))
    return result


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _look(folder: Path, search: _Search, depth: int) -> None:
    search.visited += 1
    if search.visited > MAX_FOLDERS:
        where = Where(shown(folder))
        raise ConfigError(f"the tree holds more than {MAX_FOLDERS} folders", where=where)
    try:
        kinds = _kinds(folder)
    except OSError as error:
        message = f"folder {shown(folder)} cannot be read: {error.strerror or error}"
        if depth == 0:
            raise ConfigError(message, where=Where(shown(folder))) from None
        search.note("unreadable-folder", folder, message)
        return
    if "up" in kinds:
        search.found.append(folder)
        if (folder / DECLARATION).is_file():
            message = f"{shown(folder / DECLARATION)} is not read: the folder was given by --migrations"
            search.note("declaration-not-read", folder, message)
        for name in subfolders(folder):
            if _holds_ups(folder / name):
                message = f"folder {shown(folder / name)} is left aside: it lies inside a domain's folder"
                search.note("nested-folder", folder / name, message)
        return
    if "down" in kinds:
        message = f"folder {shown(folder)} holds down files only and is left aside"
        search.note("down-without-up", folder, message)
    if depth >= MAX_DEPTH:
        return
    for name in subfolders(folder):
        inner = folder / name
        if inner.is_symlink():
            _linked(inner, search)
        elif name not in FOREIGN:
            _look(inner, search, depth + 1)


def _linked(folder: Path, search: _Search) -> None:
    """A linked folder is never followed: what it leads to is in the tree already, or foreign."""
    if not _holds_ups(folder):
        return
    if inside(str(folder), search.top):
        search.note(
            "linked-folder", folder, f"folder {shown(folder)} is a link inside the tree and is left aside"
        )
        return
    message = f"folder {shown(folder)} is a link that leads out of {shown(Path(search.top))}"
    search.problems.append(Problem(message, Where(shown(folder)), "give its target to --migrations"))


def _holds_ups(folder: Path) -> bool:
    try:
        return "up" in _kinds(folder)
    except OSError:
        return False


def _kinds(folder: Path) -> set[str]:
    """Which of "up" and "down" files a folder itself has. Raises OSError."""
    kinds: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".sql") and (found := FILE_NAME.match(entry.name)):
                kinds.add(found[3])
    return kinds


def _name(folder: Path) -> str:
    if folder.name != PLAIN_NAME:
        return folder.name or PLAIN_NAME
    return folder.parent.name or PLAIN_NAME


def _name_problems(names: list[tuple[str, Path]]) -> list[Problem]:
    problems: list[Problem] = []
    seen: dict[str, tuple[str, Path]] = {}
    for name, folder in sorted(names, key=lambda pair: str(pair[1])):
        if any(unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI for c in name):
            message = f"the name of folder {printable(name)} holds control characters or is not UTF-8"
            problems.append(Problem(message, Where(printable(shown(folder))), "rename the folder"))
        folded = _folded(name)
        if folded in seen:
            other_name, other = seen[folded]
            same = "one name" if other_name == name else "names that differ in case or accents' spelling only"
            message = (
                f"folders {shown(other)} and {shown(folder)} would be domains of {same}, {printable(name)}"
            )
            hint = "rename one, give one of them alone to --migrations, or declare both: bgce-migrate init"
            problems.append(Problem(message, Where(shown(folder)), hint))
        seen.setdefault(folded, (name, folder))
    return problems
