"""What a verdict depends on: content, configuration files, and the versions of what judges; nothing is imported."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path

from msgspec import Struct, field

from bgce_migrate import __version__
from bgce_migrate.migration import SourceFile

#: Raised when our defaults or the form of verdicts change.
FORMAT = 1
#: Where sqlfluff looks for settings, in each folder; the last two belong to others too.
FILES = (".sqlfluff", ".sqlfluffignore", "pep8.ini", "tox.ini", "setup.cfg", "pyproject.toml")
_LARGEST = 1 << 20


class Keys(Struct):
    """Names under which verdicts are kept; configuration files are read once for each folder."""

    current: str = field(default_factory=os.getcwd)
    _configurations: dict[str, str] = field(default_factory=dict)

    def of(self, source: SourceFile) -> str:
        """The key of a file."""
        # The path is part of it: configuration may exclude files by name.
        path = os.path.abspath(source.path)
        said = (_tools(), self.configuration(source), path, source.sha256)
        return hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()

    def configuration(self, source: SourceFile) -> str:
        """A digest of what configures sqlfluff for a file."""
        folder = os.path.dirname(os.path.abspath(source.path))
        if folder not in self._configurations:
            self._configurations[folder] = _configuration(folder, self.current)
        return self._configurations[folder]


@lru_cache(maxsize=1)
def _tools() -> tuple[str, ...]:
    """The versions of everything that judges, sqlfluff's plugins among them."""
    plugins = {f"{e.name}={e.value}" for e in entry_points(group="sqlfluff")}
    dists = {d for e in entry_points(group="sqlfluff") if (d := getattr(e, "dist", None)) is not None}
    plugins |= {f"{d.name} {d.version}" for d in dists}
    return (__version__, str(FORMAT), *(_version(name) for name in ("sqlfluff", "sqlfluffrs")), *sorted(plugins))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _configuration(folder: str, current: str) -> str:
    """A digest of all files that may configure sqlfluff for a folder, seen from where it is called."""
    home = os.path.expanduser("~")
    places = [str(p) for p in (Path(folder), *Path(folder).parents)]
    places += [current, home, os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "sqlfluff")]
    digest = hashlib.sha256(current.encode("utf-8", "surrogateescape"))
    for place in dict.fromkeys(places):
        for name in FILES:
            path = os.path.join(place, name)
            raw = _read(path)
            if raw is not None:
                digest.update(os.fsencode(path) + b"\0" + hashlib.sha256(raw).digest())
    return digest.hexdigest()


def _read(path: str) -> bytes | None:
    """A file that may speak of sqlfluff; None if there is none, or it does not."""
    try:
        with open(path, "rb") as file:
            raw = file.read(_LARGEST)
    except OSError:
        return None
    return raw if b"sqlfluff" in raw or ".sqlfluff" in path else None
