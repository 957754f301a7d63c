"""What looking at a tree of migrations finds, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from bgce_migrate.errors import Problem
from bgce_migrate.finding import Finding, Severity
from bgce_migrate.migration import MigrationId
from bgce_migrate.verify.model import Proof


class Folder(Struct, frozen=True):
    """One domain: a folder of migrations.

    Attributes:
        folder: relative to the tree; "." for the tree itself.
        without_down: migrations whose down is missing or has no statements.
        tables: how many its migrations leave behind.
        needs: other domains whose objects it uses, sorted.
    """

    name: str
    folder: str
    migrations: int
    without_down: int
    tables: int
    needs: tuple[str, ...] = ()


class Aside(Struct, frozen=True):
    """A folder that was left aside, and why."""

    folder: str
    reason: str


class Reference(Struct, frozen=True):
    """What one domain's SQL uses of another's.

    Attributes:
        objects: names, each with how it is used ("foreign key", "view", ...).
        migrations: those that do, in their order.
    """

    user: str
    owner: str
    objects: Mapping[str, tuple[str, ...]]
    migrations: tuple[MigrationId, ...]


class Stretch(Struct, frozen=True):
    """Migrations of one domain that follow each other in the order over all."""

    domain: str
    first: MigrationId
    last: MigrationId
    count: int


class Claim(Struct, frozen=True):
    """An object that several domains make or change.

    Attributes:
        domains: by domain what it does to it ("makes", "alters", "drops"), each with the first migration that does.
    """

    kind: str
    name: str
    domains: Mapping[str, tuple[tuple[str, MigrationId], ...]]

    @property
    def makers(self) -> tuple[str, ...]:
        """The domains that make it."""
        return tuple(domain for domain, done in self.domains.items() if any(verb == "makes" for verb, _ in done))


class Hazard(Struct, frozen=True):
    """One rule of lint over the whole tree.

    Attributes:
        title: the rule's own, in one sentence.
        newest: the finding in the newest migration.
    """

    rule: str
    severity: Severity
    count: int
    title: str
    newest: Finding


class Edited(Struct, frozen=True):
    """A file whose SQL was changed after it was committed for the first time.

    Attributes:
        path: relative to the tree.
        commits: those that changed it, newest first, as short hashes.
        first, last: days of the first commit of it and of the newest change, as ISO dates.
    """

    path: str
    commits: tuple[str, ...]
    first: str
    last: str


class GitHistory(Struct, frozen=True):
    """What git remembers of the files.

    Attributes:
        edited: files whose statements changed; comments, layout and a BEGIN and COMMIT around all of them aside.
        untouched: how many files had only comments or layout changed.
        removed: files of migrations that were committed once and are gone.
        unknown: why git could not be asked; empty if it was.
    """

    edited: tuple[Edited, ...] = ()
    untouched: int = 0
    removed: tuple[str, ...] = ()
    unknown: str = ""


class Proofs(Struct, frozen=True):
    """What a throw-away server said of the downs.

    Attributes:
        unproven: by domain why its downs could not be proven at all.
        skipped: it was not asked, because nobody wanted it.
    """

    proofs: tuple[Proof, ...] = ()
    unproven: Mapping[str, Problem] = {}
    skipped: bool = False
    seconds: float = 0.0


class Advice(Struct, frozen=True):
    """One thing to do, and the command for it, if there is one."""

    text: str
    command: str = ""


class Look(Struct, frozen=True):
    """The page.

    Attributes:
        place: the tree, as it was named.
        problems: files and folders that cannot be taken as they are.
        unordered: why there is no order over all domains; empty if there is one.
        notes: findings that are neither a problem nor a hazard, counted by rule.
    """

    place: str
    folders: tuple[Folder, ...]
    aside: tuple[Aside, ...]
    problems: tuple[Finding, ...]
    order: tuple[Stretch, ...]
    unordered: tuple[Problem, ...]
    references: tuple[Reference, ...]
    claims: tuple[Claim, ...]
    proofs: Proofs
    hazards: tuple[Hazard, ...]
    notes: int
    git: GitHistory
    advice: tuple[Advice, ...] = ()

    @property
    def migrations(self) -> int:
        """How many there are in all."""
        return sum(folder.migrations for folder in self.folders)
