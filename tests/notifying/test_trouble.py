"""Whatever the webhook does, the run is as it would be without it, and says so in one line."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from bgce_migrate.notifying.sending import post
from tests.notifying.conftest import Run
from tests.notifying.webhook import Hook, hook

TOLD = "warning: plugin bgce_notifications: nobody is told of this run: the webhook of SHOP_HOOK "


@pytest.mark.postgres(18)
def test_no_run_is_touched(run: Run, hook: Hook) -> None:
    for does, words in (
        ("hang", "did not answer within 1.5 s"),
        ("500", "answered 500 Internal Server Error"),
        ("to http://127.0.0.1:9/x", "answered 302: redirects are not followed"),
    ):
        hook.does = does
        began = time.monotonic()
        up = run("up", "--json")
        assert time.monotonic() - began < 8
        assert (up.code, up.document["result"]) == (0, "done"), up.err
        assert up.err.count("warning:") == 1 and TOLD + words in up.err
        assert up.document["warnings"] == [(TOLD + words).removeprefix("warning: ")]
        assert run("down", "--all", "--yes").code == 0


def test_every_trouble_has_its_words(hook: Hook) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for does, url, words in (
            ("ok", hook.url, None),
            ("hang", hook.url, "did not answer within 0.4 s"),
            ("drip", hook.url, "did not answer within 0.4 s"),
            ("403", hook.url, "answered 403 Forbidden"),
            ("599", hook.url, "answered 599"),
            ("nonsense", hook.url, "gave an answer that is no HTTP"),
            ("ok", f"http://127.0.0.1:{closed.getsockname()[1]}/x", "refuses connections"),
            ("ok", "http://nothing-of-this-name.invalid/x", "has a name that cannot be looked up"),
            ("ok", f"https://127.0.0.1:{hook.port}/x", "does not speak TLS as it should"),
            ("ok", "ftp://127.0.0.1/x", "is not an address that begins with https:// or http://"),
            ("ok", "file:///etc/passwd", "is not an address that begins with https:// or http://"),
            ("ok", "http://", "is no address"),
            ("ok", "http://[::1/x", "is no address"),
            ("ok", "http://127.0.0.1:port/x", "gave an answer that is no HTTP"),
            ("ok", f"{hook.url}/a b", "gave an answer that is no HTTP"),
        ):
            hook.does = does
            began = time.monotonic()
            assert post(url, b"{}", 0.4 if does in ("hang", "drip") else 5.0) == words, (does, url)
            assert time.monotonic() - began < 3


def test_a_redirect_leads_nowhere() -> None:
    with hook() as first, hook() as second:
        for place in (second.url, first.url, "file:///etc/passwd"):
            first.does = f"to {place}"
            assert post(first.url, b"{}", 5.0) == "answered 302: redirects are not followed"
        assert len(first.sent) == 3 and second.sent == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "1",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    with hook() as made:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        made.server.socket = context.wrap_socket(made.server.socket, server_side=True)
        made.server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        assert post(f"https://127.0.0.1:{made.port}/x", b"{}", 5.0) == "has a certificate that is not accepted"
        assert made.sent == []


def test_a_name_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(20) and [])
    began = time.monotonic()
    assert post("http://hooks.example.test/x", b"{}", 0.3) == "did not answer within 0.3 s"
    assert time.monotonic() - began < 2
    done.set()
