"""Whose objects a step has locked: refuses what belongs to another domain, before COMMIT."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping, Set

from bgce_migrate.apply.context import Access
from bgce_migrate.db.session import Rows, Session
from bgce_migrate.db.wire import Command, Failed, Lost
from bgce_migrate.errors import BgceError, StepFailed, Unavailable, Where
from bgce_migrate.migration import Step


class Audit:
    """The second small connection of a run: sees the database as it was before the step under way.

    Opened when first needed; shared by all lanes.
    """

    def __init__(self, access: Access, owners: dict[str, str]) -> None:
        self.access = access
        #: Domain by owner role, to name victims.
        self.owners = owners
        self._session: Session | None = None
        self._guard = threading.Lock()

    def check(self, step: Step, owner: str, parents: frozenset[str], held: Rows, inside: Session) -> None:
        """Refuse a step that has locked, beyond reading, or changed what its domain does not own.

        Args:
            parents: "schema.table" of other owners that its keys refer to (SHARE ROW EXCLUSIVE is theirs to take).
            held: rows of the query `locks.held`, read by the step itself.
            inside: the step's own session, asked again only where the locks alone do not tell.

        Raises:
            StepFailed: with every victim and its owner.
        """
        victims = [*self._locked(owner, parents, held, inside), *self._unlocked(owner, held, inside)]
        if victims:
            names = ", ".join(sorted(dict.fromkeys(victims)))
            raise StepFailed(
                f"{step.id} was rolled back: it touches what belongs to others: {names}",
                hint="move the change to the owner's domain, or ask its team for it",
                where=Where(step.script.source.path),
                facts={"victims": names},
            )

    def _locked(self, owner: str, parents: frozenset[str], held: Rows, inside: Session) -> list[str]:
        """Victims among what the step has locked."""
        suspects: dict[str, str] = {}
        referred: set[str] = set()
        strangers: dict[str, str] = {}  # visible, owned by another role: an old object, or a new one gone astray
        for kind, mode, oid, _classid, schema, name, role, of_extension, *_ in held:
            if kind not in ("relation", "object") or oid is None or (kind == "relation" and role == owner):
                continue
            if role is not None and of_extension != "true" and schema != "pg_toast":
                strangers[oid] = f"{schema}.{name} of {self._domain(role)}"
            if mode == "ShareRowExclusiveLock" and f"{schema}.{name}" in parents:
                continue
            suspects[oid] = mode or ""
            if f"{schema}.{name}" in parents:
                referred.add(oid)
        if not suspects:
            return []
        existed = self._existed(suspects)
        foreign = {
            oid: f"{what} {name} of {self._domain(role)} ({suspects[oid]})"
            for what, oid, name, role in existed
            if role != owner and oid is not None and not (name or "").startswith("pg_toast.")
        }
        theirs = {oid: suspects[oid] for oid in foreign}
        former = self._former_parents(theirs, owner, referred, inside)
        victims = [what for oid, what in foreign.items() if oid not in former]
        old = {oid for _, oid, _, _ in existed}
        return victims + [f"new relation {what}" for oid, what in strangers.items() if oid in suspects and oid not in old]

    def _unlocked(self, owner: str, held: Rows, inside: Session) -> list[str]:
        """Victims of what PostgreSQL takes no lock for: owners and ACLs, replaced functions, roles."""
        victims = []
        roles, changed = set(), {}
        for kind, mode, oid, _classid, schema, name, role, *_ in held:
            if kind == "shared":
                victims.append(f"roles, their members or settings ({name})")
            elif kind == "role" and oid is not None:
                roles.add(oid)
            elif kind == "changed" and oid is not None and role != owner:
                shown = f"{schema}.{name}" if name else f"schema {schema}"
                changed[oid] = (mode, f"{shown} of {self._domain(role)}")
        if changed:
            outside = {row[0]: row[1] for row in self._ask("changed_since", _array(changed))}
            # What is new is found by its owner below.
            victims += [what for oid, (state, what) in changed.items() if oid in outside and outside[oid] != state]
        if roles:
            # Asked outside last: what another lane has committed meanwhile is seen there, too.
            found = [row for row in inside.ask("locks", "entries", _array(roles)) if row[5] != owner]
            outside_too = set(self._ask("entries", _array(roles))) if found else set()
            for row in found:
                if row not in outside_too:
                    victims.append(f"{'new' if row[0] == 'o' else 'rights on'} {row[4]} of {self._domain(row[5])}")
        return victims

    def _domain(self, role: str | None) -> str:
        """The domain whose owner `role` is; the role itself where it is another."""
        return self.owners.get(role or "", role or "nobody")

    def _former_parents(
        self, suspects: Mapping[str, str], owner: str, referred: Set[str], inside: Session
    ) -> tuple[str, ...]:
        """Tables locked only because a key of ours to them is dropped: nothing of their own has gone.

        Dropping a key takes ACCESS EXCLUSIVE on both its tables, so the lock alone tells nothing.

        Args:
            referred: those among them that keys of this step refer to: it may make a key and drop it again.
        """
        locked = [oid for oid, mode in suspects.items() if mode == "AccessExclusiveLock"]
        if not locked:
            return ()
        ours = [oid for (oid,) in self._ask("own_keys_to", _array(locked), owner) if oid is not None]
        ours += [oid for oid in locked if oid in referred and oid not in ours]
        if not ours:
            return ()
        now = {row[0]: row for row in inside.ask("locks", "shape", _array(ours))}
        before = {row[0]: row for row in self._ask("shape", _array(ours))}
        return tuple(oid for oid in ours if now.get(oid) == before.get(oid))

    def _existed(self, oids: Iterable[str]) -> Rows:
        return self._ask("existed", _array(oids))

    def blockers(self, pid: int) -> Rows:
        """The sessions that hold up `pid`; empty when that cannot be seen."""
        try:
            return self._ask("blockers", str(pid))
        except BgceError:
            return ()

    def progress(self, pid: int) -> Rows:
        """How far the index build of `pid` is."""
        return self._ask("index_progress", str(pid))

    def asked(self, run_id: str, after: str) -> Rows:
        """What other terminals have asked of the run since request `after`: its number, what, by whom."""
        return self._ask("asked", run_id, after)

    def call_itself(self, name: str) -> None:
        """Show a name in pg_stat_activity."""
        self._ask("call_itself", name)

    def awaits_standby(self, pid: int) -> bool:
        """Whether the COMMIT of `pid` is done here and waits for a synchronous standby."""
        try:
            return any(row[0] == "SyncRep" for row in self._ask("wait_event", str(pid)))
        except BgceError:
            return False

    def backend(self, pid: int, start: str | None) -> bool:
        """Whether the backend that began at `start` still lives."""
        return bool(self._ask("backend", str(pid), start))

    def _ask(self, name: str, *params: str | None) -> Rows:
        with self._guard:
            for _ in range(2):
                if self._session is None or not self._session.usable:
                    self._session = self._open()
                try:
                    return self._session.ask("locks", name, *params)
                except Lost:
                    continue
                except Failed as failed:
                    raise Unavailable(f"the server would not show its locks: {failed.error}") from None
        raise Unavailable("the connection that looks at locks was lost", hint="nothing of this step stands; run again")

    def _open(self) -> Session:
        session = self.access.lead()
        # The migrator inherits nothing, so it must act as the role that may see what others run.
        with contextlib.suppress(Failed):
            session.run([Command("SET ROLE pg_read_all_stats")])
        return session

    def close(self) -> None:
        """End its session, if it has one."""
        if self._session is not None:
            self._session.close()


def _array(oids: Iterable[str]) -> str:
    return "{" + ",".join(sorted(oids)) + "}"
