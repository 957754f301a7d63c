"""Finding `bgce.toml`, and loading it with every `domain.toml` it names; all mistakes at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli

from bgce_migrate.access import Delivered
from bgce_migrate.config.convert import convert
from bgce_migrate.config.domain_file import DECLARATION, Declared, read_domain
from bgce_migrate.config.globs import expand
from bgce_migrate.config.mistakes import Mistakes, combined
from bgce_migrate.config.paths import FileFault, read_within, shown
from bgce_migrate.config.project import Project
from bgce_migrate.config.same import difference
from bgce_migrate.config.schema import BgceToml
from bgce_migrate.config.settings import check_settings, check_version_tables, settings
from bgce_migrate.config.toml_file import MAX_BYTES, TomlFile, read_toml
from bgce_migrate.domain import Domain
from bgce_migrate.errors import ConfigError, Where
from bgce_migrate.registry import build_checked, find_problems
from bgce_migrate.registry.checks import file_of
from bgce_migrate.registry.references import KeyPath, printable

FILE = "bgce.toml"
PYPROJECT = "pyproject.toml"
PREFIX = ("tool", "bgce-migrate")
_MENTIONED = re.compile(rb"tool\s*\.\s*[\"']?bgce-migrate")


def find(start: Path) -> Path | None:
    """The nearest `bgce.toml`, or `pyproject.toml` with `[tool.bgce-migrate]`, at `start` or above it."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        if _has_table(folder / PYPROJECT):
            return folder / PYPROJECT
    return None


