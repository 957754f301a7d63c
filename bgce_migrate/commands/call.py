"""One call of a command: what was said on the command line, and the project, database and output it leads to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgce_migrate.errors import Interrupted, UsageError
from bgce_migrate.report.clean import clean
from bgce_migrate.report.output import Output

if TYPE_CHECKING:
    from bgce_migrate.apply.context import RunInfo
    from bgce_migrate.apply.target import Address, Target
    from bgce_migrate.config import Project
    from bgce_migrate.desk import Desk


@dataclass(slots=True)
class Given:
    """What stands before the command's name."""

    options: Mapping[str, Any]
    out: Output
    lock_wait: float | None = None  # golang-migrate's -lock-timeout


class Call:
    """What a command works with. The project is read and the database found when first asked for."""

    def __init__(self, options: Mapping[str, Any], given: Given) -> None:
        self.options = options
        self.out = given.out
        self.lock_wait = given.lock_wait
        self._address: Address | None = None
        self.out.json = self.out.json or options["json"]
        self.out.verbose = self.out.verbose or options["verbose"]
        self.out.json_log = options["log_format"] == "json"
        self.out.secrets.add_conninfo(options["database_url"])

    @classmethod
    def merged(cls, given: Given, after: Mapping[str, Any]) -> Call:
        """Options after the command's name win over those before it; names of plugins add up."""
        options = {
            name: (*given.options[name], *value) if isinstance(value, tuple) else value or given.options[name]
            for name, value in after.items()
        }
        if after["database_url"] == "":
            options["database_url"] = ""
        return cls(options, given)

    @property
    def asks(self) -> bool:
        """Whether there is a person to ask."""
        if self.options["no_input"] or self.out.json_log:
            return False
        return _terminal(sys.stdin) and _terminal(sys.stderr)

    @property
    def folder(self) -> Path:
        """Where the command was called."""
        try:
            return Path.cwd()
        except OSError:
            raise UsageError("the current folder does not exist any more", hint="change to another one") from None

    @cached_property
    def desk(self) -> Desk:
        """The project with its plugins and migrations."""
        return self._load(plugins_required=True)

    @cached_property
    def declarations(self) -> Desk:
        """The project as its files tell it: a plugin that is not installed is left out, not missed."""
        return self._load(plugins_required=False)

    def _load(self, *, plugins_required: bool) -> Desk:
        from bgce_migrate.desk import Desk
        from bgce_migrate.report.listings import print_findings

        desk = Desk.load(
            self.folder,
            config=self.options["config"],
            migrations=self.options["migrations"],
            no_plugins=self.options["no_plugins"],
            plugins_required=plugins_required,
        )
        print_findings(self.out, desk.notes)
        return desk

    @property
    def project(self) -> Project:
        """The declarations."""
        return self.desk.project

    @property
    def names_database(self) -> bool:
        """Whether the command line, a variable or `.env` names a database."""
        from bgce_migrate.config import resolve

        o = self.options
        choice = resolve(
            self.desk.project, flag=o["database_url"], environment=os.environ, env_name=o["env"],
            terminal=True, embedded=o["embedded"],
        )  # fmt: skip
        return choice.kind != "embedded" or bool(choice.source)

    def address(self) -> Address:
        """The database to go to; starts the embedded server if that is the choice."""
        for name in self.desk.project.database.url_env:
            self.out.secrets.add_conninfo(os.environ.get(name))
        address, lines = self.desk.address(
            url=self.options["database_url"],
            env=self.options["env"],
            embedded=self.options["embedded"],
            terminal=self.asks,
            environment=os.environ,
        )
        self.out.secrets.add_conninfo(address.conninfo)
        self.out.secrets.add_conninfo(address.public_url)
        for line in lines:
            self.out.note(line)
        self._address = address
        return address

    @contextmanager
    def target(self, *, check: bool = True) -> Iterator[Target]:
        """The open database.

        Args:
            check: refuse what may not be changed, and a database that is recorded as another environment.
        """
        with self.desk.open(self._address or self.address(), check=check) as target:
            if check and self.options["env"] is not None:
                from bgce_migrate.apply.environments import require_environment

                require_environment(target, self.options["env"])
            yield target

    def run_info(self, command: str, deployment: str | None = None) -> RunInfo:
        """A new run of this command, with the commit that is checked out."""
        from bgce_migrate.apply.context import RunInfo
        from bgce_migrate.commands.checkout import commit_of

        info = RunInfo.new(command, deployment=deployment, git_commit=commit_of(self.desk.project.root))
        self.out.run_id = info.run_id
        return info

    def require_domain(self, name: str) -> None:
        """Refuse a domain that the project does not have, with the names of those it has."""
        domains = [d.name for d in self.project.domains]
        if name not in domains:
            raise UsageError(f"there is no domain '{name}'", hint=f"the domains are: {', '.join(domains)}")

    def one_domain(self, words: str, said: str | None = None) -> str:
        """The domain a bare version or count is about.

        Args:
            words: the command as it was given, for the message.
            said: what `--domain` said.

        Raises:
            UsageError: there are several; names them.
        """
        if said is not None:
            self.require_domain(said)
            return said
        domains = [d.name for d in self.project.domains]
        if len(domains) != 1:
            raise UsageError(
                f"'{words}' could be about each of {len(domains)} domains: {', '.join(domains)}"
                if domains
                else f"'{words}' is about a domain, and the project has none",
                hint="say which: --domain NAME" if domains else "bgce-migrate new domain NAME",
            )
        return domains[0]

    def show_files(self, command: str, files: Sequence[Path], *, nothing: str = "") -> None:
        """The files a command wrote."""
        from bgce_migrate.config.paths import shown

        names = [shown(file) for file in files]
        self.out.document(command, {"files": names})
        for name in names:
            self.out.line(name)
        if not names:
            self.out.line(nothing)

    def show_local_server(self) -> None:
        """After `up` on our own server: a URL that works for programs in any language, until `server stop`."""
        if self._address is not None and self._address.public_url:
            self.out.open_line(f"connect with: {self._address.public_url}")

    def ask(self, question: str) -> str:
        """A person's answer; call only where `asks`.

        Raises:
            Interrupted: the person pressed Ctrl-C or Ctrl-D.
        """
        from bgce_migrate.commands.signals import interruptible, typed_line

        try:
            with interruptible():
                sys.stdout.flush()
                print(f"{clean(self.out.secrets.mask(question))} ", end="", file=sys.stderr, flush=True)
                answer = typed_line()
        except KeyboardInterrupt:
            answer = ""
        if not answer:
            self.out.note("")
            raise Interrupted("stopped at the question; nothing was changed")
        return answer.strip()

    def agree(self, question: str) -> bool:
        """Whether a person says yes; no is the default."""
        return self.ask(f"{question} [y/N]").lower() in ("y", "yes")


def _terminal(stream: Any) -> bool:
    try:
        return bool(stream is not None and stream.isatty())
    except ValueError:
        return False
