"""Who owns what: declared tables, schemas, roles and consents, as ownership rules ask for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct, field

from bgce_migrate.domain import Domain, Read
from bgce_migrate.registry.references import ReferenceFault, parse_call, parse_target

#: Schemas that belong to PostgreSQL.
SYSTEM = frozenset({"pg_catalog", "information_schema", "pg_toast"})
_NO_SETS: Mapping[str, tuple[str, ...]] = {}


class World(Struct, frozen=True):
    """All domains of a project, indexed for the rules.

    Attributes:
        bookkeeping: the engine's own schema.
        history_view: the view over its history, as (schema, name), or None.
        extensions: those that `bootstrap` installs.
        hot: tables that many writers wait for, as (domain, table).
    """

    domains: dict[str, Domain]
    bookkeeping: str = "bgce_migrate"
    history_view: tuple[str, str] | None = None
    extensions: frozenset[str] = frozenset()
    hot: frozenset[tuple[str, str]] = frozenset()
    _tables: dict[tuple[str, str], str] = field(default_factory=dict)
    _schemas: dict[str, str] = field(default_factory=dict)
    _roles: dict[str, str] = field(default_factory=dict)
    _writers: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    @staticmethod
    def of(
        domains: Collection[Domain],
        *,
        bookkeeping: str = "bgce_migrate",
        history_view: str | None = None,
        extensions: Collection[str] = (),
        hot: Collection[str] = (),
    ) -> World:
        """Index the domains; `hot` holds `domain:table`."""
        view: tuple[str, str] | None = None
        if history_view is not None:
            schema, _, name = history_view.partition(".")
            view = (schema, name)
        pairs = frozenset((d, t) for d, colon, t in (h.partition(":") for h in hot) if colon)
        world = World({d.name: d for d in domains}, bookkeeping, view, frozenset(extensions), pairs)
        uses: dict[str, list[str]] = {}
        for domain in domains:
            uses.setdefault(domain.schema, []).append(domain.name)
            for table in domain.tables:
                world._tables.setdefault((domain.schema, table), domain.name)
            if domain.declared:
                world._roles[domain.owner] = world._roles[domain.migrator] = domain.name
                world._roles.update({service.login: domain.name for service in domain.services})
        world._schemas.update({s: names[0] for s, names in uses.items() if s != "public" and len(names) == 1})
        return world

    def declared(self, domain: str) -> bool:
        """Whether there is a declared domain of that name."""
        return domain in self.domains and self.domains[domain].declared

    def owner_of(self, schema: str | None, name: str, path: Collection[str] = ("public",)) -> str | None:
        """The domain a relation is declared by, or whose schema it is in."""
        for home in (schema,) if schema is not None else path:
            owner = self._tables.get((home, name))
            if owner is not None:
                return owner
        return self._schemas.get(schema) if schema is not None else None

    def table_owner(self, schema: str, name: str) -> str | None:
        """The domain that declares exactly this table."""
        return self._tables.get((schema, name))

    def any_owner(self, name: str) -> str | None:
        """A domain that declares a table of this name, in whatever schema."""
        return next((owner for (_, table), owner in self._tables.items() if table == name), None)

    def writers(self, owner: str, table: str) -> frozenset[str]:
        """The functions of a domain whose bodies write one of its tables, as far as the history was replayed."""
        return frozenset(self._writers.get((owner, table), ()))

    def note_writer(self, owner: str, table: str, function: str) -> None:
        """Remember, while the history is replayed, that a function writes a table of its own domain."""
        self._writers.setdefault((owner, table), set()).add(function)

    def schema_owner(self, schema: str) -> str | None:
        """The domain whose schema it is, where it is only one's and not `public`."""
        return self._schemas.get(schema)

    def role_owner(self, role: str) -> str | None:
        """The domain of an owner, migrator or service login."""
        return self._roles.get(role)

    def who(self, domain: str) -> str:
        """`domain billing (team finance)`, for messages."""
        team = self.domains[domain].team if domain in self.domains else ""
        return f"domain {domain} (team {team})" if team else f"domain {domain}"

    def ask(self, domain: str) -> str:
        """Whom to ask about a domain."""
        team = self.domains[domain].team if domain in self.domains else ""
        return f"team {team}" if team else f"the owners of {domain}"

    def require_line(self, domain: Domain, owner: str) -> str:
        """The line of `domain.toml` that declares a dependency on `owner`."""
        names = ", ".join(f'"{name}"' for name in (*domain.requires, owner))
        return f"write `requires = [{names}]` in the domain.toml of {domain.name}"

    def column_class(self, owner: str, table: str, column: str) -> str:
        """public, contact, private or secret."""
        declared = self.domains[owner].tables.get(table) if owner in self.domains else None
        return declared.columns.get(column, "public") if declared else "public"

    def shares(self, owner: str, reader: Domain, table: str, column: str) -> bool:
        """Whether `owner` consents that `reader`, or a service of it, reads a column above class public."""
        names = {reader.name, *(service.name for service in reader.services)}
        declared = self.domains[owner]
        for who, targets in declared.shares.items():
            for target in targets if who in names else ():
                try:
                    name, columns, set_name = parse_target(target)
                except ReferenceFault:
                    continue
                if name == table:
                    chosen = declared.tables[name].sets.get(set_name, ()) if set_name else columns or ()
                    if column in chosen:
                        return True
        return False

    def readers(self, owner: str, table: str) -> Iterator[tuple[str, str, tuple[str, ...] | None]]:
        """Other domains' services that declare a read of a table: domain, service, columns (None: the public ones)."""
        sets = self.domains[owner].tables[table].sets if table in self.domains[owner].tables else _NO_SETS
        for domain in self.domains.values():
            if domain.name == owner:
                continue
            for service in domain.services:
                for read in service.reads:
                    if read.domain == owner and read.table in (table, "*"):
                        yield domain.name, service.name, _columns(read, sets)

    def callers(self, owner: str, function: str) -> Iterator[tuple[str, str]]:
        """Other domains' services that declare a call of a function: domain, service."""
        for domain in self.domains.values():
            for service in domain.services if domain.name != owner else ():
                for text in service.calls:
                    try:
                        if parse_call(text) == (owner, function):
                            yield domain.name, service.name
                    except ReferenceFault:
                        continue

    def is_engine(self, schema: str | None, name: str) -> bool:
        """Whether a relation belongs to the engine."""
        return schema == self.bookkeeping or (schema or "public", name) == self.history_view


def _columns(read: Read, sets: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    return sets.get(read.set_name, ()) if read.set_name is not None else read.columns
