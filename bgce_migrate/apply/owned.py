"""A step with what only the run knows: its owner, its settings, the rights it must give."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.apply.context import Context
from bgce_migrate.apply.giving import Gift
from bgce_migrate.db.session import SERVER_KEEPALIVE
from bgce_migrate.domain import Domain
from bgce_migrate.effect import Effect
from bgce_migrate.migration import MigrationId, Statement, Step

_NAME_LENGTH = 63  # bytes: NAMEDATALEN - 1


class Owned(Struct, frozen=True):
    """A step ready to run.

    Attributes:
        owner: the role the body runs as; None in layout plain.
        migrator: the domain's login in mode `login`.
        search_path: as `set_config` takes it.
        grants: SQL that the owner runs before COMMIT: rights others need on what the step makes.
        gift: what finds out the rights on what the step makes in hiding; None where nobody gets any.
        parents: other owners' tables that its keys refer to, as "schema.name".
    """

    step: Step
    owner: str | None
    migrator: str
    search_path: str
    grants: tuple[str, ...] = ()
    parents: frozenset[str] = frozenset()
    gift: Gift | None = None


def search_path(domain: Domain | None) -> str:
    """Where names without a schema are looked for, as `set_config` takes it.

    Args:
        domain: the step's; None where it is declared no more.
    """
    if domain is not None and not domain.declared:
        return '"$user", public'
    schema = domain.schema if domain is not None else "public"
    return f'"{schema}", public' if schema != "public" else "public"


def of_part(
    owned: Owned, effects: Sequence[Effect], statements: Sequence[Statement]
) -> tuple[Owned, tuple[str, ...]]:
    """A part of a step that commits by itself, and the GRANTs for what its text says that it makes."""
    if owned.gift is None:
        return owned, ()
    gift = owned.gift.part(effects, statements)
    return replace(owned, gift=gift), gift.known()


def _shown_name(context: Context, step: MigrationId) -> str:
    """Run and step, as long as a server keeps it: what is longer it cuts, with a NOTICE for every step."""
    return f"{context.info.application_name} {step.domain}/{step.version}".encode()[:_NAME_LENGTH].decode(errors="ignore")


def settings_of(context: Context, owned: Owned) -> dict[str, str]:
    """What a role's or a database's defaults could break, set for this step."""
    limits, directives = context.limits, owned.step.script.directives
    statements = owned.step.script.statements
    # VALIDATE blocks nobody while it waits; a short timeout would only throw its scan away.
    patient = bool(statements) and all(s.tag == "validate_constraint" for s in statements)
    return {
        "application_name": _shown_name(context, owned.step.id),
        "search_path": owned.search_path,
        "lock_timeout": directives.lock_timeout or ("0" if patient else limits.lock_timeout),
        "statement_timeout": limits.statement_timeout,
        "transaction_timeout": "0",
        "idle_in_transaction_session_timeout": limits.idle_timeout,
        "client_connection_check_interval": "1s",
        **SERVER_KEEPALIVE,
        "row_security": "on" if directives.row_security else "off",
        "TimeZone": context.time_zone,
        "DateStyle": "ISO, MDY",
        "IntervalStyle": "postgres",
        "standard_conforming_strings": "on",
        "client_encoding": "UTF8",
        "check_function_bodies": "on",
        "default_tablespace": "",
        "default_table_access_method": "heap",
        "synchronous_commit": "on",
        "client_min_messages": "notice",
    }
