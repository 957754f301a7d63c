"""The migrations on disk with their lock file: read once, parsed only where something needs it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from bgce_migrate.config import Project, read_folder
from bgce_migrate.domain import Domain
from bgce_migrate.errors import Problem, Refused, Where
from bgce_migrate.migration import Direction, Finding, Migration, MigrationId, Script, SourceFile
from bgce_migrate.order import lockfile
from bgce_migrate.order.lockfile import LockFile, LockLine


class Tree(Struct):
    """A project's migrations by id, in order of domain and version.

    Attributes:
        lock: None where the project has no `bgce.lock` yet.
        notes: files that were left aside.
        unread: migrations that are on disk, of which a file could not be read: they, or their downs, are not here.
        lock_digest: hex BLAKE2b over the lock file's bytes; None where it was not read from a file.
    """

    project: Project
    migrations: dict[MigrationId, Migration]
    lock: LockFile | None
    notes: tuple[Finding, ...] = ()
    unread: frozenset[MigrationId] = frozenset()
    lock_digest: str | None = None
    _scripts: dict[MigrationId, Script] = field(default_factory=dict)
    _downs: dict[MigrationId, tuple[Script | None, str]] = field(default_factory=dict)
    _kept: dict[MigrationId, SourceFile | None] = field(default_factory=dict)
    _lines: dict[MigrationId, LockLine] = field(default_factory=dict)

    @staticmethod
    def read(project: Project) -> Tree:
        """Read all folders and the lock file.

        Raises:
            ConfigError, SqlFileError: what cannot be read.
        """
        migrations: dict[MigrationId, Migration] = {}
        notes: list[Finding] = []
        for domain in project.domains:
            contents = read_folder(domain)
            notes += contents.notes
            for migration in contents.migrations:
                migrations[migration.id] = migration
        if not (project.declared and project.lock_path.is_file()):
            return Tree.of(project, migrations, None, notes)
        raw = project.lock_path.read_bytes()
        lock = lockfile.parse(raw.decode("utf-8"), str(project.lock_path))
        tree = Tree.of(project, migrations, lock, notes)
        tree.lock_digest = hashlib.blake2b(raw, digest_size=32).hexdigest()
        return tree

    @staticmethod
    def of(
        project: Project, migrations: dict[MigrationId, Migration], lock: LockFile | None, notes: Iterable[Finding] = ()
    ) -> Tree:
        """A tree of what somebody has read already."""
        tree = Tree(project, migrations, lock, tuple(notes))
        if lock is not None:
            tree._lines = {line.id: line for line in lock.lines}
        return tree

    def know(self, migration: MigrationId, script: Script) -> None:
        """Take the parsed up file of a migration from somebody who has it already."""
        self._scripts[migration] = script

    def domain(self, migration: MigrationId) -> Domain:
        """The domain of a migration of this tree."""
        return self.project.registry[migration.domain]

    def locked(self, migration: MigrationId) -> LockLine | None:
        """Its line in the lock file."""
        return self._lines.get(migration)

    def script(self, migration: MigrationId) -> Script:
        """The up file, parsed (once)."""
        if migration not in self._scripts:
            from bgce_migrate import sqlfile

            found = self.migrations[migration]
            domain = self.domain(migration)
            self._scripts[migration] = sqlfile.read_script(
                found.up, declared=domain.declared, direction=Direction.UP, schema=domain.schema, migration=found.id
            )
        return self._scripts[migration]

    def down(self, migration: MigrationId) -> tuple[Script | None, str]:
        """The down file, parsed; or None and why there is none."""
        if migration not in self._downs:
            from bgce_migrate import sqlfile

            found = self.migrations[migration]
            domain = self.domain(migration)
            self._downs[migration] = sqlfile.read_down(
                found.down,
                declared=domain.declared,
                schema=domain.schema,
                migration=found.id,
                irreversible=self.script(migration).directives.irreversible,
            )
        return self._downs[migration]

    def down_source(self, migration: MigrationId) -> SourceFile | None:
        """The text kept in history, where there is a down.

        Raises:
            SqlFileError: a declared migration's down is missing or cannot be read.
        """
        if migration in self._kept:
            return self._kept[migration]
        if self.vouched(migration):
            return self.migrations[migration].down
        script, _ = self.down(migration)
        return script.source if script is not None else None

    def checksum(self, migration: MigrationId) -> str:
        """`v1:` of the up file; from the lock file where the bytes are the locked ones, so without parsing."""
        found, line = self.migrations[migration], self._lines.get(migration)
        if line is not None and line.up_sha256 == found.up.sha256:
            return line.up_checksum
        if migration in self._scripts:
            return self._scripts[migration].checksum
        from bgce_migrate import sqlfile

        return sqlfile.checksum(found.up)

    def down_checksum(self, migration: MigrationId) -> str | None:
        """`v1:` of the down file, or None where there is no down."""
        source = self.down_source(migration)
        if source is None:
            return None
        from bgce_migrate import sqlfile

        return sqlfile.checksum(source)

    def know_down(self, migration: MigrationId, source: SourceFile | None) -> None:
        """Take what `down_source` says from somebody who has read the down file."""
        self._kept[migration] = source

    def vouched(self, migration: MigrationId) -> bool:
        """Whether `lock` read these very bytes of a down file and found statements in them."""
        line, down = self._lines.get(migration), self.migrations[migration].down
        return (
            line is not None
            and down is not None
            and line.down_checksum is not None
            and line.down_sha256 == down.sha256
        )

    # -- against the lock file and history ---------------------------------------------------------------------

    def edited(self, applied: Mapping[MigrationId, str | None]) -> tuple[MigrationId, ...]:
        """Migrations whose file is not the one that was applied."""
        return tuple(
            i for i, checksum in applied.items() if i in self.migrations and checksum and self.checksum(i) != checksum
        )

    def require_locked(
        self, pending: Iterable[MigrationId], applied: Mapping[MigrationId, str | None], *, allow_unlocked: bool = False
    ) -> None:
        """Refuse what the lock file does not vouch for; nothing where there is no lock file.

        Args:
            allow_unlocked: migrations that are not in it yet may pass.

        Raises:
            Refused: by name: unlocked migrations, locked ones that are not installed, files edited since.
        """
        if self.lock is None:
            return
        problems = []
        for migration in pending:
            line, found = self._lines.get(migration), self.migrations[migration]
            where = Where(found.up.path)
            if line is None and allow_unlocked:
                continue
            if line is None:
                problems.append(Problem(f"{found.id} is not in {self.project.lock_path.name}", where))
            elif line.up_sha256 != found.up.sha256 and self.checksum(migration) != line.up_checksum:
                problems.append(Problem(f"{found.id} was edited after it was locked", where))
        for line in self.lock.lines:
            if line.id not in self.migrations and line.id not in applied and self._ours(line):
                origin = f" (from {line.distribution})" if line.distribution else ""
                problems.append(Problem(f"{line.id} is locked but not installed{origin}"))
        if problems:
            raise Refused(
                f"{self.project.lock_path.name} and the migrations here differ: "
                + "; ".join(p.message for p in problems[:3])
                + (f" and {len(problems) - 3} more" if len(problems) > 3 else ""),
                hint="record new ones with `bgce-migrate lock` (or --allow-unlocked while developing); an edited one"
                " gets its old text back, the change goes into a new migration",
                problems=problems,
            )

    def _ours(self, line: LockLine) -> bool:
        """False for a domain this project no longer has."""
        return line.id.domain in self.project.registry
