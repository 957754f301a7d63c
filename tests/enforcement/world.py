"""Three domains on one database, tied to each other in every way PostgreSQL knows, and a step to attack with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import psycopg

from bgce_migrate.apply import bootstrap
from bgce_migrate.apply.audit import Audit
from bgce_migrate.apply.context import Access, Context, Limits, RunInfo
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.apply.owned import Owned
from bgce_migrate.apply.step import StepRunner
from bgce_migrate.db.session import connect
from bgce_migrate.db.statements import MIGRATOR
from bgce_migrate.db.target import read_facts
from bgce_migrate.domain import Domain, Service, Table
from bgce_migrate.migration import (
    Direction,
    Directives,
    MigrationId,
    Mode,
    Script,
    SourceFile,
    Statement,
    Step,
)
from bgce_migrate.outcome import Head, StepResult
from tests.e2e.scene import PASSWORD, as_role, make_owner
from tests.servers import as_superuser

SCHEMA = "bgce_migrate"


def _domain(name: str, tables: Sequence[str], **more: object) -> Domain:
    service = Service(name, f"{name}_user", writes=tuple(tables))
    declared = MappingProxyType({table: Table(table) for table in tables})
    return Domain(name, Path("."), tables=declared, services=(service,), **more)  # type: ignore[arg-type]


#: The attacker and its victims.
DOMAINS = (
    _domain("alpha", ["parent", "own", "queue"], functions=MappingProxyType({"stamp": "shared"})),
    _domain("beta", ["child", "diary", "ledger"], requires=("alpha",)),
    _domain("gamma", ["letters"]),
)

#: What each owner makes before anybody attacks.
ALPHA = """
CREATE TABLE parent (id int PRIMARY KEY, note text);
INSERT INTO parent VALUES (1, 'one'), (2, 'two');
CREATE TABLE own (id int PRIMARY KEY, v text);
CREATE TABLE queue (id int PRIMARY KEY);
INSERT INTO own VALUES (1, 'mine');
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE DOMAIN short AS text CHECK (length(value) < 100);
CREATE SEQUENCE numbers;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION seven() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 7';
CREATE VIEW parents AS SELECT id FROM parent;
CREATE SCHEMA alpha_rooms;
GRANT USAGE, CREATE ON SCHEMA alpha_rooms TO beta_owner;
GRANT SELECT, REFERENCES ON parent TO beta_owner;
GRANT SELECT ON parents TO beta_owner;
GRANT USAGE ON SEQUENCE numbers TO beta_owner;
"""
BETA = """
CREATE TABLE child (
    id int PRIMARY KEY,
    parent_id int REFERENCES parent ON UPDATE CASCADE ON DELETE CASCADE,
    feeling mood DEFAULT 'calm',
    words short,
    seven int DEFAULT seven(),
    number bigint DEFAULT nextval('numbers')
);
INSERT INTO child (id, parent_id) VALUES (10, 1), (20, 2);
CREATE TRIGGER stamp_child BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE VIEW child_view AS SELECT c.id, p.note FROM child c JOIN parent p ON p.id = c.parent_id;
CREATE VIEW second_hand AS SELECT id FROM parents;
CREATE TABLE diary (id int PRIMARY KEY, secret text NOT NULL);
INSERT INTO diary VALUES (1, 'dear diary');
CREATE INDEX diary_secret ON diary (secret);
ALTER TABLE diary ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON diary USING (true);
CREATE TABLE ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount int);
INSERT INTO ledger (amount) VALUES (100);
CREATE RULE no_delete AS ON DELETE TO ledger DO INSTEAD NOTHING;
CREATE SEQUENCE tickets;
CREATE TYPE color AS ENUM ('red');
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(amount) FROM ledger';
CREATE FUNCTION pay() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS 'UPDATE ledger SET amount = amount + 1';
REVOKE EXECUTE ON FUNCTION pay() FROM PUBLIC;
CREATE SCHEMA beta_rooms;
CREATE TABLE beta_rooms.vault (id int PRIMARY KEY);
CREATE TABLE alpha_rooms.guest (id int PRIMARY KEY);
GRANT SELECT ON child TO alpha_owner, gamma_owner;
GRANT REFERENCES (id) ON child TO alpha_owner;
GRANT SELECT ON diary TO beta_user;
"""
GAMMA = """
CREATE TABLE letters (id int PRIMARY KEY, body text);
INSERT INTO letters VALUES (1, 'hello');
CREATE FUNCTION letter() RETURNS text LANGUAGE sql AS 'SELECT body FROM letters';
"""


@dataclass
class World:
    """A bootstrapped database, its roles, and the heads of its histories."""

    superuser: str
    access: Access
    heads: dict[str, Head] = field(default_factory=dict)

    def owned(self, domain: str, statements: Sequence[str], mode: Mode = Mode.TRANSACTION) -> Owned:
        """A step of `domain` as if no parser had ever looked at it."""
        text = ";\n".join(statements)
        texts = [text] if mode is Mode.OPAQUE else statements
        body = tuple(Statement(s, i, 1, 0, "") for i, s in enumerate(texts, 1))
        script = Script(SourceFile(f"{domain}/000001_step.up.sql", text, ""), "v1:0", mode, Directives(), body)
        step = Step(MigrationId(domain, 1, "step"), Direction.UP, script)
        return Owned(step, f"{domain}_owner", f"{domain}_migrator", "public")

    def attempt(
        self, crew: Crew, domain: str, statements: Sequence[str], mode: Mode = Mode.TRANSACTION
    ) -> StepResult:
        """Run a step to its end; what it has recorded is followed by the next."""
        result, head = crew.runner(domain).run(self.owned(domain, statements, mode), self.heads.get(domain))
        if head is not None:
            self.heads[domain] = head
        return result

    @contextmanager
    def leading(self) -> Iterator[Crew]:
        """Hold the run lock."""
        with self.access.lead() as control:
            context = Context(RunInfo.new("test"), self.access, Limits(retries=1, lock_wait=5), read_facts(control))
            leadership = Leadership(context, control)
            leadership.acquire()
            crew = Crew(context, leadership, Audit(self.access, {d.owner: d.name for d in DOMAINS}))
            try:
                yield crew
            finally:
                leadership.release()
                crew.close()


@dataclass
class Crew:
    """The runners of one run: one for all domains, in mode `login` one for each."""

    context: Context
    leadership: Leadership
    audit: Audit
    runners: dict[str, StepRunner] = field(default_factory=dict)

    def runner(self, domain: str) -> StepRunner:
        key = domain if self.context.access.mode == "login" else ""
        if key not in self.runners:
            self.runners[key] = StepRunner(self.context, self.leadership, None, self.audit)
        return self.runners[key]

    def close(self) -> None:
        """End every session."""
        self.audit.close()
        for runner in self.runners.values():
            if runner.session is not None:
                runner.session.close()


def make_world(url: str, mode: str) -> World:
    """Bootstrap by an administrator who is no superuser, then let each domain make what it has."""
    admin, superuser = make_owner(url, "admin", "CREATEROLE"), as_superuser(url)
    with connect(admin, SCHEMA) as session:
        statements, _ = bootstrap.plan(session, bootstrap.Wanted(DOMAINS, SCHEMA, mode))
        bootstrap.run(session, statements)
    with psycopg.connect(superuser, autocommit=True) as c:
        name = c.info.dbname
        logins = (MIGRATOR, *(d.migrator for d in DOMAINS if mode == "login"))
        for role in logins:
            c.execute(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'".encode())
        for domain, sql in zip(DOMAINS, (ALPHA, BETA, GAMMA), strict=True):
            c.execute(f"GRANT CREATE ON DATABASE {name} TO {domain.owner}".encode())
            c.execute(f"SET ROLE {domain.owner}".encode())
            c.execute(sql.encode())
            c.execute("RESET ROLE")
            c.execute(f"REVOKE CREATE ON DATABASE {name} FROM {domain.owner}".encode())
    passwords = {d.migrator: PASSWORD for d in DOMAINS}
    return World(superuser, Access(as_role(superuser, MIGRATOR), SCHEMA, "guarded", mode, passwords))
