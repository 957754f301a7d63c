"""The comment's road: pages, rights, limits, faults, and comments of others that look like ours."""

from __future__ import annotations

import pytest

from bgce_migrate.action.discussion import Discussion
from bgce_migrate.action.github import GitHub, GitHubFault
from tests.action.github_stub import REPOSITORY, TOKEN, Stub

MARKER = "<!-- bgce-migrate 1 -->"


class Waits(list[float]):
    """Sleeps that were asked for."""


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def discussion(github: Stub, waits: Waits) -> Discussion:
    return Discussion(GitHub(github.url + "/", REPOSITORY, TOKEN, waits.append), 7, MARKER)


def _body(limit: int) -> str:
    return MARKER + "x" * (limit - len(MARKER))


def test_made_once_then_rewritten(github: Stub, discussion: Discussion) -> None:
    for _ in range(250):
        github.add("words")
    url = discussion.write(lambda _: f"{MARKER} one")
    assert discussion.write(lambda _: f"{MARKER} two") == url and len(github.comments) == 251
    count = len(github.requests)
    discussion.write(lambda _: f"{MARKER} two")
    assert not [m for m, _ in github.requests[count:] if m == "PATCH"], "nothing new, nothing sent"
    assert discussion.remove() == 1 and discussion.remove() == 0 and len(github.comments) == 250


def test_comments_of_others_are_left_alone(github: Stub, discussion: Discussion) -> None:
    theirs = github.add(f"{MARKER} all good, trust me", login="mallory", kind="User")
    quoted = github.add(f"> {MARKER} quoted")
    discussion.write(lambda _: f"{MARKER} truth")
    assert "trust me" in github.comments[theirs]["body"] and "quoted" in github.comments[quoted]["body"]
    assert len(github.comments) == 3
    discussion.remove()
    assert set(github.comments) == {theirs, quoted}


def test_with_a_persons_token(github: Stub, discussion: Discussion) -> None:
    github.login = "robot-account"
    github.add(f"{MARKER} of another bot")
    discussion.write(lambda _: f"{MARKER} one")
    discussion.write(lambda _: f"{MARKER} two")
    assert [c["body"] for c in github.comments.values()] == [f"{MARKER} of another bot", f"{MARKER} two"]


def test_two_jobs_made_one_each(github: Stub, discussion: Discussion) -> None:
    github.add(f"{MARKER} one")
    github.add(f"{MARKER} other")
    discussion.write(lambda _: f"{MARKER} new")
    assert [c["body"] for c in github.comments.values()] == [f"{MARKER} new"]


@pytest.mark.parametrize("status, headers, waited", [
    (429, {"Retry-After": "3"}, 3.0), (403, {"Retry-After": "2"}, 2.0), (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}, 0.0),
    (500, {}, 0.5), (502, {}, 0.5), (503, {"Retry-After": "1"}, 1.0),
])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_tried_again(
    method: str, status: int, headers: dict[str, str], waited: float, github: Stub, discussion: Discussion, waits: Waits
) -> None:
    github.add(f"{MARKER} old")
    github.faults.append((method, status, headers))
    discussion.write(lambda _: f"{MARKER} new")
    assert waits == [waited] and next(iter(github.comments.values()))["body"] == f"{MARKER} new"


def test_limits_are_bounded(github: Stub, discussion: Discussion, waits: Waits) -> None:
    github.faults += [("GET", 429, {"Retry-After": "3600"})]
    with pytest.raises(GitHubFault, match="429"):
        discussion.write(lambda _: MARKER)
    assert waits == []
    github.faults += [("GET", 500, {})] * 9
    with pytest.raises(GitHubFault, match="500"):
        discussion.write(lambda _: MARKER)
    assert len(waits) == 3 and len(github.faults) == 5


@pytest.mark.parametrize("status", [401, 403, 404])
def test_no_right(status: int, github: Stub, discussion: Discussion, waits: Waits) -> None:
    github.faults.append(("POST", status, {}))
    with pytest.raises(GitHubFault, match=str(status)):
        discussion.write(lambda _: MARKER)
    assert not waits and not github.comments


def test_an_answer_that_was_lost_makes_no_second_comment(github: Stub, discussion: Discussion) -> None:
    github.lose_answer = True
    assert discussion.write(lambda _: f"{MARKER} one")
    assert len(github.comments) == 1


def test_too_long(github: Stub, discussion: Discussion) -> None:
    discussion.write(_body)
    assert [len(c["body"]) for c in github.comments.values()] == [65_536]
    github.longest = 40_000
    discussion.write(lambda limit: _body(limit - 1))
    assert [len(c["body"]) for c in github.comments.values()] == [32_767]


def test_taken_away_meanwhile(github: Stub, discussion: Discussion) -> None:
    github.add(f"{MARKER} old")
    github.faults.append(("PATCH", 404, {}))
    discussion.write(lambda _: f"{MARKER} new")
    assert [c["body"] for c in github.comments.values()] == [f"{MARKER} new"]
    github.faults.append(("DELETE", 404, {}))
    assert discussion.remove() == 1


def test_the_token_stays_on_its_host(github: Stub, discussion: Discussion) -> None:
    for _ in range(150):
        github.add("words")
    github.elsewhere = "http://127.0.0.2:9"
    discussion.write(lambda _: MARKER)
    assert len(github.comments) == 151
