"""A file that is replaced as a whole, and a push gateway."""

from __future__ import annotations

import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.metrics.text import CONTENT_TYPE

_TIMEOUT = 10.0  # seconds


def write_file(path: Path, text: str) -> None:
    """Replace a file; a reader sees the old text or the new one, whenever the writer dies.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            # Others read it: node_exporter runs as a user of its own.
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        hint = "name a file in a folder that is there"
        raise UsageError(f"{path} cannot be written: {error.strerror or error}", hint=hint) from None


def push(url: str, text: str, *, service: str | None = None) -> None:
    """Replace what a push gateway has of this job, or of one service of it.

    Raises:
        UsageError: not an address of a gateway.
        Unavailable: it does not answer, or refuses.
    """
    if not url.startswith(("http://", "https://")):
        message = "the push gateway's address does not begin with http:// or https://"
        raise UsageError(message, hint="for example http://127.0.0.1:9091")
    group = f"/service/{quote(service, safe='')}" if service else ""
    request = urllib.request.Request(
        f"{url.rstrip('/')}/metrics/job/bgce_migrate{group}", text.encode(), {"Content-Type": CONTENT_TYPE}, method="PUT"
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT):
            pass
    except urllib.error.HTTPError as error:
        said = error.read(500).decode("utf-8", "replace").strip()
        message = f"the push gateway refused the metrics: {error.code} {said}"
        raise Unavailable(message, hint="look at the gateway's log") from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        hint = "look whether it runs; nothing else depends on it"
        raise Unavailable(f"the push gateway does not answer: {reason}", hint=hint) from None
