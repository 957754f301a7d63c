"""What follows from looks at servers, without a server: ages, timelines, hysteresis, rests, tokens, plugins."""

from __future__ import annotations

import base64
import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bgce_migrate.access import Endpoint, RouteRequest
from bgce_migrate.errors import UsageError
from bgce_migrate.hookspecs import hookimpl
from bgce_migrate.host import Host, Plugin
from bgce_migrate.host.discovery import discover
from bgce_migrate.router import Places
from bgce_migrate.router.deciding import Decider
from bgce_migrate.routing import (
    Board,
    Breaker,
    RoutingSettings,
    Served,
    Sight,
    Signer,
    Standing,
    Token,
    Trail,
    pick,
)
from bgce_migrate.routing.sticky import plugin as sticky

SETTINGS = RoutingSettings()
SERVERS = (Served("primary", "primary"), Served("replica1", "replica", ("postal",)), Served("replica2", "replica", ("postal",)))
MIB = 1024 * 1024


def _primary(position: int, asked: float, timeline: int = 1, system: int = 7) -> Sight:
    return Sight(Standing(False, system, timeline, position, asked))


def _standby(position: int, asked: float, timeline: int = 1, system: int = 7) -> Sight:
    return Sight(Standing(True, system, timeline, position, asked))


def _names(board: Board) -> list[str]:
    return [r.name for r in board.view.readers.get("postal", ())]


def test_a_replica_that_lags_leaves_and_returns_only_below_half() -> None:
    board, near = Board(SERVERS, SETTINGS), SETTINGS.max_lag_bytes
    board.tell(0, _primary(near * 4, 0.0))
    for behind, there in ((near, True), (near + 1, False), (near, False), (near // 2 + 1, False), (near // 2, True), (near, True)):
        board.tell(1, _standby(near * 4 - behind, 0.1))
        assert _names(board) == (["replica1"] if there else []), behind
    assert "16777216 bytes behind" in board.view.verdicts[1].why


def test_seconds_count_from_when_the_primary_was_seen_past_it() -> None:
    """On an idle primary nothing is missing and the age stays 0, however long nobody writes."""
    board = Board(SERVERS, SETTINGS)
    for second in range(60):
        board.tell(0, _primary(1000, float(second)))
        board.tell(1, _standby(1000, second + 0.5))
    assert board.view.verdicts[1].behind == 0.0
    for second in range(60, 73):
        board.tell(0, _primary(1000 + second, float(second)))
        board.tell(1, _standby(1000, second + 0.5))
        assert _names(board) == (["replica1"] if second <= 69 else []), second
    assert board.view.verdicts[1].behind == 13.0


def test_the_highest_timeline_takes_writes_and_the_old_primary_nothing() -> None:
    board = Board(SERVERS, SETTINGS)
    board.tell(0, _primary(100, 0.0))
    board.tell(1, _primary(90, 1.0, timeline=2))
    assert (board.view.primary, board.view.timeline) == (1, 2)
    board.tell(0, _primary(500, 2.0))
    assert board.view.primary == 1
    assert board.view.verdicts[0].why == "is a primary of the past: timeline 1, the primary is on 2"
    board.tell(2, _standby(400, 2.0))
    assert board.view.verdicts[2].why == "follows timeline 1, the primary is on 2"
    # With the new one gone, too, the old one is no better.
    board.tell(1, Sight(None, "does not answer: gone"))
    assert board.view.primary is None


def test_another_cluster_is_never_asked() -> None:
    board = Board(SERVERS, SETTINGS)
    board.tell(1, _standby(100, 0.0, system=8))
    assert board.view.verdicts[1].why == "its age is not known: no primary was seen yet"
    board.tell(0, _primary(100, 0.0))
    assert (board.view.verdicts[1].why, _names(board)) == ("is another cluster", [])
    board.tell(2, _primary(900, 0.0, timeline=9, system=8))
    assert (board.view.primary, board.view.verdicts[2].why) == (0, "is another cluster")


def _pick(board: Board, now: float, **more: object) -> list[str]:
    return [r.name for r in pick(board.view, "postal", SETTINGS, now, **more).readers]  # type: ignore[arg-type]


def test_a_read_that_names_an_age_gets_no_older_one() -> None:
    board = Board(SERVERS, SETTINGS)
    board.tell(0, _primary(100, 10.0))
    board.tell(1, _standby(100, 10.1))
    board.tell(0, _primary(200, 11.0))
    board.tell(2, _standby(200, 11.1))
    assert _pick(board, 11.2, max_lag=0.5) == ["replica2"]
    assert sorted(_pick(board, 11.2, max_lag=1.5)) == ["replica1", "replica2"]
    assert _pick(board, 11.2, max_lag=0.1) == []


def test_who_is_silent_or_rests_gets_nothing() -> None:
    board = Board(SERVERS, SETTINGS)
    board.tell(0, _primary(100, 10.0))
    board.tell(1, _standby(100, 10.0))
    board.tell(2, _standby(100, 11.5))
    assert _pick(board, 12.5) == ["replica2"]
    assert _pick(board, 12.5, resting={2}) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), min_size=1, max_size=60), st.integers(-1, 160))
def test_the_trail_never_calls_a_standby_younger_than_it_is(steps: list[tuple[int, int]], replayed: int) -> None:
    """Against the plain definition: the last moment at which the primary had nothing that the standby lacks."""
    trail, moment, position, seen = Trail(most=20), 0.0, 0, []
    for written, seconds in steps:
        moment, position = moment + seconds + 0.5, position + written
        trail.add(moment, position)
        seen.append((moment, position))
    fresh = trail.fresh(replayed)
    truth = [at for at, there in seen if there <= replayed]
    assert fresh is None or fresh == max(truth)
    assert fresh is not None or len(seen) > 20 or not truth


