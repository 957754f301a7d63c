"""A twelfth domain, made after the others, and what its administrator has to do for it."""

from __future__ import annotations

import psycopg
import pytest

from bgce_migrate.desk import Desk
from bgce_migrate.errors import Refused
from tests.e2e.desks import up
from tests.e2e.platform import Guarded, shipped_domains, toml
from tests.e2e.scene import PASSWORD, query, write

GUILD = {
    "migrations/guild/domain.toml": """\
name = "guild"
requires = ["cortex", "postal"]
[tables.members]
[tables.boasts]
[tables.digest]
[[services]]
name = "guild"
login = "guild_user"
reads = ["cortex:users.profile", "cortex:users(email)", "postal:posts"]
""",
    "migrations/guild/000001_create_members.up.sql": """\
CREATE TABLE members (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sponsor text REFERENCES users (username)
);
CREATE TRIGGER touch BEFORE UPDATE ON members FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
""",
    "migrations/guild/000001_create_members.down.sql": "DROP TABLE members;",
    "migrations/guild/000002_create_member_names.up.sql": """\
CREATE VIEW member_names AS
SELECT m.id, u.username, u.full_name FROM members m JOIN users u ON u.id = m.user_id;
""",
    "migrations/guild/000002_create_member_names.down.sql": "DROP VIEW member_names;",
}


def add_guild(guarded: Guarded, files: dict[str, str] | None = None) -> None:
    """The twelfth domain, its administrator's part left undone."""
    mode = Desk.load(guarded.project).project.database.mode
    shares = 'newsletter = ["users(email)"]'
    declaration = guarded.project / "migrations/cortex/domain.toml"
    text = declaration.read_text()
    if "guild =" not in text:
        declaration.write_text(text.replace(shares, f'{shares}\nguild = ["users(email)"]'))
    new = {"bgce.toml": toml([*shipped_domains(), "guild"], mode), **(GUILD if files is None else files)}
    write(guarded.project, dict(new))


def obey(guarded: Guarded, error: Refused) -> str:
    """Run, as the administrator, the SQL that the hint gives."""
    hint = error.hint or ""
    assert "as administrator:" in hint, error
    text = hint.split("as administrator:", 1)[1]
    with psycopg.connect(guarded.admin, autocommit=True) as connection:
        connection.pgconn.exec_(b"SET client_min_messages = error")
        result = connection.pgconn.exec_(text.encode())
        assert result.status != psycopg.pq.ExecStatus.FATAL_ERROR, result.error_message.decode()
    return text


def adopt_guild(guarded: Guarded) -> None:
    """Let an `up` refuse, do what it says, and give the new login its password."""
    with pytest.raises(Refused, match="no owner role for guild") as caught:
        up(guarded.project, guarded.url, passwords=guarded.passwords)
    assert caught.value.exit_code == 3
    obey(guarded, caught.value)
    if Desk.load(guarded.project).project.database.mode == "login":
        query(guarded.superuser, f"ALTER ROLE guild_migrator PASSWORD '{PASSWORD}'")
        guarded.passwords = {**guarded.passwords, "guild_migrator": PASSWORD}
