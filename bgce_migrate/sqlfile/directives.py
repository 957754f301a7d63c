"""The `-- bgce:` lines at the top of a file."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from msgspec import Struct, field
from msgspec.structs import replace

from bgce_migrate.errors import Problem, Where
from bgce_migrate.migration import Directives

NAMES = (
    "no-transaction",
    "requires",
    "irreversible",
    "phase",
    "lock-timeout",
    "repeatable",
    "done-when",
    "row-security",
    "opaque",
    "allow",
)
LINE = re.compile(r"--[ \t]*bgce:[ \t]*(.*)", re.IGNORECASE)
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_REASON = re.compile(rf"reason={_QUOTED}\Z")
_TEXT = re.compile(rf"{_QUOTED}\Z")
_REQUIRED = re.compile(r"([^\s,/]+)/(\d+)(?:_[^\s,]*)?\Z")
_TIMEOUT = re.compile(r"[1-9]\d*(?:ms|s|min|h)\Z")
_ALLOW = re.compile(rf"([a-z0-9][a-z0-9_-]*)(?:[ \t]+until[ \t]+(\S+))?[ \t]+reason={_QUOTED}\Z")
_SPACE = re.compile(r"[ \t\n\r\f\v]+")
_COMMENT_EDGE = re.compile(r"/\*|\*/")


class Header(Struct):
    """The top of a file: its directives, what enters the checksum, and what is wrong.

    Attributes:
        end: characters before the first statement.
        canonical: the directives but `allow`, each in one spelling, sorted.
    """

    directives: Directives
    end: int
    canonical: tuple[str, ...]
    problems: list[Problem] = field(default_factory=list)


class _Draft(Struct):
    directives: Directives
    canonical: set[str]
    said: set[str]


def read_header(path: str, text: str) -> Header:
    """Read the comment lines before the first statement; mistakes go into `problems`."""
    draft = _Draft(Directives(), set(), set())
    problems: list[Problem] = []
    comments: list[tuple[int, str]] = []
    end = _scan_top(text, comments)
    for at, comment in comments:
        match = LINE.match(comment)
        fault = _directive(match.group(1).strip(), draft) if match else None
        if fault:
            problems.append(Problem(fault, Where(path, text.count("\n", 0, at) + 1)))
    return Header(draft.directives, end, tuple(sorted(draft.canonical)), problems)


def misplaced(path: str, text: str, end: int, comments: Callable[[], list[tuple[int, str]]]) -> list[Problem]:
    """Directive lines after the first statement. `comments` gives (offset, text) of all comments."""
    if LINE.search(text, end) is None:
        return []
    return [
        Problem(
            "a `-- bgce:` line after the first statement",
            Where(path, text.count("\n", 0, offset) + 1),
            "move it to the top of the file",
        )
        for offset, comment in comments()
        if offset >= end and LINE.match(comment)
    ]


def _scan_top(text: str, found: list[tuple[int, str]]) -> int:
    """Collect the line comments before the first statement; returns where that starts."""
    at, size = 0, len(text)
    while at < size:
        space = _SPACE.match(text, at)
        if space:
            at = space.end()
        elif text.startswith("--", at):
            stop = text.find("\n", at)
            stop = size if stop < 0 else stop
            found.append((at, text[at:stop]))
            at = stop
        elif text.startswith("/*", at):
            at = _block_end(text, at)
        else:
            break
    return at


def _block_end(text: str, at: int) -> int:
    """Where the block comment at `at` ends; they nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def _directive(body: str, draft: _Draft) -> str | None:
    """Take one directive into the draft; returns what is wrong with it."""
    name, _, rest = body.partition(" ")
    name, rest = name.strip().lower(), rest.strip()
    reader = _READERS.get(name)
    if reader is None:
        return f"unknown directive '{name}'; there are: {', '.join(NAMES)}"
    if name in draft.said and name not in ("requires", "allow"):
        return f"'{name}' is said twice"
    draft.said.add(name)
    return reader(rest, draft)


