"""A password as the SCRAM-SHA-256 verifier that the server keeps: computed here, so that the password never travels."""

from __future__ import annotations

from bgce_migrate.db.session import Session
from bgce_migrate.errors import UsageError


def verifier(session: Session, login: str, password: str) -> str:
    """`SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>` with a fresh salt (RFC 5802, RFC 7677).

    libpq computes it, so that SASLprep and the server's `scram_iterations` (16 and newer) are its own.

    Raises:
        UsageError: nobody could log in with this password.
    """
    fault = "is empty" if not password else "holds a NUL character" if "\0" in password else None
    if fault:
        raise UsageError(f"the password for {login} {fault}", hint="nothing was changed; choose another one")
    try:
        raw = password.encode()
    except UnicodeEncodeError:
        raise UsageError(f"the password for {login} is not UTF-8", hint="nothing was changed") from None
    return session.connection.pgconn.encrypt_password(raw, login.encode(), b"scram-sha-256").decode()