def test_a_breaker_rests_longer_each_time_and_forgets() -> None:
    breaker = Breaker(SETTINGS)
    assert [breaker.failed(0.0) for _ in range(3)] == [False, False, True]
    assert breaker.until == 1.0
    assert breaker.failed(1.5) and breaker.until == 3.5
    assert breaker.failed(4.0) and breaker.until == 8.0
    breaker.worked()
    assert [breaker.failed(9.0) for _ in range(3)] == [False, False, True]
    assert breaker.until == 10.0


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.data())
def test_a_token_comes_back_whole_or_not_at_all(system: int, timeline: int, position: int, expires: int, data: st.DataObject) -> None:
    signer, token = Signer(b"x" * 16), Token(system, timeline, position, expires)
    text = signer.seal(token)
    assert signer.open(text) == token
    assert Signer(b"y" * 16).open(text) is None
    place = data.draw(st.integers(0, len(text) - 2))
    other = data.draw(st.sampled_from("ABCabc019-_"))
    if other != text[place]:
        assert signer.open(text[:place] + other + text[place + 1 :]) is None
    assert signer.open(base64.b64encode(text.encode()).decode()) is None


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(UsageError, match="can be guessed"):
        Signer(b"short")


def test_settings_that_do_not_protect_are_refused() -> None:
    with pytest.raises(UsageError, match="expired token"):
        RoutingSettings(max_lag=60.0)
    with pytest.raises(UsageError, match="do not fit together"):
        RoutingSettings(poll=5.0)


class _Second:
    """Sends postal's reads to replica2 where it is offered."""

    def __init__(self) -> None:
        self.offered: list[list[str]] = []

    @hookimpl
    def routing(self, request: RouteRequest, endpoints: tuple[Endpoint, ...]) -> Endpoint | None:
        self.offered.append([e.name for e in endpoints])
        return next((e for e in endpoints if e.name == "replica2" and request.intent == "read"), None)


class _Broken:
    @hookimpl
    def routing(self, request: RouteRequest) -> Endpoint | None:
        raise OSError("its table is gone")


def _decider(*plugins: Plugin, **settings: float) -> Decider:
    """Two replicas of postal that have everything."""
    now = time.monotonic()
    decider = Decider(Places(SERVERS, ("", "", ""), {"postal": 2}), RoutingSettings(**settings), Signer(), Host(plugins))  # type: ignore[arg-type]
    decider.tell(0, _primary(100, now))
    for index in (1, 2):
        decider.tell(index, _standby(100, now))
    return decider


def test_a_plugin_that_raises_leaves_the_policy_and_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not even the plugins after it are asked: what one of them would have said is not known to fit."""
    decider = _decider(Plugin("a_broken", _Broken()), Plugin("second", _Second()))
    with caplog.at_level(logging.WARNING, "bgce_migrate"):
        choices = [decider.choose("postal", "read") for _ in range(3)]
    assert [(c.server, c.why) for c in choices] == [("replica1", "the least busy replica that may serve it")] * 3
    assert choices[0].warnings == ("plugin a_broken failed in routing: OSError: its table is gone",)
    assert [r.getMessage() for r in caplog.records] == list(choices[0].warnings)


def test_the_built_in_policy_is_a_plugin_asked_last() -> None:
    decider = _decider()
    assert decider.choose("postal", "read").server == "replica1"
    decider.busy[1] = 1
    assert decider.choose("postal", "read").server == "replica2"
    hooked = _decider(Plugin("second", _Second()))
    assert hooked.choose("postal", "read").why == "plugin second chose it"
    assert hooked.choose("postal", "write").why == "writes go to the primary"  # it answered None


def test_sticky_services_keep_their_replica_and_share_them_all() -> None:
    services = [f"service{i}" for i in range(40)]
    three = tuple(Endpoint(f"replica{i}", "replica") for i in (1, 2, 3))
    chosen = {s: sticky.routing(RouteRequest(s), (Endpoint("primary", "primary"), *three)) for s in services}
    assert {e.name for e in chosen.values() if e is not None} == {"replica1", "replica2", "replica3"}
    for service in services:  # one that goes takes only its own services along, however busy the others are
        left = tuple(replace(e, busy=5.0) for e in three if e.name != "replica2")
        now, before = sticky.routing(RouteRequest(service), left), chosen[service]
        assert now is not None and before is not None
        assert before.name == "replica2" or now.name == before.name
    assert sticky.routing(RouteRequest("postal", "write"), three) is None
    (shipped,) = discover(["bgce_sticky"])
    assert _decider(shipped).choose("postal", "read").why == "plugin bgce_sticky chose it"


def test_a_plugin_chooses_among_those_that_may_have_it() -> None:
    plugin, signer, now = _Second(), Signer(), time.monotonic()
    places = Places(SERVERS, ("", "", ""), {"postal": 2})
    decider = Decider(places, RoutingSettings(max_wait=0.0), signer, Host((Plugin("second", plugin),)))
    decider.tell(0, _primary(100, now))
    decider.tell(1, _standby(100, now))
    decider.tell(2, _standby(50, now))
    assert decider.choose("postal", "read").server == "replica2"
    token = signer.seal(Token(7, 1, 100, int(time.time()) + 30))
    assert decider.choose("postal", "read", token).server == "replica1"  # replica2 would not show the write
    assert decider.choose("postal", "write").server == "primary"
    assert [sorted(o) for o in plugin.offered] == [["primary", "replica1", "replica2"], ["primary", "replica1"], ["primary"]]
