"""Facts of DROP, and of making types, functions, triggers, sequences and other objects."""

from __future__ import annotations

from typing import Any

from bgce_migrate.lint.facts import objects as o
from bgce_migrate.lint.facts.definitions import type_of
from bgce_migrate.lint.facts.names import KINDS, object_ref, part_ref
from bgce_migrate.lint.facts.reader import Reader, options, reference, relation, strings
from bgce_migrate.lint.facts.sessions import ServerWide
from bgce_migrate.lint.facts.values import Ref
from bgce_migrate.sqlparse import pb

_PARTS = frozenset({"trigger", "policy", "rule"})
_DOMAIN_CHANGES = {
    "T": "default",
    "N": "drop not null",
    "O": "set not null",
    "C": "add",
    "X": "drop",
    "V": "validate",
}


def drop(reader: Reader, node: Any) -> None:
    """DROP of anything but roles, databases and their like."""
    kind = KINDS.get(node.remove_type, "object")
    part = ""
    names: list[Ref] = []
    for item in node.objects:
        if kind in _PARTS:
            ref, part = part_ref(item)
        else:
            ref = object_ref(item)
        names.append(ref)
    place = reader.place(word=part or (names[0][1] if names else ""))
    cascade = node.behavior == pb.DROP_CASCADE
    reader.add(o.Drop(place, kind, tuple(names), part, node.missing_ok, cascade, node.concurrent))


def create_enum(reader: Reader, node: Any) -> None:
    """CREATE TYPE ... AS ENUM."""
    ref = reference(strings(node.type_name))
    reader.add(o.CreateEnum(reader.place(word=ref[1]), ref, tuple(strings(node.vals))))


def alter_enum(reader: Reader, node: Any) -> None:
    """ALTER TYPE ... ADD VALUE or RENAME VALUE."""
    ref = reference(strings(node.type_name))
    placed = bool(node.new_val_neighbor)
    place = reader.place(word=ref[1])
    reader.add(o.EnumValue(place, ref, node.new_val, node.old_val, placed, node.skip_if_new_val_exists))


def create_domain(reader: Reader, node: Any) -> None:
    """CREATE DOMAIN."""
    ref = reference(strings(node.domainname))
    hard = (pb.CONSTR_CHECK, pb.CONSTR_NOTNULL)
    constrained = any(item.constraint.contype in hard for item in node.constraints)
    reader.add(o.CreateDomain(reader.place(word=ref[1]), ref, type_of(node.type_name), constrained))


def alter_domain(reader: Reader, node: Any) -> None:
    """ALTER DOMAIN."""
    ref = reference(strings(node.type_name))
    rule = getattr(node, "def").constraint
    valid = not rule.skip_validation
    name = node.name or rule.conname
    what = _DOMAIN_CHANGES.get(node.subtype, "default")
    reader.add(o.AlterDomain(reader.place(word=ref[1]), ref, what, valid, name))


def create_composite(reader: Reader, node: Any) -> None:
    """CREATE TYPE ... AS (...)."""
    reader.add(o.CreateType(reader.place(node.typevar.location), relation(node.typevar)))


def create_range(reader: Reader, node: Any) -> None:
    """CREATE TYPE ... AS RANGE."""
    ref = reference(strings(node.type_name))
    reader.add(o.CreateType(reader.place(word=ref[1]), ref, "range"))


def define(reader: Reader, node: Any) -> None:
    """CREATE TYPE, AGGREGATE, OPERATOR and other definitions by DefElem lists."""
    ref = reference(strings(node.defnames))
    kind = KINDS.get(node.kind, "object")
    reader.add(o.CreateType(reader.place(word=ref[1]), ref, "base" if kind == "type" else kind))


