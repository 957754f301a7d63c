"""golang-migrate's way to write a command line, turned into ours before click reads it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from bgce_migrate.errors import UsageError

#: Options of golang-migrate that take a value, by what they are called here.
_VALUES = {
    "path": "--migrations",
    "source": "--migrations",
    "database": "--database-url",
    "lock-timeout": "--golang-lock-timeout",
    "prefetch": "--golang-prefetch",
    "ext": "--ext",
    "dir": "--dir",
    "format": "--format",
    "digits": "--digits",
    "tz": "--tz",
}
_FLAGS = {
    "help": "--help",
    "version": "--version",
    "verbose": "--verbose",
    "seq": "--seq",
    "all": "--all",
    "f": "--force",
}
#: With two dashes these are golang-migrate's alone; the others mean something of ours then.
_LONG = frozenset({"path", "source", "database"})


def respell(arguments: Sequence[str]) -> list[str]:
    """Every single-dash option of golang-migrate in our spelling; the rest as it is.

    Raises:
        UsageError: a source that is not a folder of files.
    """
    out: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*out, word, *rest]
        name, equals, value = word.lstrip("-").partition("=")
        dashes = len(word) - len(word.lstrip("-"))
        if (dashes == 1 and name in _VALUES) or (dashes == 2 and name in _LONG):
            if not equals:
                if not rest:
                    raise UsageError(f"{word} needs a value")
                value = rest.pop(0)
            out += [_VALUES[name], _folder(value) if name == "source" else value]
        elif dashes == 1 and name in _FLAGS and (not equals or value in ("true", "1")):
            out.append(_FLAGS[name])
        else:
            out.append(word)
    return out


def _folder(source: str) -> str:
    """The folder of a source URL."""
    if "://" not in source:
        return source
    parts = urlsplit(source)
    if parts.scheme != "file":
        raise UsageError(
            f"-source {parts.scheme}:// is not supported", hint="check the files out and give -path FOLDER"
        )
    return unquote(parts.netloc + parts.path) or "."
