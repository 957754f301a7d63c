"""What one command or one caller works with: the project, its plugins, its migrations, and what they can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate import config as settings
from bgce_migrate import naming
from bgce_migrate.config import Project
from bgce_migrate.errors import UsageError
from bgce_migrate.host import Host
from bgce_migrate.migration import Finding, MigrationId
from bgce_migrate.opening import load_project as load_project
from bgce_migrate.outcome import LockResult, StatusRow
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.apply.context import Limits, Options, RunInfo
    from bgce_migrate.apply.losses import Loss
    from bgce_migrate.apply.target import Address, Target
    from bgce_migrate.db.history import State
    from bgce_migrate.outcome import Head, RunReport
    from bgce_migrate.planning import PlanView
    from bgce_migrate.undoing import DownSelection


class Desk(Struct):
    """Loaded cheaply; nothing is parsed and no server asked until something needs it."""

    project: Project
    host: Host
    tree: Tree

    @classmethod
    def load(
        cls,
        start: Path,
        *,
        config: Path | None = None,
        migrations: Path | None = None,
        no_plugins: Sequence[str] = (),
        plugins_required: bool = True,
    ) -> Desk:
        """Find and read the project.

        Args:
            start: where the search for `bgce.toml` begins, upwards.
            config: `bgce.toml` itself, instead of a search.
            migrations: an undeclared tree instead of a project.
            plugins_required: False where declarations alone will do: plugins that are not installed are left
                out (pre-commit's environment has none).

        Raises:
            ConfigError, SqlFileError: every mistake at once.
            UsageError: there is no project here.
        """
        project, host = load_project(start, config, migrations, no_plugins, plugins_required)
        return cls(project, host, Tree.read(project))

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What was left aside while reading."""
        return (*self.project.notes, *self.tree.notes)

    # -- the database ------------------------------------------------------------------------------------------

    def address(
        self, *, url: str | None, env: str | None, embedded: bool, terminal: bool, environment: Mapping[str, str]
    ) -> tuple[Address, tuple[str, ...]]:
        """Where to go; starts and bootstraps the embedded server if that is the choice.

        Returns:
            The address, and lines to say first.
        """
        choice = settings.resolve(
            self.project, flag=url, environment=environment, env_name=env, terminal=terminal, embedded=embedded
        )
        if choice.kind == "embedded":
            from bgce_migrate.local import embedded_address

            address, lines = embedded_address(self.project)
            return address, (*choice.notes, *lines)
        from bgce_migrate.apply.target import Address

        database = self.project.database
        return Address(choice.conninfo, database.bookkeeping_schema, database.mode, naming.passwords(self.project, environment)), choice.notes

    def open(self, address: Address, *, check: bool = True) -> Target:
        """Connect and read who answers and what is recorded."""
        from bgce_migrate.apply.target import open_target

        return open_target(address, check=check)

    # -- planning and running ----------------------------------------------------------------------------------

    def plan(
        self,
        state: State | None,
        *,
        domain: str | None = None,
        limit: int | None = None,
        to: MigrationId | None = None,
        allow_unlocked: bool = False,
    ) -> PlanView:
        """What an `up` would do; `state` None plans for an empty database."""
        from bgce_migrate.planning import Selection, plan_up

        naming.require_domain(self.project, domain)
        return plan_up(self.tree, state, Selection(domain, limit, to, allow_unlocked))

    def up(
        self,
        target: Target,
        info: RunInfo,
        options: Options,
        *,
        domain: str | None = None,
        limit: int | None = None,
        to: MigrationId | None = None,
        allow_unlocked: bool = False,
        after: Mapping[str, Head] | None = None,
    ) -> RunReport:
        """Apply what is pending; with nothing to do takes no lock.

        Raises BgceError for what is refused before anything changed; later failures are in the report.
        """
        from bgce_migrate.quick import nothing_to_do

        naming.require_domain(self.project, domain)
        if after:
            from bgce_migrate.apply.target import require_after

            require_after(target, after)
        if options.expect is None and (report := nothing_to_do(self.tree, target, info)) is not None:
            return report
        from bgce_migrate.apply.run import execute
        from bgce_migrate.planning import Selection, planner

        make_plan = planner(self.tree, Selection(domain, limit, to, allow_unlocked))
        return execute(target, {d.name: d for d in self.project.domains}, make_plan, info, self.host, self._as_declared(options), self.project.registry)

    def down(
        self,
        target: Target,
        info: RunInfo,
        options: Options,
        selection: DownSelection,
        *,
        consent: Callable[[tuple[Loss, ...]], bool],
        source: Literal["history", "file"] | None = None,
    ) -> RunReport:
        """Undo what `selection` names, newest first, with the texts stored in history.

        Raises Refused for dependents, for a missing down, and without consent to the losses.
        """
        from bgce_migrate.undoing import undo

        naming.require_domain(self.project, selection.domain)
        return undo(self.tree, target, info, self._as_declared(options), selection, self.host, consent, source)

    def _as_declared(self, options: Options) -> Options:
        from bgce_migrate.apply.marks import Tables
        return replace(options, time_zone=self.project.timezone, versions=Tables.of(self.tree))

    def goto(
        self,
        target: Target,
        info: RunInfo,
        options: Options,
        domain: str | None,
        version: int,
        *,
        consent: Callable[[tuple[Loss, ...]], bool],
        allow_unlocked: bool = False,
    ) -> RunReport:
        """Bring one domain to a version, up or down."""
        from bgce_migrate.undoing import DownSelection

        name = naming.one_domain(self.project, domain, f"goto {version}")
        goal = MigrationId(name, version)
        applied = target.state.applied
        if any(i.domain == name and i.version > version for i in applied):
            return self.down(target, info, options, DownSelection(to=goal), consent=consent)
        if version and goal not in self.tree.migrations:
            raise UsageError(f"{name} has no version {version}", hint="`bgce-migrate status` lists them")
        return self.up(target, info, options, to=goal if version else None, domain=name, allow_unlocked=allow_unlocked)

    # -- looking -----------------------------------------------------------------------------------------------

    def status(self, target: Target | None) -> tuple[StatusRow, ...]:
        """Every migration and where it stands; on an empty database with `target` None."""
        from bgce_migrate.standing import status_rows

        return status_rows(self.tree, target)

    def version(self, target: Target, domain: str | None = None) -> dict[str, int | None]:
        """The highest applied version of each domain; None where nothing is applied."""
        naming.require_domain(self.project, domain)
        names = [domain] if domain else [d.name for d in self.project.domains]
        applied = target.state.applied
        return {n: max((i.version for i in applied if i.domain == n), default=None) for n in names}

    def lock(self, *, check: bool = False, accept_edited: bool = False) -> LockResult:
        """Append new migrations to `bgce.lock` in derived order.

        Raises Refused when the order cannot be found or a locked file was edited.
        """
        from bgce_migrate.locking import extend_lock

        return extend_lock(self.tree, check=check, accept_edited=accept_edited)

    # -- bookkeeping -------------------------------------------------------------------------------------------

    def force(
        self, target: Target, info: RunInfo, limits: Limits, domain: str | None, version: int
    ) -> tuple[MigrationId, ...]:
        """Record that one domain is at `version`, without running anything."""
        from bgce_migrate.apply.marks import Tables, mark
        from bgce_migrate.standing import marks_to

        name = naming.one_domain(self.project, domain, f"force {version}")
        if version > 0 and MigrationId(name, version) not in self.tree.migrations:
            raise UsageError(f"{name} has no version {version}", hint="`bgce-migrate status` lists them")
        marks = marks_to(self.tree, target, name, version)
        return mark(target, info, limits, marks, versions=Tables.of(self.tree)) if marks else ()

    def repair(
        self,
        target: Target,
        info: RunInfo,
        limits: Limits,
        *,
        forget_journal: str | None = None,
        accept_cluster: str | None = None,
        accept_rewind: str | None = None,
    ) -> tuple[str, ...]:
        """Corrections that are rows of their own; says what was done."""
        from bgce_migrate.apply import marks

        done = []
        if accept_cluster is not None:
            done.append(marks.accept_target(target, info, limits, "accept-cluster", accept_cluster))
        if accept_rewind is not None:
            done.append(marks.accept_target(target, info, limits, "accept-rewind", accept_rewind))
        if forget_journal is not None:
            done.append(marks.forget_journal(target, info, limits, self.parse_id(forget_journal), marks.Tables.of(self.tree)))
        return tuple(done)

    def drop(self, target: Target, info: RunInfo, limits: Limits) -> tuple[str, ...]:
        """Drop everything the project owns."""
        from bgce_migrate.apply import marks

        if target.layout == "guarded":
            applied = [(i, False, None, None) for i in reversed(target.state.applied)]
            if applied:
                marks.mark(target, info, limits, applied, versions=marks.Tables.of(self.tree))
        return marks.drop_everything(target, [d.owner for d in reversed(self.project.domains)])

    def bootstrap(
        self,
        address: Address,
        *,
        domains: tuple[str, ...] = (),
        print_only: bool = False,
        passwords: Mapping[str, str] | None = None,
        before: Callable[[Sequence[str]], None] | None = None,
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Make roles, schemas, extensions and the guarded bookkeeping, as an administrator.

        Args:
            domains: only these; all by default.
            passwords: in clear, by login; they leave this process as SCRAM verifiers only.
            before: is told the statements before the first of them runs.

        Returns:
            The statements (that ran, or would run) and warnings.
        """
        from bgce_migrate.local import run_bootstrap

        for name in domains:
            naming.require_domain(self.project, name)
        return run_bootstrap(self.project, address, domains, print_only, passwords or {}, before)

    def doctor(self, address: Address | None) -> tuple[tuple[str, str], ...]:
        """What is here and what would be used, as (topic, answer)."""
        from bgce_migrate.doctor import examine

        return examine(self, address)

    # -- names -------------------------------------------------------------------------------------------------

    def parse_id(self, text: str) -> MigrationId:
        """`domain/000003`, `domain/3`, or `3` where there is one domain."""
        return naming.parse_id(self.project, text)
