"""The names the server chooses for constraints and indexes without one."""

from __future__ import annotations

from collections.abc import Container, Sequence

NAME_BYTES = 63
_LABELS = {
    "check": "check",
    "foreign": "fkey",
    "unique": "key",
    "primary": "pkey",
    "exclude": "excl",
    "not_null": "not_null",
}


def object_name(table: str, part: str, label: str) -> str:
    """`table_part_label`, shortened to 63 bytes as the server does: the longer name gives first."""
    first, second = table.encode(), part.encode()
    room = NAME_BYTES - len(label) - 1 - (1 if part else 0)
    while len(first) + len(second) > room:
        if len(first) > len(second):
            first = first[:-1]
        else:
            second = second[:-1]
    parts = (first.decode(errors="ignore"), second.decode(errors="ignore"), label)
    return "_".join(part for part in parts if part)


def free_name(table: str, part: str, label: str, taken: Container[str]) -> str:
    """The first of `label`, `label1`, `label2` ... whose name is free."""
    name, number = object_name(table, part, label), 0
    while name in taken:
        number += 1
        name = object_name(table, part, f"{label}{number}")
    return name


def constraint_name(table: str, kind: str, columns: Sequence[str], taken: Container[str]) -> str:
    """The name of a constraint without one."""
    label = _LABELS.get(kind, kind)
    if kind == "primary" or (kind == "check" and len(columns) != 1):
        return free_name(table, "", label, taken)
    return free_name(table, _joined(columns), label, taken)


def index_name(table: str, columns: Sequence[str], taken: Container[str]) -> str:
    """The name of an index without one; expressions are called `expr`, `expr1` ..."""
    names: list[str] = []
    for column in columns:
        base = name = column or "expr"
        number = 0
        while name in names:
            number += 1
            name = f"{base}{number}"
        names.append(name)
    return free_name(table, _joined(names), "idx", taken)


def _joined(columns: Sequence[str]) -> str:
    text = "_".join(columns)
    return text.encode()[:NAME_BYTES].decode(errors="ignore")
