"""A domain's folder -> its migrations, files read and hashed but not parsed."""

from __future__ import annotations

import os
import re
import unicodedata

from msgspec import Struct, field

from bgce_migrate.config.mistakes import combined
from bgce_migrate.config.paths import FileFault, read_listed, read_within, shown
from bgce_migrate.domain import Domain
from bgce_migrate.errors import ConfigError, Problem, SqlFileError, Where
from bgce_migrate.migration import Finding, Migration, MigrationId, Severity, SourceFile
from bgce_migrate.registry.references import printable
from bgce_migrate.sqlfile.source import read_source

#: golang-migrate's own pattern, with ASCII digits only.
FILE_NAME = re.compile(r"([0-9]+)_(.*)\.(up|down)\.sql\Z", re.DOTALL)
MAX_VERSION = 2**63 - 1  # versions are kept as bigint
_DIGITS = 19
MAX_FILES = 100_000
MAX_TOTAL_BYTES = 512 * 1024 * 1024
#: One byte over the limit of one file, so that `read_source` sees that it is passed.
_READ_BYTES = 16 * 1024 * 1024 + 1


class FolderContents(Struct, frozen=True):
    """The migrations of a folder by version, and what was left aside.

    Attributes:
        problems: what is wrong with files; only of `read_what_can_be_read`.
        unread: migrations that are there, of which a file could not be read.
    """

    migrations: tuple[Migration, ...]
    notes: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    unread: frozenset[MigrationId] = frozenset()


class _Pair(Struct):
    up: str | None = None
    down: str | None = None
    slug: str = ""


class _Reading(Struct):
    """What is known while a folder is read.

    Attributes:
        special: names of links, and of what is no file at all.
    """

    domain: Domain
    folder: str
    prefix: str
    special: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    unread: set[MigrationId] = field(default_factory=set)

    def where(self, name: str) -> Where:
        return Where(self.prefix + printable(name))

    def note(self, rule: str, name: str, message: str, hint: str | None = None) -> None:
        finding = Finding(rule, Severity.WARNING, message, self.where(name), hint, self.domain.name)
        self.notes.append(finding)

    def leave(self, version: int, slug: str) -> None:
        self.unread.add(MigrationId(self.domain.name, version, slug))


def read_migrations(domain: Domain) -> tuple[Migration, ...]:
    """Read all migration files of a domain, lowest version first.

    Raises:
        ConfigError: two files of one version and direction, a link that leads out of the folder, a
            version too large, in a declared domain a down without an up.
        SqlFileError: files that cannot be read as UTF-8 text within the limits.
    """
    return read_folder(domain).migrations


def read_folder(domain: Domain) -> FolderContents:
    """Like `read_migrations`, with notes on files that were left aside."""
    reading = _reading(domain)
    pairs = _pairs(reading)
    if reading.problems:
        raise combined(ConfigError, f"the folder of {printable(domain.name)}", reading.problems)
    migrations = _read(reading, pairs)
    if reading.problems:
        raise combined(SqlFileError, f"migrations of {printable(domain.name)}", reading.problems)
    return FolderContents(migrations, _notes(reading))


def read_what_can_be_read(domain: Domain) -> FolderContents:
    """Like `read_folder`, but a file that is wrong only leaves out its own migration; the others are read.

    Raises:
        ConfigError: the folder cannot be read, or holds too much.
    """
    reading = _reading(domain)
    migrations = _read(reading, _pairs(reading))
    return FolderContents(migrations, _notes(reading), tuple(reading.problems), frozenset(reading.unread))


def _reading(domain: Domain) -> _Reading:
    name = shown(domain.folder)
    return _Reading(domain, str(domain.folder), "" if name == "." else f"{name}/")


def _notes(reading: _Reading) -> tuple[Finding, ...]:
    return tuple(sorted(reading.notes, key=lambda n: str(n.where)))


