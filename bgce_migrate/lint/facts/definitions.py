"""Types, columns, constraints and partition bounds, as CREATE TABLE and ALTER TABLE share them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from bgce_migrate.lint.facts.expressions import columns_of, conjuncts, constant, default_of
from bgce_migrate.lint.facts.reader import Reader, reference, relation, strings
from bgce_migrate.lint.facts.values import Bound, Column, Constraint, ForeignKey, Ref, Type
from bgce_migrate.sqlparse import pb

_SERIALS = {
    "serial": "int4",
    "serial4": "int4",
    "bigserial": "int8",
    "serial8": "int8",
    "smallserial": "int2",
    "serial2": "int2",
}
_ACTIONS = {"a": "", "": "", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_STRATEGIES = {
    pb.PARTITION_STRATEGY_LIST: "list",
    pb.PARTITION_STRATEGY_RANGE: "range",
    pb.PARTITION_STRATEGY_HASH: "hash",
}
_KINDS = {
    pb.CONSTR_CHECK: "check",
    pb.CONSTR_FOREIGN: "foreign",
    pb.CONSTR_UNIQUE: "unique",
    pb.CONSTR_PRIMARY: "primary",
    pb.CONSTR_EXCLUSION: "exclude",
    pb.CONSTR_NOTNULL: "not_null",
}
_PLAIN_NOT_NULL = pb.CONSTR_NOTNULL
_NOT_NULL = frozenset({pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY})
_DEFAULT = pb.CONSTR_DEFAULT
#: Words after an inline constraint are nodes of their own.
_ATTRIBUTES: dict[int, dict[str, bool]] = {
    pb.CONSTR_ATTR_DEFERRABLE: {"deferrable": True},
    pb.CONSTR_ATTR_DEFERRED: {"deferrable": True, "deferred": True},
    pb.CONSTR_ATTR_NOT_ENFORCED: {"enforced": False},
}


def type_of(type_name: Any) -> Type:
    """A TypeName message."""
    names = strings(type_name.names)
    schema, name = reference(names) if names else (None, "")
    mods: tuple[int, ...] = ()
    if typmods := type_name.typmods:
        mods = tuple([n.a_const.ival.ival for n in typmods[:] if n.WhichOneof("node") == "a_const"])
    if name == "interval" and mods:
        mods = mods[1:]  # the first is a mask of fields
    array = bool(type_name.array_bounds)
    if schema is None and name in _SERIALS:
        return Type(_SERIALS[name], serial=True)
    return Type(name, None if schema == "pg_catalog" else schema, mods, array)


def type_ref(kind: Type) -> Ref:
    """Schema and name of a type."""
    return (kind.schema, kind.name)


def column(reader: Reader, node: Any) -> Column:
    """A ColumnDef message."""
    type_name = node.type_name
    kind = type_of(type_name)
    not_null, default, function = kind.serial, "sequence" if kind.serial else "none", None
    identity = generated = ""
    constraints: list[Constraint] = []
    given = node.constraints
    for item in given[:] if given else ():
        part = item.constraint
        what = part.contype
        if what in _KINDS:
            not_null = not_null or what in _NOT_NULL
            if what != _PLAIN_NOT_NULL:
                constraints.append(constraint(reader, part, node.colname))
        elif what in _ATTRIBUTES and constraints:
            constraints[-1] = msgspec.structs.replace(constraints[-1], **_ATTRIBUTES[what])
        elif what == _DEFAULT:
            default, function = default_of(part.raw_expr)
        elif what == pb.CONSTR_IDENTITY:
            identity, not_null = ("always" if part.generated_when == "a" else "by default"), True
        elif what == pb.CONSTR_GENERATED:
            generated = "virtual" if part.generated_kind == "v" else "stored"
    location = node.location
    return Column(
        node.colname,
        kind,
        not_null,
        default,
        function,
        identity,
        generated,
        strings(node.coll_clause.collname)[-1] if node.HasField("coll_clause") else "",
        tuple(constraints),
        reader.line_at(location),
        reader.char(location),
        reader.char(type_name.location),
    )


def constraint(reader: Reader, node: Any, column_name: str = "") -> Constraint:
    """A Constraint message; of a column if its name is given."""
    kind = _KINDS.get(node.contype, "")
    columns: Iterable[str] = [column_name] if column_name else strings(node.keys)
    references = None
    not_nulls: tuple[str, ...] = ()
    terms: tuple[tuple[str, str, str], ...] = ()
    if kind == "foreign":
        columns = [column_name] if column_name else strings(node.fk_attrs)
        references = ForeignKey(
            relation(node.pktable),
            tuple(strings(node.pk_attrs)),
            _ACTIONS.get(node.fk_del_action, ""),
            _ACTIONS.get(node.fk_upd_action, ""),
        )
    elif kind == "check":
        columns = columns_of(node.raw_expr)
        not_nulls, terms = conjuncts(node.raw_expr)
    elif kind == "exclude":
        columns = [pair.list.items[0].index_elem.name for pair in node.exclusions]
    return Constraint(
        kind,
        node.conname,
        tuple(columns),
        not node.skip_validation,
        node.is_enforced or kind not in ("check", "foreign"),
        node.indexname,
        references,
        not_nulls,
        terms,
        node.deferrable,
        node.initdeferred,
        reader.char(node.location),
    )


def bound(node: Any) -> Bound:
    """A PartitionBoundSpec message."""
    if node.is_default:
        return Bound("default")
    if node.strategy == "l":
        return Bound("list", tuple(_datum(item) for item in node.listdatums))
    if node.strategy == "r":
        lower = tuple(_datum(item) for item in node.lowerdatums)
        return Bound("range", (), lower, tuple(_datum(item) for item in node.upperdatums))
    return Bound("hash", (str(node.modulus), str(node.remainder)))


def _datum(node: Any) -> str:
    if node.WhichOneof("node") == "column_ref":  # MINVALUE, MAXVALUE
        return str(node.column_ref.fields[0].string.sval).upper()
    return constant(node) or "?"


def partition_by(node: Any) -> tuple[str, tuple[str, ...]]:
    """Strategy and key columns of a PartitionSpec message."""
    keys = tuple(item.partition_elem.name for item in node.part_params)
    return _STRATEGIES.get(node.strategy, "list"), keys
