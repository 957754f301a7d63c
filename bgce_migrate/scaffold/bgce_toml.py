"""One entry more in `domains` of `bgce.toml`, everything else in it as it was."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

import tomli

from bgce_migrate.config.load import PREFIX, PYPROJECT
from bgce_migrate.config.paths import shown
from bgce_migrate.config.project import Project
from bgce_migrate.config.toml_positions import positions
from bgce_migrate.errors import ConfigError, UsageError, Where
from bgce_migrate.registry.references import KeyPath


def listed(project: Project, folder: str) -> bool:
    """Whether a pattern of `domains` covers a folder (relative to the root, forward slashes)."""
    parts = PurePosixPath(folder).parts
    for pattern in project.patterns:
        wanted = PurePosixPath(pattern).parts
        if len(wanted) == len(parts) and all(fnmatchcase(p, w) for p, w in zip(parts, wanted, strict=True)):
            return True
    return False


def with_domain(project: Project, folder: str) -> str:
    """The text of the project's file with `folder` at the end of `domains`.

    The text is changed in one place only and parsed again: if anything else would change, nothing is done.

    Raises:
        UsageError: the entry cannot be made; the hint says which line to add.
        ConfigError: the file cannot be read.
    """
    assert project.file is not None
    try:
        text = project.file.read_bytes().decode("utf-8")
        before: Any = tomli.loads(text.replace("\r\n", "\n"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise ConfigError(f"{shown(project.file)} cannot be read: {error}") from None
    prefix: KeyPath = PREFIX if project.file.name == PYPROJECT else ()
    changed = _inserted(text, (*prefix, "project", "domains"), folder)
    table = before
    for part in (*prefix, "project"):
        table = table[part]
    table["domains"] = [*table.get("domains", []), folder]
    try:
        same = changed is not None and tomli.loads(changed.replace("\r\n", "\n")) == before
    except tomli.TOMLDecodeError:
        same = False
    if changed is None or not same:
        raise UsageError(
            f"{folder} is not covered by domains of {shown(project.file)}, and cannot be added to it safely",
            hint=f'add "{folder}" to domains yourself, then run this again',
            where=Where(shown(project.file)),
        )
    return changed


def _inserted(text: str, path: KeyPath, folder: str) -> str | None:
    found = positions(text)
    entry = json.dumps(folder)
    span = found.spans.get(path)
    if span is None:
        name = found.spans.get((*path[:-1], "name"))
        if name is None:
            return None
        return f"{text[: name[1]]}\ndomains = [{entry}]{text[name[1] :]}"
    items: list[KeyPath] = [path]
    while (item := (*path, len(items) - 1)) in found.spans:
        items.append(item)
    if len(items) == 1:
        return f"{text[: span[0]]}[{entry}]{text[span[1] :]}"
    start, end = found.spans[items[-1]]
    line_start = text.rfind("\n", 0, start) + 1
    before = text[line_start:start]
    # One entry a line stays one entry a line.
    gap = f"\n{before}" if not before.strip() else " "
    return f"{text[:end]},{gap}{entry}{text[end:]}"
