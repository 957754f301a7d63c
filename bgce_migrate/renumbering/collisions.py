"""Who keeps a number and who moves: what the target branch has stays, in everything else order is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timezone
from pathlib import Path

from msgspec import Struct

from bgce_migrate.config import Project
from bgce_migrate.config.folders import FILE_NAME
from bgce_migrate.config.paths import shown
from bgce_migrate.domain import Domain
from bgce_migrate.errors import Refused, UsageError, Where
from bgce_migrate.migration import MigrationId
from bgce_migrate.renumbering.lock_text import LockText
from bgce_migrate.renumbering.numbered import Numbered, read_numbers
from bgce_migrate.repository import Base, Recorded, Repository, state_at
from bgce_migrate.scaffold.migrations import next_number


class Move(Struct, frozen=True):
    """One migration and its new number. `files` are (old, new) paths."""

    old: MigrationId
    new: MigrationId
    files: tuple[tuple[Path, Path], ...]


def find_moves(
    project: Project,
    repository: Repository | None,
    base: Base,
    lock: LockText,
    *,
    domain: str | None = None,
    mover: MigrationId | None = None,
    now: datetime | None = None,
) -> tuple[Move, ...]:
    """What has to move so that every number is taken once.

    A migration that moves takes the later new ones of its domain with it where they would come to stand
    before it.

    Args:
        mover: the one to move, where two new ones have the same number and the lock file does not decide.

    Raises:
        Refused: nobody may move, or it cannot be told who.
        UsageError: `mover` is no migration here.
    """
    if repository is not None:
        _require_settled(repository, project)
    target = _Target(repository, base, project)
    moves: list[Move] = []
    for one in project.domains:
        if domain in (None, one.name) and (repository is None or repository.inside(one.folder)):
            moves += _of_domain(one, target, lock, mover, now or datetime.now(timezone.utc))
    if mover is not None and not any(m.old == mover for m in moves):
        raise UsageError(f"--move {mover}: there is no such migration with a number that is taken")
    return tuple(moves)


def _require_settled(repository: Repository, project: Project) -> None:
    """A file in conflict holds both sides' text: it cannot be told what would move."""
    folders = {domain.folder.resolve() for domain in project.domains}
    for path in repository.conflicts():
        if path.parent.resolve() in folders:
            message = f"{shown(path)} is in conflict: both branches have it"
            hint = "git merge --abort (or git rebase --abort), bgce-migrate renumber, then merge again"
            raise Refused(message, hint=hint, where=Where(shown(path)))


class _Target:
    """What the target branch has: at the merge base, and at its end."""

    def __init__(self, repository: Repository | None, base: Base, project: Project) -> None:
        commits = dict.fromkeys(c for c in (base.commit, base.tip) if c is not None)
        self.repository, self.base = repository, base
        self.states: list[Recorded] = [state_at(repository, c, project) for c in commits] if repository else []

    def numbers(self, domain: Domain) -> Iterator[tuple[str, str, str]]:
        """(digits, slug, path) of every up file of a domain there."""
        folder = self.repository.inside(domain.folder) if self.repository else None
        if not folder:
            return
        prefix = "" if folder == "." else folder + "/"
        for path in dict.fromkeys(p for state in self.states for p in state.files if p.startswith(prefix)):
            found = FILE_NAME.match(path[len(prefix) :])
            if found and found[3] == "up" and "/" not in path[len(prefix) :]:
                yield found[1], found[2], path

    def has(self, pair: Numbered) -> bool:
        """Whether this very migration is there: at the merge base whatever became of it, or at the end alike."""
        path = self.repository.inside(pair.up) if self.repository else None
        if path is None:
            return False
        if self.base.commit is not None and path in self.states[0].files:
            return True
        state = self.states[-1] if self.states else None
        if state is None or path not in state.files:
            return False
        from bgce_migrate.repository.recorded import checksum_of

        ours = pair.up.read_bytes()
        theirs = state.content(path)
        return theirs is not None and (ours == theirs or checksum_of(path, ours) == checksum_of(path, theirs))


def _of_domain(
    domain: Domain, target: _Target, lock: LockText, mover: MigrationId | None, now: datetime
) -> Iterator[Move]:
    pairs = read_numbers(domain)
    theirs = {(int(digits), slug): path for digits, slug, path in target.numbers(domain)}
    kept = [p for p in pairs if target.has(p)]
    ours = [p for p in pairs if p not in kept]
    taken = {p.id.version for p in kept} | {version for version, _ in theirs}
    colliding = _colliding(domain, ours, kept, taken, lock, mover)
    if not colliding:
        return
    first = colliding[0].id.version
    width = max((int(d), len(d)) for d in (*(d for d, _, _ in target.numbers(domain)), *(p.digits for p in pairs)))[1]
    used = taken | {p.id.version for p in ours if p.id.version < first}
    last = 0
    # Of two new ones of one number the one that stays comes first.
    for pair in sorted(ours, key=lambda p: (p.id.version, p in colliding)):
        if pair.id.version < first:
            continue
        if pair not in colliding and pair.id.version > last:
            used.add(pair.id.version)
            continue
        digits = next_number([str(max(*used, last)).zfill(width)], now)
        last = int(digits)
        yield _move(pair, digits)


def _colliding(
    domain: Domain,
    ours: list[Numbered],
    kept: list[Numbered],
    taken: Collection[int],
    lock: LockText,
    mover: MigrationId | None,
) -> list[Numbered]:
    found: list[Numbered] = []
    for version in sorted({p.id.version for p in (*ours, *kept)}):
        new = [p for p in ours if p.id.version == version]
        stay = [p for p in kept if p.id.version == version]
        if len(stay) > 1:
            names = " and ".join(shown(p.up) for p in stay)
            message = f"version {version} of {domain.name} is on the target branch twice: {names}"
            hint = "say what to compare with, a commit before the second one came: --base REF, after a merge --base HEAD^1"
            raise Refused(message, hint=hint, where=Where(shown(stay[1].up)))
        if version in taken:
            found += new
        elif len(new) > 1:
            staying = _staying(new, lock, mover)
            found += [p for p in new if p is not staying]
    return found


def _staying(new: list[Numbered], lock: LockText, mover: MigrationId | None) -> Numbered:
    """Of two new ones of one number, the one that was recorded first stays."""
    if mover is not None:
        left = [p for p in new if p.key != (mover.domain, mover.version, mover.name)]
        if len(left) == 1:
            return left[0]
    recorded = sorted((place, p.id.name, p) for p in new if (place := lock.place(p.key)) is not None)
    if recorded and (len(recorded) == len(new) or len(recorded) == 1):
        return recorded[0][2]
    names = " and ".join(shown(p.up) for p in new)
    message = f"{names} have one number, and neither git nor bgce.lock says which came first"
    hint = f"say which gets a new number: bgce-migrate renumber --move {new[-1].id}"
    raise Refused(message, hint=hint, where=Where(shown(new[-1].up)))


def _move(pair: Numbered, digits: str) -> Move:
    def renamed(path: Path) -> Path:
        found = FILE_NAME.match(path.name)
        assert found is not None
        return path.with_name(f"{digits}_{found[2]}.{found[3]}.sql")

    new = MigrationId(pair.id.domain, int(digits), pair.id.name)
    return Move(pair.id, new, tuple((path, renamed(path)) for path in pair.files))
