"""A short notation for effects, so that a test reads like the history it is about.

One word is one statement; words joined by `&` are one statement:

    +users      CREATE TABLE            *users      CREATE OR REPLACE
    -users      DROP                    ?-users     DROP IF EXISTS
    -users!     DROP ... CASCADE        users       a use (of a kind that fails when it is missing)
    a>b         RENAME a TO b           ~users      a use that binds late
    =users      ALTER                   ^users      INSERT
    ?*users     CREATE IF NOT EXISTS    ???         something that cannot be seen through
    users.id    a column                users#id    a key        users@t   a trigger
    f()         a function              T:mood      a type       S:app     a schema   E:citext an extension
    app.users   with a schema is written app:users
"""

from __future__ import annotations

import re

from bgce_migrate.effect import Action, Effect, Name, ObjectKind
from bgce_migrate.migration import MigrationId
from bgce_migrate.order import Candidate, LogEntry, Placement, Rules, place

_KINDS = {"T": ObjectKind.TYPE, "S": ObjectKind.SCHEMA, "E": ObjectKind.EXTENSION}
_ACTIONS = {
    "+": Action.MAKE,
    "*": Action.REPLACE,
    "-": Action.DROP,
    "=": Action.ALTER,
    "^": Action.WRITE,
}


def name_of(text: str) -> Name:
    """`app:users.id`, `f()`, `T:mood` as a Name."""
    schema: str | None = None
    if text[:2] in ("T:", "S:", "E:"):
        return Name(_KINDS[text[0]], text[2:])
    if ":" in text:
        schema, text = text.split(":")
    if text.endswith("()"):
        return Name(ObjectKind.FUNCTION, text[:-2], schema)
    for sign, kind in ((".", ObjectKind.COLUMN), ("#", ObjectKind.KEY), ("@", ObjectKind.TRIGGER)):
        if sign in text:
            table, part = text.split(sign)
            return Name(kind, table, schema, part)
    return Name(ObjectKind.RELATION, text, schema)


def effects(text: str) -> tuple[Effect, ...]:
    """The effects of a migration in the notation above."""
    found: list[Effect] = []
    for number, statement in enumerate(text.split()):
        for word in statement.split("&"):
            found.append(_effect(word, number))
    return tuple(found)


def _effect(word: str, number: int) -> Effect:
    line = number + 1
    if word == "???":
        return Effect(Action.OPAQUE, Name(ObjectKind.FUNCTION, ""), line, number, detail="EXECUTE")
    detail, relation_kind = "", ""
    match = re.fullmatch(r"(.*)\[([^]]+)\]", word)
    if match:
        word, detail = match[1], match[2].replace("_", " ")
    optional = word.startswith("?")
    word = word.removeprefix("?")
    soft = word.startswith("~")
    word = word.removeprefix("~")
    if ">" in word:
        old, new = word.split(">")
        return Effect(Action.RENAME, name_of(old), line, number, optional=optional, to=name_of(new))
    action = _ACTIONS.get(word[0], Action.USE)
    if action is not Action.USE:
        word = word[1:]
    cascade = word.endswith("!")
    word = word.removesuffix("!")
    if action in (Action.MAKE, Action.REPLACE) and detail in ("view", "index", "matview", "sequence"):
        relation_kind, detail = detail, ""
    return Effect(
        action,
        name_of(word),
        line,
        number,
        soft,
        detail,
        optional=optional,
        cascade=cascade,
        relation_kind=relation_kind,
    )


def migration_id(text: str) -> MigrationId:
    """`a/1` as an id."""
    domain, version = text.split("/")
    return MigrationId(domain, int(version))


def log(**entries: str) -> tuple[LogEntry, ...]:
    """`log(a1="+users")`: entries in the order given."""
    return tuple(LogEntry(_key(key), effects(text)) for key, text in entries.items())


def new(**entries: str) -> tuple[Candidate, ...]:
    """`new(b1="users", b2="+x ! a/1")`: after `!` the explicit requires."""
    made: list[Candidate] = []
    for key, text in entries.items():
        body, _, requires = text.partition(" ! ")
        made.append(Candidate(_key(key), effects(body), tuple(requires.split()), f"{key}.up.sql"))
    return tuple(made)


def _key(key: str) -> MigrationId:
    match = re.fullmatch(r"([a-z]+)(\d+)", key)
    assert match
    return MigrationId(match[1], int(match[2]))


def placed(placement: Placement) -> str:
    """The order as `a1 b1 a2`."""
    return " ".join(f"{m.domain}{m.version}" for m in placement.order)


def order_of(log_: tuple[LogEntry, ...], new_: tuple[Candidate, ...], ranks: str = "") -> str:
    """Place without declarations and show the order; `ranks` are domains, the first first."""
    rules = Rules({domain: rank for rank, domain in enumerate(ranks)})
    return placed(place(log_, new_, rules))
