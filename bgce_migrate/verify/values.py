"""Values that a column's type, and what its checks say, let pass."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bgce_migrate.fingerprint.model import Catalog

_LENGTH = re.compile(r"\((\d+)")
_WORD = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"(?<![\w'.])-?\d+(?:\.\d+)?(?![\w'])")
_TEXT = ("text", "character varying", "character", "citext", "name")
_KNOWN = {
    "smallint": "7", "integer": "7", "bigint": "7", "numeric": "7", "real": "7", "double precision": "7", "money": "7",
    "boolean": "true", "date": "2001-02-03", "timestamp without time zone": "2001-02-03 04:05:06",
    "timestamp with time zone": "2001-02-03 04:05:06+00", "time without time zone": "04:05:06", "time with time zone": "04:05:06+00",
    "interval": "1 day", "uuid": "11111111-2222-3333-4444-555555555555", "json": '{"probe": 7}', "jsonb": '{"probe": 7}',
    "bytea": "\\x07", "inet": "192.0.2.7", "cidr": "192.0.2.0/24", "macaddr": "08:00:2b:01:02:03", "xml": "<probe/>",
    "tsvector": "probe", "tsquery": "probe", "point": "(1,2)", "bit": "1", "bit varying": "1", "oid": "7",
    "int4range": "[1,7)", "int8range": "[1,7)", "numrange": "[1,7)", "daterange": "[2001-02-03,2001-02-04)",
    "tstzrange": "[2001-02-03 04:05:06+00,2001-02-04 04:05:06+00)", "tsrange": "[2001-02-03 04:05:06,2001-02-04 04:05:06)",
    "hstore": "probe=>7", "ltree": "probe",
}  # fmt: skip
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")


def candidates(catalog: Catalog, type: str, checks: Sequence[str]) -> list[str]:
    """Values to try, the likeliest first; none for a type that nothing is known of."""
    kind = re.sub(r"\(\d+(?:,-?\d+)?\)", "", type)
    said = " ".join(checks)
    if type.endswith("[]"):
        return [f'{{"{v}"}}' for v in candidates(catalog, type[:-2], checks) if '"' not in v and "\\" not in v]
    if kind in _TEXT:
        length = _LENGTH.search(type)
        room = int(length[1]) if length else 1 if kind == "character" else 40
        words = [w.replace("''", "'") for w in _WORD.findall(said)]
        plain = [w for w in words if re.fullmatch(r"[\w .@/:-]+", w)]
        return [w[:room] for w in [*plain[:2], "probe-of-rows-put-in-before-and-read-after"[:room], "probe@example.org"]]
    if kind in _NUMBERS:
        return list(dict.fromkeys([_KNOWN[kind], *_NUMBER.findall(said)[:2], "1", "0"]))
    if kind in _KNOWN:
        return [_KNOWN[kind]]
    found = catalog.objects.get(f"type {type}") or catalog.objects.get(f"domain {type}")
    if found is None:
        return []
    labels = found.facts.get("labels")
    if isinstance(labels, tuple):
        return list(labels[:1])
    below = found.facts.get("type")
    if not isinstance(below, str):
        return []
    own = [o.facts.get("definition") for o in catalog.objects.values() if o.part_of == found.identity]
    return candidates(catalog, below, [*checks, *(d for d in own if isinstance(d, str))])
