"""As whom each change of rights is made: the object's owner, this login itself, or somebody who may more."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from bgce_migrate.grants.changes import Change, DefaultChange, MembershipChange, OwnerChange
from bgce_migrate.grants.current import Current
from bgce_migrate.grants.model import Access, Securable
from bgce_migrate.grants.scope import Scope


class Hand(Struct, frozen=True, order=True):
    """Who makes a change.

    Attributes:
        role: to act as; empty is the login itself.
        borrowed: roles of which the login makes itself a member for as long as the transaction lasts.
        login: in mode `login`, the migrator whose own session it takes; else empty.
    """

    login: str = ""
    role: str = ""
    borrowed: tuple[str, ...] = ()


class Hands(Struct, frozen=True):
    """What this session may do, as the catalog says.

    Attributes:
        owners: by object, once owners have been set right.
        logins: by owner role, its own migrator's login; empty but in mode `login`.
    """

    scope: Scope
    current: Current
    owners: Mapping[Securable, str]
    logins: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, scope: Scope, current: Current, wanted: Access) -> Hands:
        """What is there, with the owners that are wanted."""
        logins = {
            owners[0]: login
            for login, owners in scope.migrators.items()
            if len(owners) == 1 and current.session in scope.migrators and login != current.session
        }
        return cls(scope, current, {**current.access.owners, **wanted.owners}, logins)

    def make(self, change: Change) -> Hand | None:
        """Who can make a change; None if an administrator must."""
        if isinstance(change, MembershipChange):
            return self._membership(change)
        if isinstance(change, OwnerChange):
            return self._owner(change)
        owner = change.right.owner if isinstance(change, DefaultChange) else self.owners.get(change.on, "")
        return self._acting(owner)

    def _acting(self, owner: str) -> Hand | None:
        account = self.current.accounts.get(owner)
        if account is not None and account.settable and owner in self.scope.roles:
            return Hand(role=owner)
        if self.current.superuser or (account is not None and account.usable):
            return Hand()
        if account is not None and account.administrable:
            return Hand(role=owner, borrowed=(owner,))
        if owner in self.logins:
            return Hand(self.logins[owner], owner)
        return None

    def _owner(self, change: OwnerChange) -> Hand | None:
        """The login itself must have the rights of both owners, and PostgreSQL asks for more than SET ROLE."""
        if self.current.superuser:
            return Hand()
        borrowed = []
        for name in (change.before, change.after):
            account = self.current.accounts.get(name)
            if account is None or not (account.usable or account.administrable):
                return None
            if not (account.usable and account.settable):
                borrowed.append(name)
        return Hand(borrowed=tuple(borrowed))

    def _membership(self, change: MembershipChange) -> Hand | None:
        account = self.current.accounts.get(change.membership.role)
        if self.current.superuser:
            return Hand()
        if account is None or not account.administrable:
            return None
        if change.granted_by and self.current.server_version >= 160000:
            return None  # only who has that role's rights takes back what it gave
        return Hand()
