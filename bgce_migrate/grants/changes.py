"""What to change, as values: rights given or taken, default privileges, memberships, owners; each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.grants.model import DefaultRight, Membership, Right, Securable


class RightsChange(Struct, frozen=True):
    """Privileges on one object, or on some of its columns, given to or taken from some roles.

    Attributes:
        gives: False to take them.
        option: give them with the grant option; or take that option alone and leave the right.
        cascade: take along what the grantees have passed on.
    """

    on: Securable
    privileges: tuple[str, ...]
    grantees: tuple[str, ...]
    columns: tuple[str, ...] = ()
    gives: bool = True
    option: bool = False
    cascade: bool = False
    why: str = ""

    @property
    def inverse(self) -> RightsChange:
        """What leads to the state that this change mends."""
        return replace(self, gives=not self.gives, cascade=False)


class DefaultChange(Struct, frozen=True):
    """What an owner gives of everything it makes from now on, given or taken.

    Attributes:
        right: one of them, for what they have in common.
        privileges: all of them.
    """

    right: DefaultRight
    privileges: tuple[str, ...]
    gives: bool = True
    why: str = ""

    @property
    def inverse(self) -> DefaultChange:
        """What leads to the state that this change mends."""
        return replace(self, gives=not self.gives)


class MembershipChange(Struct, frozen=True):
    """A membership given or taken; one with other options is taken and given anew.

    Attributes:
        granted_by: in whose name it is taken (servers from 16 on); empty for one's own.
    """

    membership: Membership
    gives: bool = True
    granted_by: str = ""
    why: str = ""

    @property
    def inverse(self) -> MembershipChange:
        """What leads to the state that this change mends."""
        return replace(self, gives=not self.gives, granted_by="")


class OwnerChange(Struct, frozen=True):
    """An object that goes to another owner.

    Attributes:
        relation: the word ALTER wants for a relation, e.g. `MATERIALIZED VIEW`; empty for other kinds.
    """

    on: Securable
    before: str
    after: str
    relation: str = ""
    why: str = ""

    @property
    def inverse(self) -> OwnerChange:
        """What leads to the state that this change mends."""
        return replace(self, before=self.after, after=self.before)


#: As GRANT's own manual lists them.
_ORDER = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN", "CREATE", "CONNECT",
    "TEMPORARY", "EXECUTE", "USAGE",
)  # fmt: skip
_RANK = {privilege: rank for rank, privilege in enumerate(_ORDER)}

Change: TypeAlias = RightsChange | DefaultChange | MembershipChange | OwnerChange


def grouped_defaults(rights: Iterable[DefaultRight], *, gives: bool, why: Callable[[str], str]) -> list[DefaultChange]:
    """Default privileges as few changes: one an owner, schema, kind of object and grantee.

    Args:
        why: the reason, by grantee.
    """
    alike: dict[tuple[str, str, str, str, bool], list[DefaultRight]] = {}
    for right in sorted(rights):
        alike.setdefault((right.owner, right.schema, right.objects, right.grantee, right.grantable), []).append(right)
    return [
        DefaultChange(same[0], tuple(sorted((r.privilege for r in same), key=_rank)), gives, why(same[0].grantee))
        for same in alike.values()
    ]


def _rank(privilege: str) -> int:
    return _RANK.get(privilege, len(_RANK))


def grouped(
    rights: Mapping[Right, str] | Iterable[Right], *, gives: bool = True, option: bool = False, cascade: bool = False
) -> list[RightsChange]:
    """Rights as few changes: one an object, set of columns and set of privileges, for all grantees alike.

    Each statement writes the object's catalog row once, so that fewer are faster.
    """
    reasons = rights if isinstance(rights, Mapping) else dict.fromkeys(rights, "")
    columns: dict[tuple[Securable, str, str], list[str]] = {}
    why: dict[tuple[Securable, str, str], str] = {}
    for right, reason in reasons.items():
        key = (right.on, right.grantee, right.privilege)
        whole = columns.setdefault(key, [])
        if right.column:
            whole.append(right.column)
        why[key] = reason
    privileges: dict[tuple[Securable, str, tuple[str, ...]], list[str]] = {}
    said: dict[tuple[Securable, str, tuple[str, ...]], dict[str, None]] = {}
    for (on, grantee, privilege), listed in columns.items():
        of = (on, grantee, tuple(listed))
        privileges.setdefault(of, []).append(privilege)
        said.setdefault(of, {})[why[(on, grantee, privilege)]] = None
    grantees: dict[tuple[Securable, tuple[str, ...], tuple[str, ...]], dict[str, dict[str, None]]] = {}
    for (on, grantee, listed_columns), found in privileges.items():
        held_alike = tuple(sorted(found, key=_rank))
        grantees.setdefault((on, listed_columns, held_alike), {})[grantee] = said[(on, grantee, listed_columns)]
    return [
        RightsChange(
            on, held, tuple(who), listed_columns, gives, option, cascade,
            "; ".join(dict.fromkeys(w for reasons in who.values() for w in reasons if w)),
        )
        for (on, listed_columns, held), who in grantees.items()
    ]  # fmt: skip