def _has_table(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        raw = read_within(str(path), str(path.parent.resolve()), MAX_BYTES + 1)
    except FileFault:
        return False
    if not _MENTIONED.search(raw):
        return False
    if len(raw) > MAX_BYTES:
        return True
    try:
        data: Any = tomli.loads(raw.decode("utf-8", "replace"))
    except (tomli.TOMLDecodeError, RecursionError):
        return True  # `load` says what is wrong with it
    return isinstance(data.get("tool"), dict) and "bgce-migrate" in data["tool"]


def plugin_names(path: Path) -> tuple[str, ...]:
    """The `plugins` of a configuration file, read on their own, because they must be loaded before `load`.

    A file with mistakes gives none; `load` reports them.
    """
    mistakes = Mistakes()
    file = _read(path, mistakes)
    project = file.data.get("project") if file else None
    names = project.get("plugins", []) if isinstance(project, dict) else []
    return tuple(n for n in names if isinstance(n, str)) if isinstance(names, list) else ()


def _read(path: Path, mistakes: Mistakes) -> TomlFile | None:
    return read_toml(path, mistakes, prefix=PREFIX if path.name == PYPROJECT else ())


def load(path: Path, *, delivered: Sequence[Delivered] = ()) -> Project:
    """Load a project.

    Args:
        path: a `bgce.toml`, or a `pyproject.toml` with `[tool.bgce-migrate]`.
        delivered: folders that plugins hand over (`Host.delivered`).

    Raises:
        ConfigError: with all mistakes of all files in `problems`.
    """
    path = path.absolute()
    mistakes = Mistakes()
    file = _read(path, mistakes)
    if file is None:
        raise combined(ConfigError, "the configuration", mistakes.problems)
    said = convert(file, BgceToml, mistakes)
    raw = file.data.get("project")
    patterns = said.project.domains if said else raw.get("domains", []) if isinstance(raw, dict) else []
    usable = tuple(p for p in patterns if isinstance(p, str)) if isinstance(patterns, list) else ()
    before = len(mistakes.problems)
    folders = expand(file, path.parent, usable, mistakes)
    complete = len(mistakes.problems) == before
    declared, unreadable = _domains(folders, delivered, mistakes)
    services = {s.name for d in declared for s in d.domain.services}
    if said is not None:
        check_settings(file, said, services, mistakes, judge_services=complete and not unreadable)
    domains = tuple(d.domain for d in declared)
    if said is not None:
        check_version_tables(file, said, domains, mistakes)
    locate = _locator(declared)
    mistakes.problems += find_problems(domains, locate, unreadable)
    if mistakes.problems or said is None:
        raise combined(ConfigError, "the configuration", mistakes.problems)
    return settings(path, said, domains, build_checked(domains))


def load_domain(folder: Path) -> Domain:
    """One domain on its own, for packages that ship one: references to other domains are not judged.

    Raises:
        ConfigError: with all mistakes of its `domain.toml`.
    """
    mistakes = Mistakes()
    one = read_domain(folder.absolute(), mistakes)
    if one is not None:
        services = one.domain.services
        others = {read.domain for s in services for read in s.reads}
        others |= {call.partition(":")[0] for s in services for call in s.calls}
        others |= set(one.domain.requires)
        # The empty name stands for all readers that `shares` may name.
        unknown = {"", *others} - {one.domain.name}
        mistakes.problems += find_problems((one.domain,), lambda _, path: one.where(path), unknown)
    if one is None or mistakes.problems:
        raise combined(ConfigError, f"the declaration in {shown(folder)}", mistakes.problems)
    return one.domain


def _domains(
    folders: Sequence[Path], delivered: Sequence[Delivered], mistakes: Mistakes
) -> tuple[list[Declared], set[str]]:
    """All domains of globs and plugins, each with its rank, and the names of those with mistakes."""
    declared: list[Declared] = []
    unreadable: set[str] = set()
    for folder in folders:
        _add(folder, None, declared, unreadable, mistakes)
    by_name = {d.domain.name: d.domain for d in declared}
    known = {str(f.resolve()) for f in folders}
    late: list[tuple[str, Delivered]] = []
    for item in delivered:
        if str(item.folder.resolve()) in known:
            continue
        seen = Mistakes()
        one = read_domain(item.folder, seen)
        if one is None:
            mistakes.problems += [p for p in seen.problems if p not in mistakes.problems]
            unreadable.add(item.folder.name)
        elif one.domain.name in by_name:
            _same(by_name[one.domain.name], item, mistakes)
        else:
            by_name[one.domain.name] = one.domain
            late.append((one.domain.name, item))
    for _, item in sorted(late, key=lambda pair: pair[0]):
        _add(item.folder, item.distribution, declared, unreadable, mistakes)
    return declared, unreadable


def _add(
    folder: Path, distribution: str | None, declared: list[Declared], unreadable: set[str], mistakes: Mistakes
) -> None:
    before = len(mistakes.problems)
    one = read_domain(folder, mistakes, rank=len(declared), distribution=distribution)
    if one is not None:
        declared.append(one)
    if len(mistakes.problems) > before:
        unreadable.add(one.domain.name if one is not None else folder.name)


def _same(domain: Domain, item: Delivered, mistakes: Mistakes) -> None:
    """A domain delivered from two places is one if the bytes of all files are equal."""
    origin = f"plugin {printable(item.plugin)}" + (f" ({item.distribution})" if item.distribution else "")
    try:
        name = difference(domain.folder, item.folder)
    except FileFault as fault:
        mistakes.add(
            f"domain {domain.name} of {origin} cannot be compared: {fault}", Where(shown(item.folder))
        )
        return
    if name is not None:
        message = (
            f"domain {domain.name} comes from {shown(domain.folder)} and, with other contents, from "
            f"{item.folder} of {origin}: {printable(name)} differs"
        )
        hint = f"install the package of this version, or leave one out: --no-plugin {item.plugin}"
        mistakes.add(message, Where(shown(domain.folder / DECLARATION)), hint)


def _locator(declared: Sequence[Declared]) -> Any:
    by_identity = {id(d.domain): d for d in declared}

    def locate(domain: Domain, path: KeyPath) -> Where:
        found = by_identity.get(id(domain))
        return found.where(path) if found else file_of(domain, path)

    return locate
