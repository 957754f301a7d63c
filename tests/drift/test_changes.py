"""Every change that somebody makes beside the migrations is found with its domain, and both ways to mend it work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bgce_migrate.drift.model import Drift, Found
from tests.drift.scene import as_owner, look, run, texts
from tests.e2e.platform import Guarded


@dataclass(frozen=True)
class Change:
    """What somebody runs as superuser, whose object it is about, and a part of what is told.

    Attributes:
        undo: where no statement leads back by itself: what does.
        mends: both ways are run and looked at.
    """

    sql: str
    domain: str
    told: str
    undo: str = ""
    mends: bool = True

    def __str__(self) -> str:
        return self.sql[:60].replace(" ", "-")


CHANGES = [
    Change("ALTER TABLE users ADD COLUMN nick text NOT NULL DEFAULT ''", "cortex", "column public.users.nick is new"),
    Change("ALTER TABLE posts ADD COLUMN n serial", "postal", "column public.posts.n is new", mends=False, undo="ALTER TABLE posts DROP COLUMN n"),
    Change("ALTER TABLE comments ALTER content DROP NOT NULL", "community", "column public.comments.content: not null is set no more"),
    Change("ALTER TABLE posts ALTER summary SET NOT NULL", "postal", "column public.posts.summary: not null is set"),
    Change("ALTER TABLE posts ALTER title TYPE text", "postal", "column public.posts.title: type is text"),
    Change("ALTER TABLE users ALTER status SET DEFAULT 'gone'", "cortex", "column public.users.status: default is"),
    Change("ALTER TABLE users ALTER status DROP DEFAULT", "cortex", "default is not set"),
    Change("ALTER TABLE users ALTER bio SET STORAGE EXTERNAL", "cortex", "column public.users.bio: storage is external"),
    Change("ALTER TABLE users ALTER bio SET STATISTICS 500", "cortex", "statistics target is 500"),
    Change("ALTER TABLE posts ALTER id SET GENERATED ALWAYS", "postal", "identity is always"),
    Change("CREATE INDEX by_hand ON posts (title)", "postal", "index public.by_hand is new"),
    Change("DROP INDEX idx_comments_user_id", "community", "index public.idx_comments_user_id is gone"),
    Change("DROP INDEX idx_comments_user_id; CREATE INDEX idx_comments_user_id ON comments (user_id DESC)", "community", "definition is"),
    Change("ALTER TABLE comments ADD CONSTRAINT long CHECK (length(content) > 0)", "community", "constraint long on public.comments is new"),
    Change("ALTER TABLE comments ADD CONSTRAINT later CHECK (length(content) > 1) NOT VALID", "community", "later on public.comments is new"),
    Change("ALTER TABLE tags DROP CONSTRAINT uq_tags_slug", "postal", "constraint uq_tags_slug on public.tags is gone"),
    Change("ALTER TABLE users ADD CONSTRAINT one UNIQUE (full_name, bio)", "cortex", "constraint one on public.users is new"),
    Change("CREATE TABLE extra (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text UNIQUE)", "", "table public.extra is new"),
    Change("CREATE TABLE kept (id bigint); ALTER TABLE kept OWNER TO support_owner", "support", "table public.kept is new", mends=False, undo="DROP TABLE kept"),
    Change("CREATE VIEW seen AS SELECT id, slug FROM categories", "", "view public.seen is new"),
    Change("CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS n FROM posts", "", "materialized view public.sums is new"),
    Change("CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS 'SELECT 2 * n'", "", "function public.twice(integer) is new"),
    Change("CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL;END'", "cortex",
           "function public.update_updated_at_column(): body is"),
    Change("ALTER FUNCTION update_updated_at_column() SECURITY DEFINER", "cortex", "security definer is set"),
    Change("CREATE TRIGGER spy AFTER INSERT ON posts FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()", "postal", "trigger spy on public.posts is new"),
    Change("DROP TRIGGER update_posts_updated_at ON posts", "postal", "trigger update_posts_updated_at on public.posts is gone"),
    Change("ALTER TABLE users DISABLE TRIGGER update_users_updated_at", "cortex", "state is disabled"),
    Change("ALTER TABLE posts ENABLE ROW LEVEL SECURITY", "postal", "table public.posts: row security is set"),
    Change("CREATE POLICY mine ON posts FOR SELECT TO postal_user USING (created_by > 0)", "postal", "policy mine on public.posts is new"),
    Change("CREATE RULE quiet AS ON DELETE TO tags DO INSTEAD NOTHING", "postal", "rule quiet on public.tags is new"),
    Change("CREATE STATISTICS pair_of ON title, slug FROM posts", "postal", "statistics public.pair_of is new"),
    Change("CREATE SEQUENCE numbers INCREMENT 5", "", "sequence public.numbers is new"),
    Change("CREATE TYPE mood AS ENUM ('good', 'it''s bad')", "", "type public.mood is new"),
    Change("CREATE TYPE pair AS (a integer, b text)", "", "type public.pair is new"),
    Change("CREATE DOMAIN positive AS integer DEFAULT 1 CONSTRAINT up CHECK (VALUE > 0)", "", "domain public.positive is new"),
    Change("CREATE SCHEMA lab", "", "schema lab is new"),
    Change("COMMENT ON TABLE users IS 'it''s us'", "cortex", "table public.users: comment is"),
    Change("COMMENT ON COLUMN users.email IS 'where'", "cortex", "column public.users.email: comment is where"),
    Change("ALTER TABLE posts SET (fillfactor = 70, autovacuum_enabled = false)", "postal", "options: came"),
    Change("CREATE UNLOGGED TABLE fast (id bigint)", "", "table public.fast is new"),
    Change("ALTER TABLE tags REPLICA IDENTITY FULL", "postal", "replica identity is full"),
    Change("ALTER TABLE tags OWNER TO cortex_owner", "postal", "table public.tags: owner is cortex_owner, was postal_owner", mends=False,
           undo="ALTER TABLE tags OWNER TO postal_owner"),
    Change("ALTER SEQUENCE posts_id_seq INCREMENT 10", "postal", "sequence public.posts_id_seq: increment is 10"),
    Change("ALTER TABLE tags RENAME COLUMN slug TO slugs", "postal", "column public.tags.slug is gone", mends=False, undo="ALTER TABLE tags RENAME COLUMN slugs TO slug"),
    Change("ALTER TABLE tags RENAME TO labels", "postal", "table public.tags is gone", mends=False, undo="ALTER TABLE labels RENAME TO tags"),
    Change("GRANT SELECT ON newsletters TO ai_user", "newsletter", "no declaration gives it"),
    Change("REVOKE SELECT ON tags FROM postal_user", "postal", "table public.tags"),
    Change("GRANT cortex_owner TO postal_user", "cortex", "membership postal_user in cortex_owner", mends=False, undo="REVOKE cortex_owner FROM postal_user"),
    Change("CREATE PUBLICATION feed FOR TABLE posts", "", "publication feed is new", mends=False, undo="DROP PUBLICATION feed"),
]  # fmt: skip


def test_there_are_enough() -> None:
    assert len({change.sql for change in CHANGES}) == len(CHANGES) >= 40


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_change_is_found_with_its_domain_and_led_back(platform: Guarded, change: Change) -> None:
    run(platform.superuser, change.sql.split("; "))
    found = look(platform.project, platform.url)
    try:
        told = [drift for drift in found.drifts if change.told in drift.text]
        assert len(told) == 1 and told[0].domain == change.domain, texts(found)
        assert found.cached
    finally:
        if change.mends:
            _run(platform, found, lambda drift: drift.back)
        else:
            run(platform.superuser, [change.undo])


def test_what_leads_back_leads_back_and_what_takes_in_takes_in(platform: Guarded) -> None:
    # One of those that change the same thing.
    mended = {change.told: change for change in CHANGES if change.mends and change.told not in ("definition is", "default is not set")}
    for change in mended.values():
        run(platform.superuser, change.sql.split("; "))
    found = look(platform.project, platform.url)
    assert len(found.drifts) >= 40
    _run(platform, found, lambda drift: drift.back)
    assert texts(look(platform.project, platform.url)) == []
    _run(platform, found, lambda drift: drift.taking_in)
    assert texts(look(platform.project, platform.url)) == texts(found)
    _run(platform, found, lambda drift: drift.back)
    assert texts(look(platform.project, platform.url)) == []


def _run(platform: Guarded, found: Found, way: Callable[[Drift], tuple[str, ...]]) -> None:
    for drift in found.drifts:
        assert way(drift), drift.text
        owner = drift.difference.what.owner if drift.difference is not None else ""
        as_owner(platform, drift.domain if owner == f"{drift.domain}_owner" else "", way(drift))
