"""A file that is replaced as a whole, and a push gateway; both by prometheus-client."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.exporting.exposition import registry
from bgce_migrate.metrics.sample import Sample

_TIMEOUT = 10.0  # seconds
_FOR_ALL = 0o644


def write_file(path: Path, samples: Sequence[Sample]) -> None:
    """Replace a file; a reader sees the old text or the new one, whenever the writer dies.

    Raises:
        UsageError: it cannot be written, or prometheus-client is not installed.
    """
    shown = registry(samples)
    from prometheus_client import write_to_textfile

    try:
        write_to_textfile(str(path), shown)
        # node_exporter runs as a user of its own, whatever our umask is.
        if stat.S_IMODE(path.stat().st_mode) & _FOR_ALL != _FOR_ALL:
            path.chmod(_FOR_ALL)
    except OSError as error:
        hint = "name a file in a folder that is there"
        raise UsageError(f"{path} cannot be written: {error.strerror or error}", hint=hint) from None


def push(url: str, samples: Sequence[Sample], *, service: str | None = None) -> None:
    """Replace what a push gateway has of this job, or of one service of it.

    Args:
        url: may hold a user and a password, for a gateway behind basic authentication.

    Raises:
        UsageError: not an address of a gateway, or prometheus-client is not installed.
        Unavailable: it does not answer, or refuses.
    """
    shown = registry(samples)
    address, handler = _gateway(url)
    from prometheus_client import push_to_gateway

    group = {"service": service} if service else None
    try:
        push_to_gateway(address, "bgce_migrate", shown, group, _TIMEOUT, handler)
    except HTTPError as error:
        said = error.read(500).decode("utf-8", "replace").strip()
        message = f"the push gateway refused the metrics: {error.code} {said}"
        raise Unavailable(message, hint="look at the gateway's log") from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        hint = "look whether it runs; nothing else depends on it"
        raise Unavailable(f"the push gateway does not answer: {reason}", hint=hint) from None
    except HTTPException as error:
        raise Unavailable(f"the push gateway does not answer as one: {type(error).__name__}", hint="look at its address") from None


def _gateway(url: str) -> tuple[str, Callable[..., Any]]:
    """The address without what is secret in it, and how a request proves who asks."""
    from prometheus_client.exposition import basic_auth_handler, default_handler

    wrong = UsageError(
        "the push gateway's address does not begin with http:// or https://, or has no host",
        hint="for example http://127.0.0.1:9091",
    )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not host:
        raise wrong
    if parts.username is None:
        return url, default_handler
    place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    user, password = unquote(parts.username), unquote(parts.password or "")
    return urlunsplit(parts._replace(netloc=place)), partial(basic_auth_handler, username=user, password=password)
