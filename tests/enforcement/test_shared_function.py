"""The one write across domains: community counts a like through a function that postal ships and shares."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.e2e.desks import require_done, up
from tests.e2e.platform import Guarded, bootstrap, copy_platform, service
from tests.e2e.scene import query
from tests.servers import as_superuser

LIKE = "INSERT INTO likes (user_id, likeable_type, likeable_id) VALUES (1, 'post', 1)"


@pytest.fixture
def platform(database: str, tmp_path: Path) -> Guarded:
    guarded = bootstrap(copy_platform(tmp_path), database)
    require_done(up(guarded.project, guarded.url))
    query(as_superuser(database), "INSERT INTO users (id, username, email, password_hash) VALUES (1, 'ada', 'a@example.org', 'x')")
    query(as_superuser(database), "INSERT INTO categories (id, label, slug) VALUES (1, 'c', 'c')")
    query(
        as_superuser(database),
        "INSERT INTO posts (id, order_no, title, slug, content, category_id, created_by, like_count)"
        " VALUES (1, 1, 't', 't', 'x', 1, 1, NULL)",
    )
    return guarded


def likes(guarded: Guarded) -> tuple[object, ...]:
    return query(guarded.superuser, "SELECT like_count, (SELECT count(*) FROM likes) FROM posts")[0]


def test_a_like_and_its_count_are_one_transaction(platform: Guarded) -> None:
    with psycopg.connect(service(platform, "community_user")) as community:
        community.execute(LIKE)
        assert community.execute("SELECT count_post_like(1, 1)").fetchone() == (1,)
        community.rollback()
        assert likes(platform) == (None, 0)
        community.execute(LIKE)
        community.execute("SELECT count_post_like(1, 1)")
        community.commit()
        assert likes(platform) == (1, 1)
        assert community.execute("SELECT count_post_like(1, 1000)").fetchone() == (None,), "only one at a time"
        assert community.execute("SELECT count_post_like(1, -1)").fetchone() == (0,)
        assert community.execute("SELECT count_post_like(1, -1)").fetchone() == (0,), "never below none"


def test_the_caller_gets_nothing_else(platform: Guarded) -> None:
    with psycopg.connect(service(platform, "community_user"), autocommit=True) as community:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            community.execute("UPDATE posts SET like_count = 7")
        # A table of the caller's with the same name is not what the function writes to, even if it may make one.
        name = community.info.dbname
        query(platform.superuser, f"GRANT TEMPORARY ON DATABASE {name} TO community_user")
        community.execute("CREATE TEMP TABLE posts (id bigint, like_count int)")
        community.execute("INSERT INTO pg_temp.posts VALUES (1, 100)")
        assert community.execute("SELECT count_post_like(1, 1)").fetchone() == (1,)
    for login in ("newsletter_user", "learning_user", "jobs_user"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(service(platform, login), "SELECT count_post_like(1, 1)")
