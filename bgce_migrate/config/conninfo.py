"""Connection strings: recognised, cleared of golang-migrate's parameters, shown without secrets."""

from __future__ import annotations

import re
from urllib.parse import unquote

from msgspec import Struct

from bgce_migrate.errors import UsageError

#: golang-migrate's names for PostgreSQL drivers beside libpq's own two.
_OTHER_SCHEMES = ("pgx", "pgx4", "pgx5")
_SCHEMES = ("postgres", "postgresql", *_OTHER_SCHEMES)
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)\Z", re.DOTALL)
_PAIR = re.compile(
    r"\s*(?P<key>[A-Za-z_]+)\s*=\s*"
    r"(?:'(?P<quoted>(?:\\.|[^\\'])*)'|(?!')(?P<plain>(?:\\.|[^\s\\])*))(?=\s|\Z)",
    re.DOTALL,
)
#: What may be shown of a value; anything else could be part of a password in the wrong place.
_HOST = re.compile(r"[A-Za-z0-9_.,:/@%\[\]-]{1,512}\Z")
_PORT = re.compile(r"[0-9,]{1,64}\Z")
_WORD = re.compile(r"[A-Za-z0-9_.@$+-]{1,128}\Z")
UNREADABLE = "(a connection string that cannot be read)"


class _Malformed(Exception):
    """The text says what is wrong, without a piece of the string."""


class Parts(Struct, frozen=True):
    """What may be shown of a connection string; empty where it is not said."""

    host: str = ""
    port: str = ""
    database: str = ""
    user: str = ""


def redact(conninfo: str) -> str:
    """Host, port, database and user of a connection string, and nothing else of it."""
    url = _URL.match(conninfo.strip())
    if url and url["rest"].count("@") > (_split(url["rest"])[0] is not None):
        # An @ elsewhere may be the real end of a password that holds @ or / itself.
        return UNREADABLE
    try:
        parts = _url_parts(conninfo) if "://" in conninfo.split("=", 1)[0] else _pair_parts(conninfo)
    except _Malformed:
        return UNREADABLE
    shown = [
        f"{key}={value if pattern.match(value) else '?'}"
        for key, value, pattern in (
            ("host", parts.host, _HOST),
            ("port", parts.port, _PORT),
            ("dbname", parts.database, _WORD),
            ("user", parts.user, _WORD),
        )
        if value
    ]
    return " ".join(shown) or "(libpq's defaults)"


def accept(conninfo: str, source: str) -> tuple[str, tuple[str, ...]]:
    """A connection string for libpq, and notes on what was left out of it.

    Args:
        source: the flag or variable it comes from; named in errors in place of the string.

    Raises:
        UsageError: it is neither a PostgreSQL URL nor `key=value` pairs.
    """
    text = conninfo.strip()
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise UsageError(f"{source} holds a control character", hint="is there a line break in the secret?")
    url = _URL.match(text) if "://" in text.split("=", 1)[0] else None
    try:
        if url is None:
            _pair_parts(text)
            return text, ()
        if url["scheme"].lower() not in _SCHEMES:
            raise _Malformed("is not a PostgreSQL URL")
        _url_parts(text)
    except _Malformed as fault:
        raise UsageError(
            f"{source} {fault}",
            hint="postgresql://user:password@host:port/database; in the password, percent-encode @ : / ? # %",
        ) from None
    return _for_libpq(url["scheme"].lower(), url["rest"])


def _for_libpq(scheme: str, rest: str) -> tuple[str, tuple[str, ...]]:
    """Drop golang-migrate's `x-` parameters and take libpq's name for the scheme."""
    notes: list[str] = []
    if scheme in _OTHER_SCHEMES:
        notes.append(f"the scheme {scheme}:// was read as postgresql://")
        scheme = "postgresql"
    user, hosts, path, query = _split(rest)
    address = (f"{user}@" if user is not None else "") + hosts + (f"/{path}" if path else "")
    kept: list[str] = []
    for parameter in query.split("&"):
        name = unquote(parameter.partition("=")[0])
        if name.lower().startswith("x-"):
            shown = name if _WORD.match(name) else "x-?"
            notes.append(f"parameter {shown} is golang-migrate's and was left out")
        elif parameter:
            kept.append(parameter)
    return f"{scheme}://{address}" + (f"?{'&'.join(kept)}" if kept else ""), tuple(notes)


def _url_parts(text: str) -> Parts:
    found = _URL.match(text.strip())
    if not found:
        raise _Malformed("is not a PostgreSQL URL")
    user_part, hosts, path, query = _split(found["rest"])
    user_part = user_part or ""
    if "@" in hosts or "@" in path:
        raise _Malformed("is not a PostgreSQL URL: a password's special characters are not encoded")
    names: list[str] = []
    ports: list[str] = []
    for host in hosts.split(","):
        name, port = _host_port(host)
        names.append(name)
        ports.append(port)
    user = _decoded(user_part.partition(":")[0])
    _decoded(user_part)
    asked = _query(query)
    return Parts(
        host=asked.get("host") or asked.get("hostaddr") or ",".join(n for n in names if n),
        port=asked.get("port") or ",".join(p for p in ports if p),
        database=asked.get("dbname") or _decoded(path),
        user=asked.get("user") or user,
    )


def _split(rest: str) -> tuple[str | None, str, str, str]:
    """User part (None without `@`), hosts, path and query, cut where libpq cuts."""
    end = re.search(r"[@/]", rest)
    user = None
    if end and end.group() == "@":
        user, rest = rest[: end.start()], rest[end.end() :]
    address, _, query = rest.partition("?")
    hosts, _, path = address.partition("/")
    return user, hosts, path, query


def _host_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _Malformed("is not a PostgreSQL URL: the host's bracket is not closed")
        host, port = host + bracket, rest[1:]
    else:
        host, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise _Malformed("is not a PostgreSQL URL: the port is not a number from 1 to 65535")
    return _decoded(host), port


def _query(text: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for parameter in text.split("&") if text else ():
        name, equals, value = parameter.partition("=")
        if parameter and not equals:
            raise _Malformed("is not a PostgreSQL URL: a parameter has no value")
        out[_decoded(name)] = _decoded(value)
    return out


def _decoded(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text) or "%00" in text:
        raise _Malformed("is not a PostgreSQL URL: a % is not the start of an encoded character")
    return unquote(text)


def _pair_parts(text: str) -> Parts:
    values: dict[str, str] = {}
    at = 0
    text = text.strip()
    while at < len(text):
        found = _PAIR.match(text, at)
        if not found:
            raise _Malformed("is neither a PostgreSQL URL nor key=value pairs")
        value = found["quoted"] if found["quoted"] is not None else found["plain"]
        values[found["key"].lower()] = re.sub(r"\\(.)", r"\1", value)
        at = found.end()
    if not values:
        raise _Malformed("is neither a PostgreSQL URL nor key=value pairs")
    # libpq takes a whole connection string as dbname: none of it is shown.
    database = values.get("dbname", "")
    return Parts(
        values.get("host") or values.get("hostaddr", ""),
        values.get("port", ""),
        database,
        values.get("user", ""),
    )
