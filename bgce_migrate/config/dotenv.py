"""A `.env` file, read for a few names only."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from bgce_migrate.config.paths import FileFault, read_within, shown
from bgce_migrate.errors import ConfigError, Where

MAX_BYTES = 64 * 1024
_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*?)\s*\Z")


def read_dotenv(folder: Path, names: Collection[str]) -> dict[str, str]:
    """Values of `names` in `folder/.env`; empty if there is no such file. The last line of a name wins.

    Quotes around a value are taken off, a comment after an unquoted value is left out, and nothing is
    expanded.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = folder / ".env"
    if not names or not path.exists():
        return {}
    try:
        raw = read_within(str(path), str(folder.resolve()), MAX_BYTES + 1)
    except FileFault as fault:
        raise ConfigError(f"the file {shown(path)} {fault}", where=Where(shown(path))) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"the file {shown(path)} is larger than 64 KiB", where=Where(shown(path)))
    values: dict[str, str] = {}
    # Other lines are other programs' business: what is not UTF-8 there must not stop us.
    for line in raw.decode("utf-8-sig", "replace").splitlines():
        found = _LINE.match(line)
        if found and found["name"] in names:
            values[found["name"]] = _value(found["value"])
    return values


def _value(text: str) -> str:
    if text[:1] in ("'", '"'):
        closing = text.find(text[0], 1)
        if closing > 0:
            return text[1:closing]
    if text.startswith("#"):
        return ""
    return re.split(r"\s#", text, maxsplit=1)[0].strip()
