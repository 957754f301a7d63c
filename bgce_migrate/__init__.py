"""One safe order, one owner a table and one history for many services on one PostgreSQL."""

from __future__ import annotations

__version__ = "0.1.0"
