"""What other tools' bookkeeping claims, as migrations of this project: a hypothesis that a replay proves or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from bgce_migrate.adopt.model import Claim, Ledger
from bgce_migrate.effect import Action, Effect, ObjectKind
from bgce_migrate.errors import UsageError
from bgce_migrate.migration import MigrationId
from bgce_migrate.tree import Tree

_STEM = re.compile(r"(.+?)_+(?:schema_migrations|goose_db_version|db_version|schema_version|alembic_version|migrations)\Z")
_TABLES = frozenset({"table", "view", "matview"})


class Claimed(Struct):
    """The hypothesis.

    Attributes:
        migrations: those that count as applied.
        sources: by domain, why.
        notes: claims that no file answers to, and other things a person should know.
    """

    migrations: set[MigrationId] = field(default_factory=set)
    sources: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, domain: str, found: Iterable[MigrationId], source: str) -> None:
        """Some migrations of a domain, and why."""
        self.migrations |= set(found)
        self.sources[domain] = f"{self.sources[domain]}; {source}" if domain in self.sources else source


def claimed(
    tree: Tree, ledgers: Sequence[Ledger], said: Mapping[str, str], relations: frozenset[tuple[str, str]]
) -> Claimed:
    """Which migrations count as applied.

    Args:
        said: a person's word whose a version table is: the domain by `table` or `schema.table`.
        relations: tables and views of the live database, by (schema, name).

    Raises:
        UsageError: `said` names no version table or no domain.
    """
    _require_known(tree, ledgers, said)
    out = Claimed()
    shared: list[Ledger] = []
    for ledger in ledgers:
        home = _home(tree, ledger, said)
        if home is None and ledger.watermark:
            shared.append(ledger)
        elif ledger.watermark and home is not None:
            _up_to(tree, home, ledger, out)
        else:
            _listed(tree, home, ledger, out)
    open_ = [d for d in tree.project.domains if d.name not in out.sources]
    rest = "the tables that are there decide" if open_ else "every domain has one of its own, so it counts for none"
    out.notes += [f"{table} ({table.tool}) says {table.says}, and not of which domain: {rest}" for table in shared]
    for domain in open_:
        _present(tree, domain.name, relations, out)
    return out


def present(tree: Tree, relations: frozenset[tuple[str, str]]) -> Claimed:
    """The hypothesis that goes by the tables that are there, whatever any bookkeeping claims."""
    out = Claimed()
    for domain in tree.project.domains:
        _present(tree, domain.name, relations, out)
    return out


def _require_known(tree: Tree, ledgers: Sequence[Ledger], said: Mapping[str, str]) -> None:
    names = {str(ledger) for ledger in ledgers} | {ledger.relation[1] for ledger in ledgers}
    for table, domain in said.items():
        if table not in names:
            found = ", ".join(sorted(map(str, ledgers))) or "none"
            raise UsageError(f"{table} is no version table here", hint=f"the version tables found: {found}")
        if domain not in tree.project.registry:
            listed = ", ".join(d.name for d in tree.project.domains)
            raise UsageError(f"there is no domain '{domain}'", hint=f"the domains are: {listed}")


def _home(tree: Tree, ledger: Ledger, said: Mapping[str, str]) -> str | None:
    """The one domain that a version table is about: as said, by its name, by its schema, or the only one there is."""
    schema, table = ledger.relation
    told = said.get(str(ledger)) or said.get(table)
    if told:
        return told
    registry = tree.project.registry
    stem = _STEM.match(table)
    for name in (stem[1] if stem else "", schema if schema != "public" else ""):
        if name in registry:
            return name
        if name in registry.services:
            return registry.domain_of(name).name
    domains = tree.project.domains
    return domains[0].name if len(domains) == 1 else None


def _of(tree: Tree, domain: str) -> list[MigrationId]:
    return [i for i in tree.migrations if i.domain == domain]


def _up_to(tree: Tree, domain: str, ledger: Ledger, out: Claimed) -> None:
    """All up to the one version; a dirty one has failed, so that it is not among them."""
    source = f"{ledger} ({ledger.tool}) says {ledger.says}"
    last = ledger.claims[-1] if ledger.claims else None
    if last is None or not last.version.lstrip("-").isdigit():
        out.take(domain, (), source)
        return
    version, dirty = int(last.version), last.state == "dirty"
    if version > 0 and MigrationId(domain, version) not in tree.migrations:
        out.notes.append(f"{source}, and no file of {domain} has that version")
    if dirty:
        out.notes.append(f"{source}: version {version} failed half way, so it does not count as applied")
    out.take(domain, (i for i in _of(tree, domain) if i.version < version + (not dirty)), source)


def _listed(tree: Tree, home: str | None, ledger: Ledger, out: Claimed) -> None:
    """Each claim by its version, its name, or both."""
    found: dict[str, set[MigrationId]] = {}
    strange: list[Claim] = []
    for claim in ledger.claims:
        if claim.state != "applied":
            out.notes.append(f"{ledger} ({ledger.tool}) says that {claim} failed: it does not count as applied")
            continue
        answers = _answers(tree, home, claim)
        if len({a.domain for a in answers}) == 1:
            if ledger.tool == "alembic":  # it names the newest only
                answers = [i for i in _of(tree, answers[0].domain) if i.version <= answers[0].version]
            found.setdefault(answers[0].domain, set()).update(answers)
        else:
            strange.append(claim)
    if strange:
        shown = ", ".join(map(str, strange[:3])) + (f" and {len(strange) - 3} more" if len(strange) > 3 else "")
        out.notes.append(f"{ledger} ({ledger.tool}) speaks of {shown}: no file here answers to that alone")
    for domain, migrations in found.items():
        out.take(domain, migrations, f"{ledger} ({ledger.tool}) lists {len(migrations)} of its migrations")


def _answers(tree: Tree, home: str | None, claim: Claim) -> list[MigrationId]:
    domain = home or (claim.scope if claim.scope in tree.project.registry else None)
    among = _of(tree, domain) if domain else list(tree.migrations)
    number = int(claim.version) if claim.version.isdigit() and len(claim.version) <= 18 else None
    by_version = [i for i in among if number is not None and i.version == number]
    name = _slug(claim.name)
    by_name = [i for i in among if name and _slug(i.name) in (name, _slug(claim.name.lstrip("0123456789")))]
    both = [i for i in by_version if i in by_name]
    if both:
        return both
    revision = [i for i in among if not number and len(claim.version) >= 8 and claim.version in i.name]
    return by_version or by_name or revision


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _present(tree: Tree, domain: str, relations: frozenset[tuple[str, str]], out: Claimed) -> None:
    """The longest beginning of a domain whose tables are all there; none where not one of them is."""
    made: set[tuple[str, str]] = set()
    best, seen, ever, traced = 0, False, False, 0
    migrations = _of(tree, domain)
    for number, migration in enumerate(migrations, 1):
        effects = tree.script(migration).effects
        for effect in effects:
            _follow(effect, made)
        ever = ever or bool(made)
        seen = seen or bool(made & relations)
        if made <= relations:
            best = number
            traced = number if any(e.action in _TRACES for e in effects) else traced
    if not best or not (seen or (not ever and out.migrations)):
        return
    for migration in migrations[traced:best]:
        out.notes.append(f"{migration} leaves no trace in the catalog: nothing says whether it ran, so it does not count as applied")
    out.take(domain, migrations[:traced], "its tables are there, and no version table is known to speak of it")


_TRACES = frozenset({Action.MAKE, Action.REPLACE, Action.ALTER, Action.RENAME, Action.DROP, Action.OPAQUE})


def _follow(effect: Effect, made: set[tuple[str, str]]) -> None:
    """Tables and views as one statement leaves them."""
    if effect.object.kind is not ObjectKind.RELATION:
        return
    name = (effect.object.schema or effect.path[0], effect.object.name)
    if effect.action in (Action.MAKE, Action.REPLACE) and effect.relation_kind in _TABLES:
        made.add(name)
    elif effect.action is Action.DROP:
        made.discard(name)
    elif effect.action is Action.RENAME and effect.to is not None and name in made:
        made.remove(name)
        made.add((name[0], effect.to.name))
