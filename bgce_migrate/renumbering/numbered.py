"""A domain's files by number, also where two migrations have the same, which no other reader accepts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from bgce_migrate.config.folders import FILE_NAME, MAX_VERSION
from bgce_migrate.config.paths import shown
from bgce_migrate.domain import Domain
from bgce_migrate.errors import ConfigError, Refused, Where
from bgce_migrate.migration import MigrationId


class Numbered(Struct, frozen=True):
    """A pair of files. `digits` is the number as written."""

    id: MigrationId
    digits: str
    up: Path
    down: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        """Both files, or the one there is."""
        return (self.up,) if self.down is None else (self.up, self.down)

    @property
    def key(self) -> tuple[str, int, str]:
        """What tells two migrations of one number apart."""
        return self.id.domain, self.id.version, self.id.name


def read_numbers(domain: Domain) -> tuple[Numbered, ...]:
    """All pairs of a folder, lowest number first.

    Raises:
        ConfigError: the folder cannot be read.
        Refused: a down that could belong to each of two ups.
    """
    try:
        names = sorted(os.listdir(domain.folder))
    except OSError as error:
        raise ConfigError(f"{shown(domain.folder)} cannot be read: {error.strerror or error}") from None
    ups: dict[int, dict[str, tuple[str, str]]] = {}
    downs: dict[int, dict[str, str]] = {}
    for name in names:
        found = FILE_NAME.match(name)
        if found is None or len(found[1].lstrip("0")) > 19 or int(found[1]) > MAX_VERSION:
            continue
        version, slug = int(found[1]), found[2]
        if found[3] == "down":
            downs.setdefault(version, {})[slug] = name
        elif slug in ups.setdefault(version, {}):
            message = f"{ups[version][slug][1]} and {name} differ only in how they write the number"
            raise Refused(message, hint="give one of them another name", where=Where(shown(domain.folder / name)))
        else:
            ups[version][slug] = (found[1], name)
    return tuple(pair for version in sorted(ups) for pair in _pairs(domain, version, ups[version], downs.get(version, {})))


def _pairs(
    domain: Domain, version: int, ups: dict[str, tuple[str, str]], downs: dict[str, str]
) -> Iterator[Numbered]:
    """Slugs are labels: a down with another one belongs to the only up that has none."""
    left = [slug for slug in downs if slug not in ups]
    without = [slug for slug in ups if slug not in downs]
    if left and (len(left) > 1 or len(without) > 1):
        message = f"the downs of version {version} of {domain.name} do not say whose they are: {', '.join(left)}"
        raise Refused(message, hint="give each down the name of its up", where=Where(shown(domain.folder)))
    for slug, (digits, name) in ups.items():
        down = downs.get(slug) or (downs[left[0]] if left and slug in without else None)
        path = domain.folder / down if down is not None else None
        yield Numbered(MigrationId(domain.name, version, slug), digits, domain.folder / name, path)
