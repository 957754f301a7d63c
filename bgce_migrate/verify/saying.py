"""A server's refusal in one line."""

from __future__ import annotations

import psycopg

from bgce_migrate.db.wire import Failed


def said(failed: Failed | psycopg.Error) -> str:
    """The server's message in one line."""
    error = failed.error if isinstance(failed, Failed) else failed
    return error.diag.message_primary or str(error).strip().partition("\n")[0]
