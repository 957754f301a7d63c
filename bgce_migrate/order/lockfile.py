"""`bgce.lock`: the recorded order of migrations with their checksums, one line each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from bgce_migrate.errors import ConfigError, Problem, Where
from bgce_migrate.migration import Direction, Migration, MigrationId

FORMAT = 1
HEADER = f"""\
# bgce.lock {FORMAT}: the order of all migrations, one line each; `bgce-migrate lock` appends, nothing moves.
# After a merge both sides' lines stay (.gitattributes: bgce.lock merge=union); their order is settled by `lock`.
"""
_HEADER = re.compile(r"#\s*bgce\.lock\s+(?P<format>[0-9]+)\b")
_ID = re.compile(r"(?P<domain>[^/]+)/(?P<version>[0-9]+)(?:_(?P<name>.*))?\Z")
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_CHECKSUM = re.compile(r"v[0-9]+:[0-9a-f]{16,128}\Z")
#: A line as `lock` writes nearly all of them.
_PLAIN = re.compile(
    r"^([^/\s%#<=>|][^/\s%]*)/([0-9]{1,19})(?:_([^\s%]*))? up=(v[0-9]+:[0-9a-f]{16,128}) up-raw=([0-9a-f]{64})"
    r"(?: down=(v[0-9]+:[0-9a-f]{16,128}) down-raw=([0-9a-f]{64}))?(?: from=([^\s%]+))?$",
    re.MULTILINE,
)
_FIELDS = ("up", "up-raw", "down", "down-raw", "from")
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")


class LockLine(Struct, frozen=True, gc=False):
    """One migration as it was locked.

    Attributes:
        up_checksum: `v1:` over the up file's tokens.
        up_sha256: hex SHA-256 over the up file's raw bytes; while it is the same, nothing is parsed.
        down_checksum: the same for the down file; None for the state "no down".
        down_sha256: as `up_sha256`; a plain folder's down that is no SQL has only this one.
        distribution: `name==version` of the installed package the files came from, or None.
        line: its line in the file, counted from 1; 0 for a line that is not from a file.
    """

    id: MigrationId
    up_checksum: str
    up_sha256: str
    down_checksum: str | None = None
    down_sha256: str | None = None
    distribution: str | None = None
    line: int = 0

    def same_files(self, other: LockLine) -> bool:
        """True if both lines record the same bytes."""
        return (self.up_sha256, self.down_sha256) == (other.up_sha256, other.down_sha256)


class LockFile(Struct, frozen=True):
    """The locked migrations in their recorded order."""

    lines: tuple[LockLine, ...] = ()

    @property
    def order(self) -> tuple[MigrationId, ...]:
        """The ids in their recorded order."""
        return tuple(line.id for line in self.lines)

    def get(self, migration: MigrationId) -> LockLine | None:
        """The line of a migration, or None."""
        return next((line for line in self.lines if line.id == migration), None)

    def append(self, lines: Iterable[LockLine]) -> LockFile:
        """A lock file with more lines at its end."""
        return LockFile((*self.lines, *lines))


def parse(text: str, path: str = "bgce.lock") -> LockFile:
    """Read a lock file.

    The same line twice (a union merge) counts once, at its first place; comments and blank lines are free.

    Raises:
        ConfigError: all lines that cannot be read, and ids with two different contents.
    """
    if (plain := _parse_plain(text)) is not None:
        return plain
    problems: list[Problem] = []
    kept: dict[MigrationId, LockLine] = {}
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = raw.strip()
        where = Where(path, number)
        if not line or line.startswith("#"):
            problems += _check_format(line, where)
            continue
        try:
            read = _read_line(line, number)
        except ValueError as fault:
            problems.append(Problem(str(fault), where, _MENDING))
            continue
        first = kept.setdefault(read.id, read)
        if not first.same_files(read):
            message = f"{read.id.short} is locked twice with different files, first in line {first.line}"
            problems.append(Problem(message, where, "keep the line of the version that was applied first"))
    if problems:
        first_problem = problems[0]
        message = first_problem.message if len(problems) == 1 else f"{path} has {len(problems)} mistakes"
        raise ConfigError(message, hint=first_problem.hint, where=first_problem.where, problems=problems)
    return LockFile(tuple(kept.values()))


def _parse_plain(text: str) -> LockFile | None:
    """A file that is `HEADER` and then only plain lines, each once, read at one go; None for any other."""
    if not text.startswith(HEADER):
        return None
    found = _PLAIN.findall(text, len(HEADER))
    # Each is a whole line, so with as many lines as finds nothing lies between them.
    if len(found) != text.count("\n", len(HEADER)) or not text.endswith("\n"):
        return None
    lines = tuple(_plain_line(words, number) for number, words in enumerate(found, HEADER.count("\n") + 1))
    return LockFile(lines) if len({line.id for line in lines}) == len(lines) else None


def _plain_line(words: Sequence[Any], number: int) -> LockLine:
    domain, version, name, up, up_raw, down, down_raw, origin = words
    return LockLine(
        MigrationId(domain, int(version), name or ""), up, up_raw, down or None, down_raw or None, origin or None, number
    )


_MENDING = "take the line from version control, or delete it and run `bgce-migrate lock`"


def _check_format(line: str, where: Where) -> list[Problem]:
    match = _HEADER.match(line)
    if match is None or int(match["format"]) <= FORMAT:
        return []
    message = f"this lock file has format {match['format']}; this bgce-migrate reads format {FORMAT}"
    return [Problem(message, where, "install a newer bgce-migrate")]


def _read_line(line: str, number: int) -> LockLine:
    if plain := _PLAIN.fullmatch(line):
        return _plain_line(plain.groups(), number)
    if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
        raise ValueError("a merge conflict is left in the lock file")
    identity, *words = line.split()
    match = _ID.match(identity)
    if match is None:
        raise ValueError(f"{_shown(identity)} is not domain/version_name")
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in _FIELDS or key in found or not value:
            raise ValueError(f"{_shown(word)} is not one of {', '.join(f'{f}=...' for f in _FIELDS)}")
        pattern = _HASH if key.endswith("-raw") else _CHECKSUM
        if key != "from" and not pattern.match(value):
            raise ValueError(f"{_shown(word)} is not a checksum")
        found[key] = value
    if "up" not in found or "up-raw" not in found:
        raise ValueError(f"the line of {_shown(identity)} is not whole: up= and up-raw= belong to it")
    if "down" in found and "down-raw" not in found:
        raise ValueError(f"the line of {_shown(identity)} is not whole: it has down= without down-raw=")
    return LockLine(
        MigrationId(_unescape(match["domain"]), int(match["version"]), _unescape(match["name"] or "")),
        found["up"],
        found["up-raw"],
        found.get("down"),
        found.get("down-raw"),
        _unescape(found["from"]) if "from" in found else None,
        number,
    )


def _shown(word: str) -> str:
    short = word if len(word) <= 60 else word[:57] + "..."
    return "'" + short.encode("ascii", "backslashreplace").decode() + "'"


def _escape(text: str) -> str:
    """Percent-encode what would break a line apart; all else stays readable."""
    return "".join(c if c.isprintable() and not c.isspace() and c not in "%/#" else _percent(c) for c in text)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    raw = _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text.encode().decode("latin-1"))
    return raw.encode("latin-1").decode("utf-8", "surrogatepass")


def render(lock: LockFile) -> str:
    """The text of a lock file; `parse(render(lock))` gives the same lines."""
    return HEADER + "".join(render_line(line) + "\n" for line in lock.lines)


def render_line(line: LockLine) -> str:
    """One line without its end."""
    name = f"_{_escape(line.id.name)}" if line.id.name else ""
    fields = (line.up_checksum, line.up_sha256, line.down_checksum, line.down_sha256)
    values = [*fields, _escape(line.distribution) if line.distribution else None]
    parts = [f"{key}={value}" for key, value in zip(_FIELDS, values, strict=True) if value]
    return " ".join([f"{_escape(line.id.domain)}/{line.id.version:06d}{name}", *parts])


class Unlocked(Struct, frozen=True):
    """On disk, not in the lock file."""

    migration: Migration


class Edited(Struct, frozen=True):
    """The raw bytes differ from the locked ones; whether the tokens do, the caller finds out.

    For a down that was added or taken away `direction` is DOWN.
    """

    line: LockLine
    migration: Migration
    direction: Direction


class Missing(Struct, frozen=True):
    """In the lock file, not on disk (or not installed)."""

    line: LockLine


class Renumbered(Struct, frozen=True):
    """On disk under another version of the same domain, with the locked bytes."""

    line: LockLine
    migration: Migration


Difference: TypeAlias = "Unlocked | Edited | Missing | Renumbered"


def check(lock: LockFile, migrations: Sequence[Migration]) -> tuple[Difference, ...]:
    """Compare a lock file with the migrations on disk, by raw bytes only.

    Returns:
        Differences in the order of the lock file, then of `migrations`.
    """
    on_disk = {migration.id: migration for migration in migrations}
    locked = {line.id for line in lock.lines}
    free: dict[tuple[str, str], list[Migration]] = {}
    for migration in migrations:
        if migration.id not in locked:
            free.setdefault((migration.id.domain, migration.up.sha256), []).append(migration)
    found: list[Difference] = []
    moved: set[MigrationId] = set()
    for line in lock.lines:
        migration_now = on_disk.get(line.id)
        if migration_now is not None:
            found += _edits(line, migration_now)
            continue
        same = free.get((line.id.domain, line.up_sha256))
        if same:
            target = same.pop(0)
            moved.add(target.id)
            found.append(Renumbered(line, target))
        else:
            found.append(Missing(line))
    found += [Unlocked(m) for m in migrations if m.id not in locked and m.id not in moved]
    return tuple(found)


def _edits(line: LockLine, migration: Migration) -> list[Difference]:
    found: list[Difference] = []
    if migration.up.sha256 != line.up_sha256:
        found.append(Edited(line, migration, Direction.UP))
    if (migration.down.sha256 if migration.down else None) != line.down_sha256:
        found.append(Edited(line, migration, Direction.DOWN))
    return found
