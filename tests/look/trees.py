"""Trees as somebody has them who has prepared nothing."""

from __future__ import annotations

#: Two services that share a database; what each of them does wrong stands in the tests.
SHOP: dict[str, str | bytes] = {
    "services/shop/migrations/000001_users.up.sql": (
        "CREATE EXTENSION IF NOT EXISTS plpgsql;\nCREATE TABLE users (id bigint PRIMARY KEY, email text);\n"
    ),
    "services/shop/migrations/000001_users.down.sql": "DROP TABLE users;\n",
    "services/shop/migrations/000002_index.up.sql": "CREATE INDEX users_email ON users (email);\n",
    "services/shop/migrations/000002_index.down.sql": "SELECT 1;\n",
    "services/shop/migrations/000003_bio.up.sql": "ALTER TABLE users ADD COLUMN bio text;\n",
    "services/mail/migrations/000001_letters.up.sql": (
        "CREATE EXTENSION IF NOT EXISTS plpgsql;\nCREATE TABLE letters (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));\n"
    ),
    "services/mail/migrations/000001_letters.down.sql": "DROP TABLE letters;\n",
    "services/mail/migrations/000002_seen.up.sql": "ALTER TABLE users ADD COLUMN mail_seen boolean;\n",
    "services/mail/migrations/000002_seen.down.sql": "ALTER TABLE users DROP COLUMN mail_seen;\n",
    "services/mail/mysql/000001_letters.up.sql": "CREATE TABLE `letters` (id int AUTO_INCREMENT);\n",
    "services/mail/testdata/old/000001_letters.up.sql": "CREATE TABLE letters (id int);\n",
}

#: Nothing here fits: names, encodings, SQL, claims; only `good` can be proven as a whole.
BROKEN: dict[str, str | bytes] = {
    "a/db/000001_users.up.sql": "CREATE TABLE users (id bigint PRIMARY KEY);\n",
    "a/db/000001_users.down.sql": "DROP TABLE users;\n",
    "a/db/000002_wrong.up.sql": "CREATE TABEL more (id bigint);\n",
    "a/db/000003_after.up.sql": "CREATE TABLE after (id bigint PRIMARY KEY);\n",
    "b/db/000001_users.up.sql": "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n",
    "b/db/000001_users.down.sql": "DROP TABLE users;\n",
    "b/db/000002_latin.up.sql": b"CREATE TABLE caf\xe9 (id bigint);\n",
    "b/db/000003_one.up.sql": "SELECT 1;\n",
    "b/db/000003_two.up.sql": "SELECT 2;\n",
    "c/fails/000001_role.up.sql": "CREATE TABLE x (id bigint PRIMARY KEY, y nowhere.type);\n",
    "c/fails/000001_role.down.sql": "DROP TABLE x;\n",
    "c/fails/000002_never.up.sql": "CREATE TABLE z (id bigint PRIMARY KEY);\n",
    "c/fails/000002_never.down.sql": "DROP TABLE z;\n",
    "c/foreign/000001_t.up.sql": "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);\n",
    "good/000001_things.up.sql": "CREATE TABLE things (id bigint PRIMARY KEY);\n",
    "good/000001_things.down.sql": "DROP TABLE things;\n",
    "d/flyway/V1__start.sql": "CREATE TABLE f (id bigint);\n",
}
