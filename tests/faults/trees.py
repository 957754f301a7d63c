"""Small trees of migrations that several fault tests run."""

from __future__ import annotations

from tests.faults.site import Site

INDEX = "CREATE INDEX CONCURRENTLY"
ROWS = 20_000


def thirty_steps(site: Site) -> int:
    """Three domains with ten steps each, keys between them, and one file that runs through the journal."""
    site.domain("core", tables=[f"core_{n}" for n in range(1, 11)])
    site.domain("shop", tables=[f"shop_{n}" for n in range(1, 11)], requires=["core"])
    site.domain("mail", tables=[f"mail_{n}" for n in range(1, 11)], requires=["core", "shop"])
    for n in range(1, 11):
        site.write("core", n, f"CREATE TABLE core_{n} (id int PRIMARY KEY, word text);", f"DROP TABLE core_{n};")
        parent = f"REFERENCES core_{n} (id)"
        site.write("shop", n, f"CREATE TABLE shop_{n} (id int PRIMARY KEY, core int {parent});", f"DROP TABLE shop_{n};")
        if n == 5:
            continue
        body = (
            f"CREATE TABLE mail_{n} (id int PRIMARY KEY, shop int REFERENCES shop_{n} (id));\n"
            f"INSERT INTO mail_{n} SELECT g FROM generate_series(1, 500) g;\n"
            f"ALTER TABLE mail_{n} ADD COLUMN word text NOT NULL DEFAULT 'x';\n"
            f"CREATE INDEX mail_{n}_word_idx ON mail_{n} (word);"
        )
        site.write("mail", n, body, f"DROP TABLE mail_{n};")
    site.write("mail", 5, journaled("mail_5"), "DROP TABLE mail_5;")
    return 30


def journaled(table: str) -> str:
    """Five statements: each commits on its own, two of them build an index concurrently."""
    return (
        "-- bgce: no-transaction\n"
        f"CREATE TABLE {table} (id int PRIMARY KEY, word text);\n"
        f"INSERT INTO {table} SELECT g, md5(g::text) FROM generate_series(1, {ROWS}) g;\n"
        f"{INDEX} {table}_word_idx ON {table} (word);\n"
        f"ALTER TABLE {table} ADD COLUMN extra int;\n"
        f"{INDEX} {table}_extra_idx ON {table} (extra);\n"
    )


def with_index(site: Site, rows: int = ROWS) -> None:
    """Three steps, the last of which builds an index concurrently."""
    site.domain("shop", tables=["goods", "parts"])
    site.write("shop", 1, "CREATE TABLE goods (id int PRIMARY KEY, word text);", "DROP TABLE goods;")
    fill = f"INSERT INTO goods SELECT g, md5(g::text) FROM generate_series(1, {rows}) g;"
    site.write("shop", 2, f"CREATE TABLE parts (id int);\n{fill}", "DROP TABLE parts;")
    build = f"-- bgce: no-transaction\n{INDEX} goods_word_idx ON goods (word);"
    site.write("shop", 3, build, "DROP INDEX goods_word_idx;")


def six_steps(site: Site) -> None:
    """Six small transactional steps over two domains."""
    site.domain("core", tables=["core_1", "core_2", "core_3"])
    site.domain("shop", tables=["shop_1", "shop_2", "shop_3"], requires=["core"])
    for n in (1, 2, 3):
        site.write("core", n, f"CREATE TABLE core_{n} (id int PRIMARY KEY);", f"DROP TABLE core_{n};")
        key = f"REFERENCES core_{n} (id)"
        site.write("shop", n, f"CREATE TABLE shop_{n} (id int {key});\nINSERT INTO shop_{n} VALUES (NULL);", "SELECT 1;")