def _pairs(reading: _Reading) -> dict[int, _Pair]:
    """Versions and their files, from names alone."""
    pairs: dict[int, _Pair] = {}
    for name in _names(reading):
        found = FILE_NAME.match(name)
        if not found:
            if name.lower().endswith(".sql"):
                message = f"{printable(name)} is not named like a migration and is left aside"
                reading.note("unread-file", name, message, "NNNNNN_slug.up.sql or NNNNNN_slug.down.sql")
            continue
        digits, slug, direction = found.groups()
        # Nearly all names are seen at once to be good.
        sound = len(digits) < _DIGITS and slug.isprintable()
        if not sound and (fault := _name_fault(digits, slug)):
            reading.problems.append(Problem(f"{printable(name)} {fault}", reading.where(name)))
            if len(digits.lstrip("0")) <= _DIGITS:
                reading.leave(int(digits), slug)
            continue
        version = int(digits)
        pair = pairs.get(version)
        if pair is None:
            pair = pairs[version] = _Pair()
        other = pair.up if direction == "up" else pair.down
        if other is not None:
            reading.problems.append(_twice(reading, version, direction, other, name))
        elif direction == "up":
            pair.up, pair.slug = name, slug
        else:
            pair.down = name
    for version in sorted(v for v, pair in pairs.items() if pair.up is None):
        pair = pairs.pop(version)
        # With an up whose name is wrong it is not alone.
        if MigrationId(reading.domain.name, version) not in reading.unread:
            _lone_down(reading, pair)
    return pairs


def _names(reading: _Reading) -> list[str]:
    names: list[str] = []
    try:
        with os.scandir(reading.folder) as entries:
            for entry in entries:
                if not entry.name.endswith((".sql", ".SQL", ".Sql")):
                    continue
                names.append(entry.name)
                if not entry.is_file(follow_symlinks=False):
                    reading.special.add(entry.name)
                if len(names) > MAX_FILES:
                    name = printable(reading.domain.name)
                    raise ConfigError(
                        f"the folder of {name} holds more than {MAX_FILES} SQL files",
                        where=Where(reading.prefix.rstrip("/") or "."),
                    )
    except OSError as error:
        raise ConfigError(
            f"the folder of {printable(reading.domain.name)} cannot be read: {error.strerror or error}",
            where=Where(reading.prefix.rstrip("/") or "."),
        ) from None
    return sorted(names)


def _name_fault(digits: str, slug: str) -> str | None:
    significant = digits.lstrip("0")
    if len(significant) > _DIGITS or int(significant or "0") > MAX_VERSION:
        return f"has a version larger than {MAX_VERSION}"
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in slug):
        return "has a control character or bytes that are not UTF-8 in its name"
    return None


def _twice(reading: _Reading, version: int, direction: str, one: str, other: str) -> Problem:
    message = (
        f"version {version} of {printable(reading.domain.name)} has two {direction} files, "
        f"{printable(one)} and {printable(other)}"
    )
    folded = [unicodedata.normalize("NFC", n).casefold() for n in (one, other)]
    if folded[0] == folded[1]:
        message += ", which are one file on systems that ignore upper and lower case or accents' spelling"
    hint = f"bgce-migrate renumber {reading.domain.name}"
    return Problem(message, reading.where(other), hint)


def _lone_down(reading: _Reading, pair: _Pair) -> None:
    name = pair.down or ""
    if reading.domain.declared:
        message = f"{printable(name)} has no up file of the same version"
        reading.problems.append(Problem(message, reading.where(name), "add the up file, or remove this one"))
    else:
        reading.note("down-without-up", name, f"{printable(name)} has no up file and is left aside")


def _read(reading: _Reading, pairs: dict[int, _Pair]) -> tuple[Migration, ...]:
    """Read the files of all pairs; every file that cannot be read is reported."""
    domain = reading.domain
    migrations: list[Migration] = []
    total = 0
    real = os.path.realpath(reading.folder) if reading.special else ""
    for version in sorted(pairs):
        pair = pairs[version]
        up = _source(reading, pair.up or "", real)
        down = _source(reading, pair.down, real) if pair.down is not None else None
        if up is None or (down is None and pair.down is not None):
            reading.leave(version, pair.slug)
        if up is None:
            continue
        total += len(up.text) + (len(down.text) if down else 0)
        if total > MAX_TOTAL_BYTES:
            raise ConfigError(
                f"the files of {printable(domain.name)} are larger than {MAX_TOTAL_BYTES >> 20} MiB together",
                where=Where(reading.prefix.rstrip("/") or "."),
            )
        id_ = MigrationId(domain.name, version, pair.slug)
        migrations.append(Migration(id_, up, down, domain.declared, domain.distribution))
    return tuple(migrations)


def _source(reading: _Reading, name: str, real: str) -> SourceFile | None:
    path = f"{reading.folder}{os.sep}{name}"
    try:
        raw = read_within(path, real, _READ_BYTES) if name in reading.special else read_listed(path, _READ_BYTES)
        return read_source(reading.prefix + name, raw)
    except FileFault as fault:
        reading.problems.append(Problem(f"{printable(name)} {fault}", reading.where(name)))
    except SqlFileError as error:
        said = error.problems or (Problem(error.message, error.where, error.hint),)
        reading.problems += said
    return None