def _flag(field_name: str, name: str) -> Callable[[str, _Draft], str | None]:
    def read(rest: str, draft: _Draft) -> str | None:
        if rest:
            return f"'{name}' takes no value, not '{rest}'"
        draft.directives = replace(draft.directives, **{field_name: True})
        draft.canonical.add(name)
        return None

    return read


def _quoted(
    field_name: str, name: str, pattern: re.Pattern[str], form: str
) -> Callable[[str, _Draft], str | None]:
    def read(rest: str, draft: _Draft) -> str | None:
        match = pattern.match(rest)
        value = re.sub(r"\\(.)", r"\1", match.group(1)).strip() if match else ""
        if not value:
            return f"'{name}' wants {form}"
        draft.directives = replace(draft.directives, **{field_name: value})
        draft.canonical.add(f"{name} {value}")
        return None

    return read


def _requires(rest: str, draft: _Draft) -> str | None:
    wanted = [part for part in re.split(r"[\s,]+", rest) if part]
    found = [_REQUIRED.match(part) for part in wanted]
    wrong = [part for part, match in zip(wanted, found, strict=True) if match is None]
    if wrong or not wanted:
        return f"'requires' wants domain/version, e.g. cortex/000002, not '{', '.join(wrong)}'"
    ids = [f"{match.group(1)}/{int(match.group(2)):06d}" for match in found if match]
    known = draft.directives.requires
    fresh = tuple(dict.fromkeys(i for i in ids if i not in known))
    draft.directives = replace(draft.directives, requires=known + fresh)
    draft.canonical.update(f"requires {i}" for i in ids)
    return None


def _phase(rest: str, draft: _Draft) -> str | None:
    if rest not in ("expand", "contract"):
        return f"'phase' is expand or contract, not '{rest}'"
    draft.directives = replace(draft.directives, phase=rest)
    draft.canonical.add(f"phase {rest}")
    return None


def _lock_timeout(rest: str, draft: _Draft) -> str | None:
    value = rest.replace(" ", "")
    if not _TIMEOUT.match(value):
        return f"'lock-timeout' wants a number with ms, s, min or h, e.g. 2s, not '{rest}'"
    draft.directives = replace(draft.directives, lock_timeout=value)
    draft.canonical.add(f"lock-timeout {value}")
    return None


def _row_security(rest: str, draft: _Draft) -> str | None:
    if rest != "on":
        return f"'row-security' can only be set to on, not '{rest}'"
    draft.directives = replace(draft.directives, row_security=True)
    draft.canonical.add("row-security on")
    return None


def _allow(rest: str, draft: _Draft) -> str | None:
    match = _ALLOW.match(rest)
    if match is None or not match.group(3).strip():
        return 'write: allow <rule> until 2027-01-31 reason="..."'
    rule, until, reason = match.group(1), match.group(2) or "", match.group(3).strip()
    if until:
        try:
            until = datetime.date.fromisoformat(until).isoformat()
        except ValueError:
            return f"'{until}' is not a date of the form 2027-01-31"
    reason = re.sub(r"\\(.)", r"\1", reason)
    draft.directives = replace(draft.directives, allow=(*draft.directives.allow, (rule, until, reason)))
    return None


_READERS: dict[str, Callable[[str, _Draft], str | None]] = {
    "no-transaction": _flag("no_transaction", "no-transaction"),
    "requires": _requires,
    "irreversible": _quoted("irreversible", "irreversible", _REASON, 'reason="..."'),
    "phase": _phase,
    "lock-timeout": _lock_timeout,
    "repeatable": _flag("repeatable", "repeatable"),
    "done-when": _quoted("done_when", "done-when", _TEXT, 'a query in double quotes: done-when "select ..."'),
    "row-security": _row_security,
    "opaque": _quoted("opaque", "opaque", _REASON, 'reason="..."'),
    "allow": _allow,
}
