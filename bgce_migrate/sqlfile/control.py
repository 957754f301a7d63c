"""Transaction control: a wrapping BEGIN and COMMIT comes off, the rest is refused or journaled."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from bgce_migrate.errors import Problem, Where
from bgce_migrate.sqlfile.effects.settings import control_word
from bgce_migrate.sqlparse import Parsed, SqlSyntaxError, pairs, spans

#: What to do about a `Fault`, by its kind.
HINTS = {
    "role": "take it out: each step runs as its domain's owner",
    "settings": "take it out",
    "copy": "use INSERT, or load the data outside of migrations",
    "constraints": "name the constraints: SET CONSTRAINTS a, b IMMEDIATE",
    "transaction": "take it out: the step is one transaction",
}
_ROLES = {
    "BEGIN": "begin",
    "START TRANSACTION": "begin",
    "COMMIT": "commit",
    "COMMIT AND CHAIN": "commit",
    "ROLLBACK": "rollback",
    "ROLLBACK AND CHAIN": "rollback",
}
_LEADING = frozenset({"VariableSetStmt", "CreateExtensionStmt"})


class Envelope(Struct, frozen=True):
    """The statements without a wrapper.

    Attributes:
        controls: transaction control that is left, with its words.
        journal: control is left in the middle, so the file runs unit by unit.
        open_end: a BEGIN without COMMIT was taken off.
    """

    statements: tuple[Parsed, ...]
    controls: tuple[tuple[Parsed, str], ...] = ()
    journal: bool = False
    open_end: bool = False


def word_of(found: Parsed) -> str:
    """The words of transaction control, or "" for savepoints and everything else."""
    return control_word(found.node) if found.kind == "TransactionStmt" else ""


def role_of(found: Parsed) -> str:
    """`Statement.control`: begin, commit, rollback or ""."""
    return _ROLES.get(word_of(found), "")


def unwrap(parsed: tuple[Parsed, ...], *, strict: bool) -> Envelope:
    """Take a wrapping BEGIN and COMMIT off; plain folders may write START TRANSACTION, too."""
    places = [(index, word_of(found)) for index, found in enumerate(parsed)]
    places = [(index, word) for index, word in places if word]
    if not places:
        return Envelope(parsed)
    first, word = places[0]
    opens = word == "BEGIN" or (word == "START TRANSACTION" and not strict)
    leading = opens and not parsed[first].node.options and all(p.kind in _LEADING for p in parsed[:first])
    if leading and len(places) == 2 and places[1] == (len(parsed) - 1, "COMMIT"):
        return Envelope(parsed[:first] + parsed[first + 1 : -1])
    if leading and len(places) == 1 and not strict:
        return Envelope(parsed[:first] + parsed[first + 1 :], open_end=True)
    controls = tuple((parsed[index], word) for index, word in places)
    return Envelope(parsed, controls, journal=True)


def problems(envelope: Envelope, *, strict: bool, where: Callable[[int], Where]) -> list[Problem]:
    """What is refused: all of it in declared domains, PREPARE TRANSACTION everywhere."""
    hint = "take it out: the step is one transaction; one BEGIN and one COMMIT may wrap the whole file"
    return [
        Problem(f"{word} is transaction control in the middle of the file", where(found.offset), hint)
        for found, word in envelope.controls
        if strict or word == "PREPARE TRANSACTION"
    ]


#: At the start of a statement, these end the step's transaction, leave its owner's role, or want a client.
_SWITCHING = re.compile(
    r"(begin|start transaction|commit|end|rollback(?! (?:work |transaction )?to\b)|abort|prepare transaction"
    r"|set (?:(?:session|local) )?(?:role|session authorization)|reset (?:role|all|session authorization)|discard|copy)\b"
)


def switching_word(text: str) -> str | None:
    """What ends the transaction or leaves the role in a text that no grammar reads; None if nothing does.

    Tokens are PostgreSQL's own; where not even they can be told, one such word anywhere is too much.
    """
    raw = text.encode()
    try:
        tokens = [raw[begin:end].decode().lower() for begin, end in pairs(spans(raw))]
    except SqlSyntaxError:
        found = re.search(rf"\b{_SWITCHING.pattern}", " ".join(text.lower().split()))
        return found[1].upper() if found else None
    words: list[str] = []
    for token in (*(t for t in tokens if not t.startswith(("--", "/*"))), ";"):
        if token != ";":
            words.append(token)
            continue
        # Longest is `rollback transaction to`.
        if found := _SWITCHING.match(" ".join(words[:4])):
            return found[1].upper()
        words = []
    return None
