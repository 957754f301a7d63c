"""Standard error for machines that keep logs: one JSON object a line, in place of sentences."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone

#: Names of `--log-format`.
FORMATS = ("text", "json")
_LEVELS = ("error", "warning", "note", "hint")


def line(event: str, level: str, run_id: str | None, fields: Mapping[str, object]) -> str:
    """One event as ASCII: `ts` (UTC, RFC 3339), `level`, `event` and `run_id` come first, `fields` follow."""
    now = datetime.fromtimestamp(time.time(), timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"ts": now, "level": level, "event": event, "run_id": run_id, **fields})


def graded(text: str) -> tuple[str, str]:
    """The level of a sentence that is meant for people, and the sentence without its first word if that is the level."""
    text = text.strip()
    word, colon, rest = text.partition(": ")
    if not colon or word not in _LEVELS:
        return "info", text
    return (word, rest) if word in ("error", "warning") else ("info", rest)


def asked_for(arguments: Sequence[str], variable: str | None) -> bool:
    """Known before the options are read, so that a wrong option is a JSON line too.

    Args:
        variable: the value of BGCE_LOG_FORMAT.
    """
    said = (variable or "").strip().lower()
    words = list(arguments)
    ours = words[: words.index("--")] if "--" in words else words  # what follows is another program's
    for word, following in zip(ours, [*ours[1:], ""], strict=True):
        if word == "--log-format":
            said = following
        elif word.startswith("--log-format="):
            said = word.partition("=")[2]
    return said.lower() == "json"


def follow(told: Callable[[str], None]) -> Callable[[], None]:
    """Bring Python's log records (a plugin of ours has failed, an exporter of spans is away) the same way as everything else.

    Returns:
        What ends that.
    """
    logger, handler = logging.getLogger(), logging.Handler(logging.WARNING)
    handler.emit = lambda record: told(f"warning: {record.getMessage()}")  # type: ignore[method-assign]
    logger.addHandler(handler)
    return lambda: logger.removeHandler(handler)