def config_of(nodes: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The SET clauses of a function."""
    from bgce_migrate.lint.facts.settings import values_of

    found = []
    for item in nodes:
        if item.def_elem.defname == "set":
            setting = item.def_elem.arg.variable_set_stmt
            found.append((setting.name.lower(), values_of(setting)))
    return tuple(found)


def create_function(reader: Reader, node: Any) -> None:
    """CREATE FUNCTION and PROCEDURE."""
    ref = reference(strings(node.funcname))
    said = options(node.options)
    outside = (pb.FUNC_PARAM_OUT, pb.FUNC_PARAM_TABLE)
    inputs = [p.function_parameter for p in node.parameters if p.function_parameter.mode not in outside]
    reader.add(
        o.CreateFunction(
            reader.place(word=ref[1]),
            ref,
            said["language"].arg.string.sval.lower() if "language" in said else "sql",
            node.replace,
            node.is_procedure,
            said["volatility"].arg.string.sval if "volatility" in said else "volatile",
            "security" in said and bool(said["security"].arg.boolean.boolval),
            config_of(node.options),
            tuple(str(type_of(p.arg_type)) for p in inputs),
            sum(p.HasField("defexpr") for p in inputs),
            str(type_of(node.return_type)) if node.HasField("return_type") else "",
        )
    )


def alter_function(reader: Reader, node: Any) -> None:
    """ALTER FUNCTION."""
    ref = reference(strings(node.func.objname))
    said = options(node.actions)
    reader.add(
        o.AlterFunction(
            reader.place(word=ref[1]),
            ref,
            said["volatility"].arg.string.sval if "volatility" in said else "",
            bool(said["security"].arg.boolean.boolval) if "security" in said else None,
            config_of(node.actions),
        )
    )


def create_trigger(reader: Reader, node: Any) -> None:
    """CREATE TRIGGER."""
    function = reference(strings(node.funcname))
    place = reader.place(node.relation.location)
    ref = relation(node.relation)
    reader.add(o.CreateTrigger(place, ref, node.trigname, function, node.replace, node.isconstraint))


def create_policy(reader: Reader, node: Any) -> None:
    """CREATE POLICY."""
    reader.add(o.Policy(reader.place(node.table.location), relation(node.table), node.policy_name))


def alter_policy(reader: Reader, node: Any) -> None:
    """ALTER POLICY."""
    reader.add(o.Policy(reader.place(node.table.location), relation(node.table), node.policy_name, True))


def create_rule(reader: Reader, node: Any) -> None:
    """CREATE RULE."""
    place = reader.place(node.relation.location)
    reader.add(o.CreateRule(place, relation(node.relation), node.rulename, node.replace))


def create_sequence(reader: Reader, node: Any) -> None:
    """CREATE SEQUENCE."""
    place = reader.place(node.sequence.location)
    owned = _owned_by(node.options)
    reader.add(o.Sequence(place, relation(node.sequence), False, owned, node.if_not_exists))


def alter_sequence(reader: Reader, node: Any) -> None:
    """ALTER SEQUENCE."""
    place = reader.place(node.sequence.location)
    reader.add(o.Sequence(place, relation(node.sequence), True, _owned_by(node.options)))


def _owned_by(nodes: Any) -> tuple[Ref, str] | None:
    option = options(nodes).get("owned_by")
    names = strings(option.arg.list.items) if option is not None else []
    return (reference(names[:-1]), names[-1]) if len(names) > 1 else None


def create_extension(reader: Reader, node: Any) -> None:
    """CREATE EXTENSION."""
    reader.add(o.Extension(reader.place(word=node.extname), node.extname, "create", node.if_not_exists))


def alter_extension(reader: Reader, node: Any) -> None:
    """ALTER EXTENSION."""
    reader.add(o.Extension(reader.place(word=node.extname), node.extname, "update"))


def create_schema(reader: Reader, node: Any) -> None:
    """CREATE SCHEMA."""
    reader.add(o.CreateSchema(reader.place(word=node.schemaname), node.schemaname, node.if_not_exists))


def publication(reader: Reader, node: Any) -> None:
    """CREATE and ALTER PUBLICATION."""
    tables = []
    for item in node.pubobjects:
        table = item.publication_obj_spec.pubtable
        if table.HasField("relation"):
            tables.append((relation(table.relation), tuple(strings(table.columns))))
    actions = {pb.AP_AddObjects: "add", pb.AP_DropObjects: "drop", pb.AP_SetObjects: "set"}
    what = actions.get(node.action, "set") if node.DESCRIPTOR.name.startswith("Alter") else "create"
    place = reader.place(word=node.pubname)
    reader.add(o.Publication(place, node.pubname, what, node.for_all_tables, tuple(tables)))


def comment(reader: Reader, node: Any) -> None:
    """COMMENT ON and SECURITY LABEL."""
    kind = KINDS.get(node.objtype, "object")
    in_table = kind in ("column", "constraint", "trigger", "policy", "rule")
    ref = (
        part_ref(node.object)[0]
        if in_table and node.object.WhichOneof("node") == "list"
        else object_ref(node.object)
    )
    reader.add(o.Comment(reader.place(), kind, ref))


def event_trigger(reader: Reader, node: Any) -> None:
    """CREATE EVENT TRIGGER."""
    reader.add(ServerWide(reader.place(), "event trigger", node.trigname))
