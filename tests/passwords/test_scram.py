"""The verifier is the one of RFC 5802 and RFC 7677, and PostgreSQL takes it."""

from __future__ import annotations

import base64
import hashlib
import hmac

import psycopg
import pytest

from bgce_migrate.db.scram import verifier
from bgce_migrate.db.session import connect
from bgce_migrate.errors import UsageError
from bgce_migrate.servers import Server
from tests.e2e.scene import query
from tests.servers import as_superuser


def computed(password: bytes, salt: bytes, iterations: int) -> tuple[str, str]:
    """Stored key and server key, from the text of the RFCs; `password` is prepared already."""
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored, server = hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256")
    return base64.b64encode(stored).decode(), base64.b64encode(server).decode()


@pytest.mark.parametrize(("said", "prepared"), [
    ("pencil", "pencil"), ("p$:,=%/'\\\" ", "p$:,=%/'\\\" "), ("Ⅸ", "IX"), ("I\u00adX", "IX"), ("a\u00a0b", "a b"),
    ("pässwörd", "pässwörd"), ("x" * 5000, "x" * 5000),
])  # fmt: skip
def test_the_verifier_is_that_of_the_rfcs(database: str, said: str, prepared: str) -> None:
    with connect(database, "bgce_migrate") as session:
        made = verifier(session, "somebody", said)
        again = verifier(session, "somebody", said)
    kind, parameters, keys = made.split("$")
    iterations, salt = parameters.split(":")
    assert kind == "SCRAM-SHA-256"
    assert int(iterations) >= 4096
    assert tuple(keys.split(":")) == computed(prepared.encode(), base64.b64decode(salt), int(iterations))
    assert len(base64.b64decode(salt)) == 16
    assert made != again, "every verifier has a salt of its own"


def test_a_prepared_password_logs_in(server: Server, database: str) -> None:
    with connect(database, "bgce_migrate") as session:
        made = verifier(session, "roman", "Ⅸ")
    query(as_superuser(database), f"CREATE ROLE roman LOGIN PASSWORD '{made}'")
    for spelling in ("Ⅸ", "IX"):
        psycopg.connect(server.url(role="roman", password=spelling, database="postgres")).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url(role="roman", password="9", database="postgres"))


@pytest.mark.parametrize("said", ["", "a\0b", "\udcff"])
def test_what_nobody_could_log_in_with_is_refused(database: str, said: str) -> None:
    with connect(database, "bgce_migrate") as session, pytest.raises(UsageError) as caught:
        verifier(session, "somebody", said)
    assert said not in str(caught.value) or said == ""
