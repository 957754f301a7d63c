"""`domains` of `bgce.toml` -> folders, in order: literal paths and globs, never out of the root."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from bgce_migrate.config.domain_file import DECLARATION
from bgce_migrate.config.mistakes import Mistakes
from bgce_migrate.config.paths import below, shown
from bgce_migrate.config.toml_file import TomlFile
from bgce_migrate.registry.references import KeyPath, key_text, printable

_WILD = frozenset("*?[")


def expand(file: TomlFile, root: Path, patterns: tuple[str, ...], mistakes: Mistakes) -> tuple[Path, ...]:
    """The folders that `patterns` name, each once; a pattern that names none is a mistake.

    The one exception is a glob over a folder that is still empty, as `init` leaves it.
    """
    real_root = os.path.realpath(root)
    found: dict[str, Path] = {}
    for i, pattern in enumerate(patterns):
        path: KeyPath = ("project", "domains", i)
        if fault := _pattern_fault(pattern):
            mistakes.add(f"{key_text(path)}: {fault}", file.where(path))
            continue
        for folder in _matches(file, root, pattern, path, mistakes):
            real = os.path.realpath(folder)
            if not below(real, real_root):
                message = f"{key_text(path)}: folder {shown(folder)} leads out of {shown(root)}"
                mistakes.add(message, file.where(path))
                continue
            found.setdefault(real, folder)
    return tuple(found.values())


def _pattern_fault(pattern: str) -> str | None:
    parts = PurePosixPath(pattern).parts
    if not pattern.strip() or not parts:
        return "an empty path"
    if any(ord(c) < 32 or c == "\x7f" for c in pattern):
        return f"'{printable(pattern)}' holds a control character"
    if PurePosixPath(pattern).is_absolute() or Path(pattern).is_absolute() or "\\" in pattern:
        return f"'{printable(pattern)}' is not a path below the folder of this file, with forward slashes"
    if ".." in parts:
        return f"'{printable(pattern)}' leads out of the folder of this file"
    if "**" in parts:
        return f"'{printable(pattern)}': ** is not supported, name each level with *"
    return None


def _matches(file: TomlFile, root: Path, pattern: str, path: KeyPath, mistakes: Mistakes) -> list[Path]:
    key = key_text(path)

    def mistake(message: str, name: str) -> None:
        mistakes.add(f"{key}: {message}", file.where(path), f"bgce-migrate new domain {name}")

    parts = PurePosixPath(pattern).parts
    if not any(_WILD & set(part) for part in parts):
        folder = root.joinpath(*parts)
        if (folder / DECLARATION).is_file():
            return [folder]
        lacking = f"holds no {DECLARATION}" if folder.is_dir() else "does not exist"
        mistake(f"folder {shown(folder)} {lacking}", folder.name)
        return []
    folders = _walk(root, parts)
    declared = [folder for folder in folders if (folder / DECLARATION).is_file()]
    bare = [folder for folder in folders if folder not in declared and holds_migrations(folder)]
    for folder in bare:
        mistake(f"folder {shown(folder)} holds migrations but no {DECLARATION}", folder.name)
    if not declared and not bare and (folders or not _fixed(root, parts).is_dir()):
        mistake(f"'{pattern}' matches no folder with a {DECLARATION}", "NAME")
    return declared


def _fixed(root: Path, parts: tuple[str, ...]) -> Path:
    for i, part in enumerate(parts):
        if _WILD & set(part):
            return root.joinpath(*parts[:i])
    return root.joinpath(*parts)


def _walk(folder: Path, parts: tuple[str, ...]) -> list[Path]:
    if not parts:
        return [folder]
    part, rest = parts[0], parts[1:]
    if not _WILD & set(part):
        inner = folder / part
        return _walk(inner, rest) if inner.is_dir() else []
    out: list[Path] = []
    for name in subfolders(folder):
        if fnmatchcase(name, part):
            out.extend(_walk(folder / name, rest))
    return out


def subfolders(folder: Path) -> list[str]:
    """Names of the folders in `folder`, sorted, without hidden ones."""
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if not e.name.startswith(".") and e.is_dir())
    except OSError:
        return []


def holds_migrations(folder: Path) -> bool:
    """Whether a folder itself has a `*.up.sql`."""
    try:
        with os.scandir(folder) as entries:
            return any(e.name.endswith(".up.sql") for e in entries)
    except OSError:
        return False
