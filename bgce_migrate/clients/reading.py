"""Files with the statements of services: one a line, or up to a semicolon; `-- service: NAME` says whose the next ones are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bgce_migrate.clients.model import Sent
from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.registry import Registry

_MARK = re.compile(r"--\s*service:\s*(?P<name>[A-Za-z0-9_.-]+)\s*\Z")
_NAMED = re.compile(r"(?P<service>[a-z][a-z0-9_]*)=(?P<path>.+)\Z", re.DOTALL)
_LARGEST = 64 << 20  # bytes


def read_files(said: Iterable[str]) -> tuple[Sent, ...]:
    """The statements of files, each said as `FILE` or `SERVICE=FILE`.

    Raises:
        UsageError: a file cannot be read, or holds no statement.
    """
    out: list[Sent] = []
    for word in said:
        named = _NAMED.match(word)
        service, path = (named["service"], named["path"]) if named else ("", word)
        found = list(_statements(_text(path), path, service))
        if not found:
            raise UsageError(f"{path} holds no statement", hint="one a line, as the service sends it, e.g. SELECT id FROM users WHERE id = $1;")
        out += found
    return tuple(out)


def _text(path: str) -> str:
    try:
        if Path(path).stat().st_size > _LARGEST:
            raise UsageError(f"{path} is larger than 64 MiB")
        return Path(path).read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", hint="--client FILE or --client SERVICE=FILE") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8") from None


def _statements(text: str, path: str, service: str) -> Iterator[Sent]:
    lines = text.split("\n")
    # Without any semicolon at a line's end, a line is a statement.
    closed = any(line.rstrip().endswith(";") for line in lines)
    held: list[str] = []
    begun = 0
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if not held and (mark := _MARK.match(bare)):
            service = mark["name"]
            continue
        if not held and (not bare or bare.startswith("--")):
            continue
        begun = begun if held else number
        held.append(line)
        if not closed or bare.endswith(";"):
            yield Sent(service, "\n".join(held).strip().removesuffix(";"), path, begun)
            held = []
    if held:
        yield Sent(service, "\n".join(held).strip(), path, begun)


def with_services(sent: Iterable[Sent], registry: Registry) -> tuple[Sent, ...]:
    """Where nobody said whose a statement is: the service that writes the first table it names, else the domain that owns it."""
    writers: dict[tuple[str, str], str] = {}
    for domain in registry.domains:
        for service in domain.services:
            for table in service.writes:
                writers.setdefault((domain.name, table), service.name)
    return tuple(s if s.service else replace(s, service=_service(s.text, registry, writers)) for s in sent)


def _service(text: str, registry: Registry, writers: dict[tuple[str, str], str]) -> str:
    for word in words(text):
        owner = registry.owner_of(word)
        if owner is not None:
            return writers.get((owner, word)) or owner
    return ""


@cache
def words(text: str) -> tuple[str, ...]:
    """The names in a statement, in order, as PostgreSQL folds them."""
    found = re.findall(r"\"((?:[^\"]|\"\")+)\"|'(?:[^']|'')*'|\$(?:\d+)|([A-Za-z_][A-Za-z0-9_$]*)", text)
    return tuple(quoted.replace('""', '"') or plain.lower() for quoted, plain in found if quoted or plain)
