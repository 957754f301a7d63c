"""The one door to PostgreSQL's own grammar; importing it loads the parser, so import it late."""

from __future__ import annotations

from bgce_migrate.sqlparse.binding import pb
from bgce_migrate.sqlparse.grammar import (
    Parsed,
    Spans,
    SqlSyntaxError,
    Token,
    fingerprint,
    node_kind,
    pairs,
    parse,
    parse_nodes,
    scan,
    spans,
    split,
)
from bgce_migrate.sqlparse.plpgsql import Body, BodyQuery, read_body
from bgce_migrate.sqlparse.positions import Positions

__all__ = [
    "Body",
    "BodyQuery",
    "Parsed",
    "Positions",
    "Spans",
    "SqlSyntaxError",
    "Token",
    "fingerprint",
    "node_kind",
    "pairs",
    "parse",
    "parse_nodes",
    "pb",
    "read_body",
    "scan",
    "spans",
    "split",
]
