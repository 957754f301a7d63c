"""Reads who may do what: relations, columns, sequences, functions, types, schemas, database, defaults, memberships."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bgce_migrate.db.aclitem import entry
from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Rows, Session
from bgce_migrate.db.wire import Command
from bgce_migrate.grants.current import Account, Current
from bgce_migrate.grants.existing import Existing, Place, Use
from bgce_migrate.grants.memberships import AROUND
from bgce_migrate.grants.model import Access, DefaultRight, Membership, Right, Securable, SecurableKind
from bgce_migrate.grants.scope import Scope

_WORDS = {"r": "TABLE", "p": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW", "f": "FOREIGN TABLE", "S": "SEQUENCE"}
_DEFAULTS = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS"}
#: Types that are not visible are written with their schema: then the arguments of functions are, too.
PIN = "SELECT set_config('search_path', 'pg_catalog, pg_temp', true)"


def read(session: Session, scope: Scope, *, within: bool = False) -> Current:
    """The whole current state, in one round trip.

    Args:
        within: inside a transaction whose search_path is pinned already; else one of its own, read only.
    """
    asked = _commands(session, scope)
    if within:
        replies = session.run(list(asked.values()))
    else:
        before = [Command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), Command(PIN)]
        replies = session.run([*before, *asked.values(), Command("COMMIT")])[2:-1]
    return _Reading(session, scope, {name: r.rows for name, r in zip(asked, replies, strict=True)}).current()


def _commands(session: Session, scope: Scope) -> dict[str, Command]:
    """All queries, by name."""
    schemas, owners = array([*scope.schemas, scope.bookkeeping]), array(scope.owning)
    roles, named = array(sorted(scope.roles)), array(sorted({*scope.grantees, *AROUND, scope.session_role}))
    functions = array(sorted({name for _, name in scope.functions}))
    may = "SET" if session.server_version >= 160000 else "MEMBER"
    query = session.query
    return {
        "session": Command(query("acl", "session")),
        "relations": Command(query("acl", "relations"), (schemas, owners)),
        "column_acl": Command(query("acl", "column_acl"), (schemas, owners)),
        "sequences": Command(query("acl", "sequences"), (schemas, owners)),
        "functions": Command(query("acl", "functions"), (schemas, owners, functions, scope.bookkeeping)),
        "types": Command(query("acl", "types"), (owners,)),
        "schemas": Command(query("acl", "schemas"), (schemas, owners)),
        "databases": Command(query("acl", "databases")),
        "default_acl": Command(query("acl", "default_acl"), (owners,)),
        "memberships": Command(query("acl", "memberships"), (roles,)),
        "accounts": Command(query("acl", "accounts"), (named, may, schemas)),
        "foreign_keys": Command(query("acl", "foreign_keys"), (schemas, owners)),
        "view_columns": Command(query("acl", "view_columns"), (schemas, owners)),
    }


class _Reading:
    """The rows of one reading, becoming values."""

    def __init__(self, session: Session, scope: Scope, rows: dict[str, Rows]) -> None:
        self.session = session
        self.scope = scope
        self.rows = rows
        self.owners: dict[Securable, str] = {}
        self.rights: dict[Right, str] = {}
        self.passed_on: dict[Right, str] = {}
        self.definers: set[Securable] = set()
        self.words: dict[Securable, str] = {}
        self.by_oid: dict[str, Securable] = {}

    def current(self) -> Current:
        me, superuser, database = (v or "" for v in self.rows["session"][0])
        existing, strangers = self._relations()
        self._column_acls()
        functions = {
            on: home
            for on, owner in self._others()
            if on.kind is SecurableKind.FUNCTION
            and (home := self.scope.functions.get((on.schema, on.name)) or self.scope.owners.get(owner))
        }
        grantors: dict[Membership, tuple[str, ...]] = {}
        for role, member, inherit, set_role, admin, by in _text(self.rows["memberships"]):
            membership = Membership(role, member, inherit == "true", set_role == "true", admin == "true")
            grantors[membership] = tuple(json.loads(by))
        access = Access(
            self.rights,
            frozenset(grantors),
            frozenset(
                DefaultRight(owner, schema, _DEFAULTS[kind], grantee, privilege, grantable == "true")
                for owner, schema, kind, grantee, privilege, grantable in _text(self.rows["default_acl"])
                if kind in _DEFAULTS
            ),
            self.owners,
        )
        return Current(
            me, superuser == "true", database, self.session.server_version, access,
            Existing(
                existing.columns, existing.homes, existing.sequences, functions, frozenset(self._uses()),
                existing.states, existing.versions,
            ),
            {v[0]: Account(v[0], *(word == "true" for word in v[1:])) for v in _text(self.rows["accounts"])},
            self.passed_on, grantors, self.words, frozenset(self.definers), strangers,
        )  # fmt: skip

    def _relations(self) -> tuple[Existing, tuple[Securable, ...]]:
        columns: dict[Place, tuple[str, ...]] = {}
        homes: dict[Place, str] = {}
        identity: set[Securable] = set()
        strangers: list[Securable] = []
        registry, owners = self.scope.registry, self.scope.owners
        for oid, schema, name, kind, owner, of_table, listed_acl, listed in _text(self.rows["relations"]):
            on = Securable(SecurableKind.SEQUENCE if kind == "S" else SecurableKind.TABLE, schema, name)
            self.by_oid[oid] = on
            self.owners[on] = owner
            self.words[on] = _WORDS[kind]
            self._acl(on, owner, listed_acl)
            declared = registry.owner_of(name, schema) is not None
            if of_table:
                identity.add(on)
            if owner not in self.scope.owning and owner not in self.scope.roles and not declared:
                strangers.append(on)
            elif kind != "S":
                columns[schema, name] = tuple(json.loads(listed)) if listed else ()
                if not declared and owner in owners:
                    homes[schema, name] = owners[owner]
        sequences = self._sequences(identity)
        existing = Existing(
            columns, homes, sequences,
            states=tuple(place for place in self.scope.states if self._has(place)),
            versions={s: place for s, place in self.scope.versions.items() if self._has(place)},
        )  # fmt: skip
        return existing, tuple(strangers)

    def _has(self, place: Place) -> bool:
        return Securable(SecurableKind.TABLE, *place) in self.owners

    def _sequences(self, identity: set[Securable]) -> dict[Place, tuple[str, ...]]:
        """By table; under ("", domain) those of a domain that no column's default uses."""
        found: dict[Place, list[str]] = {}
        tied = set(identity)
        for table, sequence in _text(self.rows["sequences"]):
            on, what = self.by_oid.get(table), self.by_oid.get(sequence)
            if on is not None and what is not None:
                tied.add(what)
                if on.schema == what.schema and self.owners[on] == self.owners[what]:
                    found.setdefault((on.schema, on.name), []).append(what.name)
        for on, owner in self.owners.items():
            home = self.scope.owners.get(owner)
            loose = on.kind is SecurableKind.SEQUENCE and on not in tied
            if loose and home is not None and on.schema == self.scope.registry[home].schema:
                found.setdefault(("", home), []).append(on.name)
        return {place: tuple(sorted(names)) for place, names in found.items()}

    def _column_acls(self) -> None:
        for oid, column, acl in _text(self.rows["column_acl"]):
            if on := self.by_oid.get(oid):
                self._acl(on, self.owners[on], acl, column)

    def _acl(self, on: Securable, owner: str, text: str, column: str = "") -> None:
        """Its entries as rights; the owner's own is left out."""
        for item in json.loads(text) if text else ():
            found = entry(item)
            if found.grantee == owner:
                continue
            into = self.rights if found.grantor == owner else None
            for privilege, grantable in found.privileges:
                right = Right(on, found.grantee, privilege, column, grantable)
                if into is not None:
                    into[right] = ""
                else:
                    self.passed_on[right] = found.grantor

    def _entry(self, on: Securable, grantee: str, grantor: str, privileges: str) -> None:
        for word in privileges.split(",") if privileges else ():
            right = Right(on, grantee, word.rstrip("*"), "", word.endswith("*"))
            if grantor == self.owners[on]:
                self.rights[right] = ""
            else:
                self.passed_on[right] = grantor

    def _others(self) -> Iterator[tuple[Securable, str]]:
        """Functions, types, schemas and the database, each with its owner; their ACLs are taken in on the way."""
        kinds = {
            "functions": SecurableKind.FUNCTION,
            "types": SecurableKind.TYPE,
            "schemas": SecurableKind.SCHEMA,
            "databases": SecurableKind.DATABASE,
        }
        for query, kind in kinds.items():
            for schema, name, arguments, owner, definer, grantee, grantor, privileges in _text(self.rows[query]):
                on = Securable(kind, "" if kind is SecurableKind.SCHEMA else schema, name, arguments)
                if definer == "true":
                    self.definers.add(on)
                if on not in self.owners:
                    self.owners[on] = owner
                    yield on, owner
                if grantee:
                    self._entry(on, grantee, grantor, privileges)

    def _uses(self) -> Iterator[Use]:
        """Between domains by declaration: an owner that is wrong now is set right first."""
        for query in ("foreign_keys", "view_columns"):
            for schema, name, owner, other_schema, other, columns in _text(self.rows[query]):
                user = self.scope.registry.owner_of(name, schema) or self.scope.owners.get(owner)
                used = self.scope.registry.owner_of(other, other_schema)
                used = used or self.scope.owners.get(self.owners.get(Securable(SecurableKind.TABLE, other_schema, other), ""))
                if user is not None and used is not None and user != used:
                    listed = tuple(json.loads(columns or "[]"))
                    yield Use(user, (other_schema, other), listed, query == "foreign_keys", f"{schema}.{name}")


def _text(rows: Rows) -> Iterator[tuple[str, ...]]:
    return (tuple(value or "" for value in row) for row in rows)
