"""The changes that make a server's rights the wanted ones, in order, and what is left alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.grants import memberships
from bgce_migrate.grants.changes import (
    Change,
    DefaultChange,
    OwnerChange,
    RightsChange,
    grouped,
    grouped_defaults,
)
from bgce_migrate.grants.current import Current
from bgce_migrate.grants.model import PUBLIC, Access, Right, Securable, SecurableKind
from bgce_migrate.grants.reach import is_ours
from bgce_migrate.grants.scope import Mode, Scope

_Key = tuple[Securable, str, str, str]
#: Here a right of everybody's will do for a wanted one.
_OPEN = frozenset({SecurableKind.SCHEMA, SecurableKind.DATABASE, SecurableKind.TYPE})
_EVERYBODY = "nobody has rights for being anybody"


class Difference(Struct, frozen=True):
    """What differs.

    Attributes:
        changes: in the order in which they are made: owners, what is taken, what is given, defaults, memberships.
        warnings: what is wanted and cannot be yet, e.g. for a login that does not exist.
        left_alone: what the declarations do not own.
    """

    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()


def difference(scope: Scope, wanted: Access, current: Current, mode: Mode = Mode.AUTHORITATIVE) -> Difference:
    """Compare what is wanted with what a server has.

    Args:
        mode: `ADDITIVE` leaves out what would be taken away.
    """
    missing = _missing_roles(scope, current)
    known = replace(
        wanted,
        rights={r: why for r, why in wanted.rights.items() if r.grantee not in missing},
        defaults=frozenset(d for d in wanted.defaults if d.grantee not in missing),
        memberships=frozenset(m for m in wanted.memberships if not {m.role, m.member} & set(missing)),
        owners={on: role for on, role in wanted.owners.items() if role not in missing},
    )
    additive = mode is Mode.ADDITIVE
    owners = [] if additive else list(_owners(known, current))
    found = _Rights(scope, known, current, {change.on: change.after for change in owners})
    members = memberships.changes(scope, known, current)
    changes: list[Change] = [
        *owners,
        *([] if additive else found.taken()),
        *found.given(additive),
        *_defaults(known, current, additive),
        *(change for change in members if change.gives or not additive),
    ]
    return Difference(
        tuple(changes), tuple(missing.values()), (*_strangers(current), *memberships.left_alone(scope, current))
    )  # fmt: skip


def _missing_roles(scope: Scope, current: Current) -> dict[str, str]:
    """Roles that do not exist, each with what waits for it."""
    ours = scope.roles if scope.guarded else frozenset(scope.logins)
    names = ours | (scope.grantees - scope.roles)
    services = scope.logins
    return {
        name: f"role {name} does not exist"
        + (f": the rights of service {services[name]} wait for it" if name in services else ": its rights wait for it")
        for name in sorted(names)
        if name not in current.accounts and name != scope.bookkeeper
    }


def _owners(wanted: Access, current: Current) -> Iterator[OwnerChange]:
    for on, role in wanted.owners.items():
        before = current.access.owners[on]
        if before != role:
            why = f"{role} owns it by declaration, not {before}"
            yield OwnerChange(on, before, role, current.words.get(on, ""), why)


class _Rights:
    """Rights on objects: what is too much, what is missing."""

    def __init__(
        self, scope: Scope, wanted: Access, current: Current, moved: Mapping[Securable, str]
    ) -> None:
        self.wanted = wanted.rights
        self.owned = {**current.access.owners, **moved}
        # A new owner's own entries become the owner's rights.
        self.have: dict[_Key, Right] = {
            (r.on, r.grantee, r.privilege, r.column): r
            for r in current.access.rights
            if r.grantee != moved.get(r.on)
        }
        self.passed_on = current.passed_on
        wants = {(r.on, r.grantee, r.privilege, r.column) for r in self.wanted}
        self.extra: list[Right] = []
        self.optional: list[Right] = []  # wanted, but without their grant option
        for key, right in self.have.items():
            if key in wants:
                if right.grantable:
                    self.optional.append(right)
            elif is_ours(scope, self.owned, wanted.owners, right):
                self.extra.append(right)
        whole = {(r.on, r.grantee, r.privilege) for r in self.extra if not r.column}
        self.gone = {(r.on, r.grantee, r.privilege, r.column) for r in self.extra}
        self.gone |= {key for key in self.have if key[3] and key[:3] in whole}

    def taken(self) -> Iterator[RightsChange]:
        """REVOKEs, with everything that the grantees have passed on."""
        for option, cascade, rights in (
            (False, False, [r for r in self.extra if not r.grantable]),
            (False, True, [r for r in self.extra if r.grantable]),
            (True, True, self.optional),
        ):
            for change in grouped(rights, gives=False, option=option, cascade=cascade):
                yield replace(change, why=self._too_much(change))

    def _too_much(self, change: RightsChange) -> str:
        """Why it is taken, and to whom it was passed on."""
        who = sorted(
            {r.grantee for r, by in self.passed_on.items() if r.on == change.on and by in change.grantees}
        )
        said = "may not be passed on" if change.option else "no declaration gives it"
        if PUBLIC in change.grantees:
            said = _EVERYBODY
        return said + (f"; it was passed on to {', '.join(who)}" if who else "")

    def given(self, additive: bool) -> list[RightsChange]:
        """GRANTs; in mode additive a right on the whole table will do for one on a column."""
        missing = {right: why for right, why in self.wanted.items() if not self._satisfied(right, additive)}
        return grouped(missing)

    def _satisfied(self, right: Right, additive: bool) -> bool:
        key = (right.on, right.grantee, right.privilege, right.column)
        if key in self.have and key not in self.gone:
            return True
        for grantee in (right.grantee, PUBLIC) if right.on.kind in _OPEN else (right.grantee,):
            for column in {right.column, ""}:
                key = (right.on, grantee, right.privilege, column)
                if key in self.have and (additive or key not in self.gone):
                    return True
        return False


def _defaults(wanted: Access, current: Current, additive: bool) -> Iterator[DefaultChange]:
    if not additive:
        yield from grouped_defaults(
            current.access.defaults - wanted.defaults, gives=False,
            why=lambda grantee: _EVERYBODY if grantee == PUBLIC else "no declaration gives it",
        )  # fmt: skip
    yield from grouped_defaults(
        wanted.defaults - current.access.defaults, gives=True,
        why=lambda grantee: "as PostgreSQL makes them" if grantee == PUBLIC else "it writes all that this owner makes",
    )  # fmt: skip


def _strangers(current: Current) -> Iterator[str]:
    if current.strangers:
        shown = ", ".join(f"{on.schema}.{on.name}" for on in current.strangers[:3])
        more = f" and {len(current.strangers) - 3} more" if len(current.strangers) > 3 else ""
        yield f"{shown}{more}: no declaration names them, their owners are not of this project"
