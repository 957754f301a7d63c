"""What a hostile or careless migration of `alpha` may try on `beta`, `gamma`, the roles and the history.

Each is SQL as it reaches the server, the parser's own refusals left aside. `docs/explanation/enforcement.md` names
those that get through, from `LEAKS` here: a test compares.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """One way to do harm.

    Attributes:
        body: its statements, each sent as one.
        proven: False where a superuser's run of it in one transaction cannot show that it would do harm.
        domain: whose migration it is.
    """

    body: tuple[str, ...]
    proven: bool = True
    domain: str = "alpha"


def _do(*texts: str) -> str:
    """A block that runs texts no parser sees."""
    return "DO $hidden$ BEGIN " + " ".join(f"EXECUTE $x${t}$x$;" for t in texts) + " END $hidden$"


def _as(role: str, *texts: str) -> tuple[str, ...]:
    """Take another role inside a block, and come back as if nothing had been."""
    return (_do("RESET ROLE", f"SET ROLE {role}", *texts, "RESET ROLE", "SET ROLE alpha_owner"),)


def _function(*texts: str, returns: str = "void", options: str = "") -> str:
    end = "RETURN NULL; " if returns == "trigger" else ""
    body = " ".join(f"EXECUTE $x${t}$x$;" for t in texts)
    return f"CREATE FUNCTION evil() RETURNS {returns} LANGUAGE plpgsql {options} AS $evil$ BEGIN {body} {end}END $evil$"


def _late(*texts: str) -> tuple[str, ...]:
    """A deferred trigger: its function runs at COMMIT, after everything was looked at."""
    return (
        _function(*texts, returns="trigger"),
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON queue DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil()",
        "INSERT INTO queue VALUES (1)",
    )


_UUID = "00000000-0000-4000-8000-00000000000a"
_ROW = (
    '{"run_id":"00000000-0000-4000-8000-000000000000","version":77,"name":"forged","direction":"%s",'
    '"execution_time_ms":0,"success":true,"tool_version":"0"}'
)
_HEAD = "(SELECT row_hash FROM bgce_migrate.migration_history WHERE service_name = 'beta' ORDER BY sequence DESC LIMIT 1)"
_FORGE = (
    f"SELECT bgce_migrate.begin_step('{_UUID}', (SELECT n FROM bgce_migrate.epoch), 'beta', {_HEAD})",
    f"SELECT bgce_migrate.finish_step('{_UUID}', '{_ROW % 'up'}')",
)
_MARK = (
    f"SELECT bgce_migrate.record((SELECT n FROM bgce_migrate.epoch), '{_UUID}', 'beta', {_HEAD},"
    f" '{_ROW % 'mark_reverted'}')"
)

#: With the owner's own rights: what stops them holds in every mode.
OWN_RIGHTS: dict[str, Attack] = {
    "plain ALTER": Attack(("ALTER TABLE diary ADD COLUMN mine text",)),
    "plain UPDATE": Attack(("UPDATE diary SET secret = 'read'",)),
    "plain INSERT": Attack(("INSERT INTO letters VALUES (2, 'forged')",)),
    "plain DELETE": Attack(("DELETE FROM diary",)),
    "plain DROP": Attack(("DROP TABLE diary",)),
    "TRUNCATE": Attack(("TRUNCATE ledger",)),
    "TRUNCATE CASCADE": Attack(("TRUNCATE parent CASCADE",)),
    "DO": Attack((_do("UPDATE diary SET secret = 'read'"),)),
    "DO that catches errors": Attack(
        ("DO $$ BEGIN DELETE FROM parent; EXCEPTION WHEN others THEN NULL; END $$",),
    ),
    "EXECUTE of a computed name": Attack(
        ("DO $$ BEGIN EXECUTE format('DROP TABLE %I CASCADE', 'di' || 'ary'); END $$",)
    ),
    "PREPARE and EXECUTE": Attack(("PREPARE p AS DELETE FROM letters", "EXECUTE p")),
    "function": Attack((_function("DELETE FROM letters"), "SELECT evil()")),
    "definer function": Attack((_function("DELETE FROM letters", options="SECURITY DEFINER"), "SELECT evil()")),
    "function of another domain": Attack(("SELECT pay()",)),
    "trigger on an own table": Attack(
        (
            _function("UPDATE ledger SET amount = 0", returns="trigger"),
            "CREATE TRIGGER t AFTER UPDATE ON own EXECUTE FUNCTION evil()",
            "UPDATE own SET v = 'x'",
        )
    ),
    "trigger on another's table": Attack(("CREATE TRIGGER t BEFORE UPDATE ON diary EXECUTE FUNCTION stamp()",)),
    "disabled trigger": Attack(("ALTER TABLE child DISABLE TRIGGER ALL",)),
    "dropped trigger function": Attack(("DROP FUNCTION stamp() CASCADE",)),
    "dropped default's function": Attack(("DROP FUNCTION seven() CASCADE",)),
    "dropped default's sequence": Attack(("DROP SEQUENCE numbers CASCADE",)),
    "view": Attack(("CREATE VIEW mine AS SELECT * FROM parent", "DROP TABLE parent CASCADE")),
    "dropped view under a view": Attack(("DROP VIEW parents CASCADE",)),
    "replaced view": Attack(("CREATE OR REPLACE VIEW child_view AS SELECT 1 AS id, 'x'::text AS note",)),
    "write through a view": Attack(("CREATE VIEW mine AS SELECT * FROM child", "UPDATE mine SET words = 'x'")),
    "rule on an own table": Attack(
        ("CREATE RULE r AS ON UPDATE TO own DO ALSO UPDATE letters SET body = 'x'", "UPDATE own SET v = 'x'"),
        proven=False,
    ),
    "rule on another's table": Attack(("CREATE RULE r AS ON INSERT TO letters DO INSTEAD NOTHING",)),
    "dropped rule": Attack(("DROP RULE no_delete ON ledger",)),
    "DROP TABLE CASCADE takes a key": Attack(("DROP TABLE parent CASCADE",)),
    "DROP COLUMN CASCADE takes a key and views": Attack(("ALTER TABLE parent DROP COLUMN id CASCADE",)),
    "DROP CONSTRAINT CASCADE takes a key": Attack(("ALTER TABLE parent DROP CONSTRAINT parent_pkey CASCADE",)),
    "type drop takes a column": Attack(("DROP TYPE mood CASCADE",)),
    "domain drop takes a column": Attack(("DROP DOMAIN short CASCADE",)),
    "hidden type drop": Attack((_do("DROP TYPE mood CASCADE"),)),
    "new check of a shared domain": Attack(("ALTER DOMAIN short ADD CHECK (value <> 'x')", "DROP DOMAIN short CASCADE")),
    "schema drop takes a guest": Attack(("DROP SCHEMA alpha_rooms CASCADE",)),
    "schema renamed under a guest": Attack(("ALTER SCHEMA alpha_rooms RENAME TO elsewhere",)),
    "cascading key": Attack(("DELETE FROM parent WHERE id = 1",)),
    "cascading key on update": Attack(("UPDATE parent SET id = 9 WHERE id = 1",)),
    "cascading key in a savepoint": Attack(("SAVEPOINT s", "DELETE FROM parent WHERE id = 1", "RELEASE s")),
    "DROP OWNED": Attack(("DROP OWNED BY alpha_owner CASCADE",)),
    "DROP OWNED where nobody depends on it": Attack((_do("DROP OWNED BY gamma_owner"),), domain="gamma"),
    "REASSIGN OWNED to another": Attack(("REASSIGN OWNED BY alpha_owner TO beta_owner",)),
    "REASSIGN OWNED of another": Attack(("REASSIGN OWNED BY beta_owner TO alpha_owner",)),
    "ALTER OWNER of another's": Attack(("ALTER TABLE diary OWNER TO alpha_owner",)),
    "ALTER OWNER of an own one": Attack(("ALTER TABLE own OWNER TO beta_owner",)),
    "schema for another": Attack(("CREATE SCHEMA annex AUTHORIZATION beta_owner",)),
    "undeclared key": Attack((_do("ALTER TABLE own ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES child (id) NOT VALID"),)),
    "inheritance": Attack(("CREATE TABLE heir () INHERITS (diary)", "ALTER TABLE diary ADD COLUMN x int")),
    "LOCK TABLE": Attack(("LOCK TABLE child IN ROW EXCLUSIVE MODE", "UPDATE child SET words = 'x'")),
    "sequence": Attack(("SELECT setval('tickets', 99)",)),
    "COMMENT": Attack(("COMMENT ON TABLE diary IS 'mine'",)),
    "GRANT on another's": Attack(("GRANT SELECT ON diary TO alpha_user",)),
    "REVOKE on another's": Attack(("REVOKE SELECT ON diary FROM beta_user",)),
    "replaced function": Attack(("CREATE OR REPLACE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'",)),
    "enum value of another's type": Attack(("ALTER TYPE color ADD VALUE 'blue'",)),
    "policy": Attack(("DROP POLICY readers ON diary",)),
    "row security": Attack(("ALTER TABLE diary DISABLE ROW LEVEL SECURITY",)),
    "default privileges of another": Attack(("ALTER DEFAULT PRIVILEGES FOR ROLE beta_owner GRANT ALL ON TABLES TO alpha_user",)),
    "SET ROLE": Attack(("SET ROLE beta_owner", "DELETE FROM diary")),
    "SET SESSION AUTHORIZATION": Attack(("SET SESSION AUTHORIZATION beta_owner", "DELETE FROM diary"), proven=False),
    "role made": Attack(("CREATE ROLE spare LOGIN",)),
    "membership": Attack(("GRANT beta_owner TO alpha_owner",)),
    "own login given away": Attack(("RESET ROLE", "DO $$ BEGIN EXECUTE format('GRANT %I TO beta_user', session_user); END $$"), proven=False),
    "own settings": Attack(("DO $$ BEGIN EXECUTE format('ALTER ROLE %I SET search_path = beta_rooms', current_user); END $$",)),
    "settings of the session's login": Attack(
        ("RESET ROLE", "DO $$ BEGIN EXECUTE format('ALTER ROLE %I SET search_path = beta_rooms', session_user); END $$")
    ),
    "password of the session's login": Attack(
        ("RESET ROLE", "DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD ''mine''', session_user); END $$")
    ),
    "database's settings": Attack(("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = x', current_database()); END $$",)),
    "table for the login": Attack(("RESET ROLE", "CREATE TABLE stray (id int)"), proven=False),
    "deferred trigger that cascades": Attack(_late("DELETE FROM parent WHERE id = 1"), proven=False),
    "deferred trigger that drops a type": Attack(_late("DROP TYPE mood CASCADE"), proven=False),
    "deferred trigger behind a deferred trigger": Attack(
        (
            _function("SET CONSTRAINTS ALL DEFERRED", "INSERT INTO own VALUES (7, 'again')", returns="trigger"),
            "CREATE FUNCTION worse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM parent; RETURN NULL; END $$",
            "CREATE CONSTRAINT TRIGGER again AFTER INSERT ON own DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION worse()",
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON queue DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION evil()",
            "INSERT INTO queue VALUES (1)",
        ),
        proven=False,
    ),
    "cursor that is run at COMMIT": Attack(
        (_function("DELETE FROM parent", returns="int").replace("END $evil$", "RETURN 1; END $evil$"),
         "DECLARE c CURSOR WITH HOLD FOR SELECT evil()"),
        proven=False,
    ),
    "forged table row": Attack(
        ("INSERT INTO bgce_migrate.migration_history (service_name) VALUES ('beta')",), proven=False
    ),
    "history deleted": Attack(("DELETE FROM bgce_migrate.migration_history",), proven=False),
    "history's guard disabled": Attack(
        ("ALTER TABLE bgce_migrate.migration_history DISABLE TRIGGER ALL", "TRUNCATE bgce_migrate.migration_history"),
    ),
    "history's guard dropped": Attack(
        ("DROP TRIGGER append_only ON bgce_migrate.migration_history", "DELETE FROM bgce_migrate.migration_history"),
    ),
    "replication role": Attack(
        ("SET session_replication_role = replica", "DELETE FROM bgce_migrate.migration_history"), proven=False
    ),
    "bookkeeping replaced": Attack(
        ("CREATE OR REPLACE FUNCTION bgce_migrate.require_login(p_domain text) RETURNS void LANGUAGE sql AS ''",)
    ),
    "guard row deleted": Attack(("DELETE FROM bgce_migrate.guard", "COMMIT"), proven=False),
    "forged step": Attack(("RESET ROLE", *_FORGE), proven=False),
    "forged mark": Attack(("RESET ROLE", _MARK), proven=False),
    "forged journal row": Attack(
        (
            "RESET ROLE",
            "SELECT bgce_migrate.intent((SELECT n FROM bgce_migrate.epoch), '" + _UUID + "', 'beta', 5, 'up', 1, 'x', 'x')",
        ),
        proven=False,
    ),
    "epoch raised": Attack(
        ("RESET ROLE", "SELECT bgce_migrate.lead_run('" + _UUID + "', 'x', 'x', 'x', 'x', 'x', 'x')"), proven=False
    ),
}

#: After taking another owner's role, which only the one login of mode `role` may.
OTHER_ROLE: dict[str, Attack] = {
    "role switch, DELETE": Attack(("RESET ROLE", "SET ROLE beta_owner", "DELETE FROM diary")),
    "role switch in a block, ALTER": Attack(_as("beta_owner", "ALTER TABLE diary ADD COLUMN mine text")),
    "role switch by set_config": Attack(
        ("SELECT set_config('role', 'none', false)", "SELECT set_config('role', 'beta_owner', false)", "DELETE FROM diary")
    ),
    "role switch in a function's settings": Attack(
        ("RESET ROLE", "SET ROLE alpha_owner",
         "CREATE FUNCTION evil() RETURNS void LANGUAGE plpgsql SET role = beta_owner AS $$ BEGIN DELETE FROM diary; END $$",
         "RESET ROLE", "SELECT evil()")
    ),
    "role switch, DROP": Attack(_as("beta_owner", "DROP TABLE diary CASCADE")),
    "role switch, TRUNCATE": Attack(_as("beta_owner", "TRUNCATE ledger")),
    "role switch, new table": Attack(_as("beta_owner", "CREATE TABLE stray (id int)")),
    "role switch, new function": Attack(_as("beta_owner", "CREATE FUNCTION stray() RETURNS int LANGUAGE sql AS 'SELECT 1'")),
    "role switch, new type": Attack(_as("beta_owner", "CREATE TYPE stray AS ENUM ('a')")),
    "role switch, new schema's table": Attack(_as("beta_owner", "CREATE TABLE beta_rooms.stray (id int)")),
    "role switch, dropped function": Attack(_as("beta_owner", "DROP FUNCTION total()")),
    "role switch, renamed function": Attack(_as("beta_owner", "ALTER FUNCTION total() RENAME TO sum_of_all")),
    "role switch, function taken over": Attack(_as("beta_owner", "ALTER FUNCTION total() SECURITY DEFINER")),
    "role switch, replaced function": Attack(
        _as("beta_owner", "CREATE OR REPLACE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'")
    ),
    "role switch, function's GRANT": Attack(_as("beta_owner", "GRANT EXECUTE ON FUNCTION pay() TO PUBLIC")),
    "role switch, GRANT to a login": Attack(_as("beta_owner", "GRANT SELECT ON diary TO alpha_user")),
    "role switch, GRANT to PUBLIC": Attack(_as("beta_owner", "GRANT SELECT ON diary TO PUBLIC")),
    "role switch, REVOKE": Attack(_as("beta_owner", "REVOKE SELECT ON diary FROM beta_user")),
    "role switch, default privileges": Attack(
        _as("beta_owner", "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO alpha_user")
    ),
    "role switch, enum value": Attack(_as("beta_owner", "ALTER TYPE color RENAME VALUE 'red' TO 'blue'")),
    "role switch, schema dropped": Attack(_as("beta_owner", "DROP SCHEMA beta_rooms CASCADE")),
    "role switch, schema opened": Attack(_as("beta_owner", "GRANT ALL ON SCHEMA beta_rooms TO PUBLIC")),
    "role switch, COMMENT on a function": Attack(_as("beta_owner", "COMMENT ON FUNCTION total() IS 'mine'")),
    "role switch, sequence": Attack(_as("beta_owner", "SELECT setval('tickets', 77)")),
    "role switch, DROP OWNED": Attack(_as("gamma_owner", "DROP OWNED BY gamma_owner CASCADE")),
    "role switch, REASSIGN OWNED": Attack(_as("beta_owner", "REASSIGN OWNED BY beta_owner TO beta_owner"), proven=False),
    "role switch, large object": Attack(_as("beta_owner", "SELECT lo_create(424242)"), proven=False),
    "role switch at COMMIT": Attack(_late("RESET ROLE", "SET ROLE beta_owner", "DELETE FROM diary"), proven=False),
    "ROLLBACK, role switch": Attack(("ROLLBACK", "RESET ROLE", "SET ROLE beta_owner", "DELETE FROM diary"), proven=False),
    "ROLLBACK, forged step": Attack(("ROLLBACK", "RESET ROLE", *_FORGE), proven=False),
}
ATTACKS = {**OWN_RIGHTS, **OTHER_ROLE}

#: Those that are worth running on every major: what stops them is ours, or differs between versions.
EVERYWHERE = frozenset(
    name
    for name in ATTACKS
    if name in OTHER_ROLE
    or any(word in name for word in ("CASCADE", "cascad", "drop", "OWNED", "deferred", "COMMIT", "forged", "login", "settings"))
)

#: What still gets through, by mode, and why. The parser refuses what stands in a file in plain words.
LEAKS: dict[str, dict[str, str]] = {
    "login": {},
    "role": {
        "role switch, GRANT to PUBLIC": "PostgreSQL takes no lock for it and names nobody",
        "role switch, REVOKE": "PostgreSQL takes no lock for it and names nobody",
        "role switch, sequence": "the step is rolled back, but a sequence does not roll back",
        "ROLLBACK, role switch": "the file ends the step's transaction; the parser refuses the word in every declared file",
        "ROLLBACK, forged step": "the file ends the step's transaction; the parser refuses the word in every declared file",
    },
}
