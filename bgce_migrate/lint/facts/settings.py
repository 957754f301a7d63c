"""Facts of rights, roles, settings, maintenance and transaction control."""

from __future__ import annotations

from typing import Any

from bgce_migrate.lint.facts import sessions as s
from bgce_migrate.lint.facts.expressions import constant
from bgce_migrate.lint.facts.names import KINDS, object_ref
from bgce_migrate.lint.facts.objects import Refresh
from bgce_migrate.lint.facts.reader import Reader, is_on, options, relation, strings
from bgce_migrate.lint.facts.tables import LockTable, Truncate
from bgce_migrate.lint.facts.values import Ref
from bgce_migrate.sqlparse import pb

_SECRETS = frozenset({"password", "passfile", "sslpassword", "secret", "token"})
_WORDS = {
    pb.TRANS_STMT_BEGIN: "begin",
    pb.TRANS_STMT_START: "begin",
    pb.TRANS_STMT_COMMIT: "commit",
    pb.TRANS_STMT_ROLLBACK: "rollback",
    pb.TRANS_STMT_SAVEPOINT: "savepoint",
    pb.TRANS_STMT_RELEASE: "release",
    pb.TRANS_STMT_ROLLBACK_TO: "rollback to",
    pb.TRANS_STMT_PREPARE: "prepare transaction",
}
_REINDEX = {
    pb.REINDEX_OBJECT_INDEX: "index",
    pb.REINDEX_OBJECT_TABLE: "table",
    pb.REINDEX_OBJECT_SCHEMA: "schema",
    pb.REINDEX_OBJECT_SYSTEM: "system",
    pb.REINDEX_OBJECT_DATABASE: "database",
}
_SCOPES = {pb.ACL_TARGET_ALL_IN_SCHEMA: "all in schema", pb.ACL_TARGET_DEFAULTS: "defaults"}


def role_name(spec: Any) -> str:
    """A RoleSpec in words: the role, `public`, `current_user` ..."""
    if spec.rolename:
        return str(spec.rolename)
    names = {pb.ROLESPEC_PUBLIC: "public", pb.ROLESPEC_SESSION_USER: "session_user"}
    return names.get(spec.roletype, "current_user")


def grant(reader: Reader, node: Any) -> None:
    """GRANT and REVOKE on objects."""
    privileges, columns = [], []
    for item in node.privileges:
        privileges.append(item.access_priv.priv_name.lower())
        columns.extend(strings(item.access_priv.cols))
    reader.add(
        s.Grant(
            reader.place(),
            KINDS.get(node.objtype, "object"),
            tuple(object_ref(item) for item in node.objects),
            tuple(privileges),
            tuple(columns),
            tuple(role_name(item.role_spec) for item in node.grantees),
            not node.is_grant,
            node.grant_option,
            _SCOPES.get(node.targtype, "objects"),
        )
    )


def default_privileges(reader: Reader, node: Any) -> None:
    """ALTER DEFAULT PRIVILEGES."""
    action = node.action
    reader.add(
        s.Grant(
            reader.place(),
            KINDS.get(action.objtype, "object"),
            (),
            tuple(item.access_priv.priv_name.lower() for item in action.privileges),
            (),
            tuple(role_name(item.role_spec) for item in action.grantees),
            not action.is_grant,
            action.grant_option,
            "defaults",
        )
    )


def create_role(reader: Reader, node: Any) -> None:
    """CREATE ROLE."""
    _role(reader, "create", (node.role,), node.options)


def alter_role(reader: Reader, node: Any) -> None:
    """ALTER ROLE."""
    _role(reader, "alter", (role_name(node.role),), node.options)


def _role(reader: Reader, what: str, names: tuple[str, ...], nodes: Any) -> None:
    said = options(nodes)
    password = "password" in said and bool(said["password"].arg.string.sval)
    words = tuple(name for name, option in said.items() if name == "password" or is_on(option))
    reader.add(s.Role(reader.place(), what, names, words, password))


def drop_role(reader: Reader, node: Any) -> None:
    """DROP ROLE."""
    reader.add(s.Role(reader.place(), "drop", tuple(role_name(item.role_spec) for item in node.roles)))


def grant_role(reader: Reader, node: Any) -> None:
    """GRANT role TO role."""
    names = tuple(item.access_priv.priv_name for item in node.granted_roles)
    to = tuple(role_name(item.role_spec) for item in node.grantee_roles)
    reader.add(s.Role(reader.place(), "grant" if node.is_grant else "revoke", names, to))


def owned(reader: Reader, node: Any) -> None:
    """REASSIGN OWNED and DROP OWNED."""
    what = "reassign owned" if node.DESCRIPTOR.name.startswith("Reassign") else "drop owned"
    reader.add(s.Role(reader.place(), what, tuple(role_name(item.role_spec) for item in node.roles)))


def role_set(reader: Reader, node: Any) -> None:
    """ALTER ROLE ... SET and ALTER DATABASE ... SET."""
    name = node.dbname if node.DESCRIPTOR.name.startswith("AlterDatabase") else role_name(node.role)
    what = "alter database" if node.DESCRIPTOR.name.startswith("AlterDatabase") else "alter role set"
    reader.add(s.ServerWide(reader.place(), what, name))


def with_secret(reader: Reader, node: Any) -> None:
    """CREATE and ALTER of USER MAPPING, SERVER and SUBSCRIPTION."""
    name = node.DESCRIPTOR.name
    kind = "user mapping" if "UserMapping" in name else "subscription" if "Subscription" in name else "server"
    secret = any(
        bool(option.arg.string.sval) for key, option in options(node.options).items() if key in _SECRETS
    )
    if kind == "subscription":
        secret = "password=" in node.conninfo.replace(" ", "") or (
            "://" in node.conninfo and "@" in node.conninfo
        )
    label = {"user mapping": "servername", "subscription": "subname", "server": "servername"}[kind]
    reader.add(s.Secret(reader.place(), kind, getattr(node, label), secret))


def values_of(node: Any) -> tuple[str, ...]:
    """The values of SET as texts."""
    return tuple(constant(item) or "" for item in node.args)


def set_variable(reader: Reader, node: Any) -> None:
    """SET and RESET."""
    reset = node.kind in (pb.VAR_RESET, pb.VAR_RESET_ALL, pb.VAR_SET_DEFAULT)
    name = "all" if node.kind == pb.VAR_RESET_ALL else node.name.lower()
    reader.add(s.SetVariable(reader.place(), name, values_of(node), node.is_local, reset))


def transaction(reader: Reader, node: Any) -> None:
    """BEGIN, COMMIT and the like."""
    reader.add(s.Transaction(reader.place(), _WORDS.get(node.kind, "transaction")))


def lock(reader: Reader, node: Any) -> None:
    """LOCK TABLE."""
    tables = tuple(relation(item.range_var) for item in node.relations)
    reader.add(LockTable(reader.place(node.relations[0].range_var.location), tables, node.mode, node.nowait))


def truncate(reader: Reader, node: Any) -> None:
    """TRUNCATE."""
    tables = tuple(relation(item.range_var) for item in node.relations)
    place = reader.place(node.relations[0].range_var.location)
    reader.add(Truncate(place, tables, node.behavior == pb.DROP_CASCADE))


def vacuum(reader: Reader, node: Any) -> None:
    """VACUUM and ANALYZE."""
    tables: tuple[Ref, ...] = tuple(relation(item.vacuum_relation.relation) for item in node.rels)
    full = is_on(options(node.options).get("full"))
    reader.add(s.Vacuum(reader.place(), tables, full, not node.is_vacuumcmd))


def cluster(reader: Reader, node: Any) -> None:
    """CLUSTER."""
    reader.add(s.Cluster(reader.place(), relation(node.relation) if node.HasField("relation") else None))


def reindex(reader: Reader, node: Any) -> None:
    """REINDEX."""
    ref = relation(node.relation) if node.HasField("relation") else (None, node.name)
    kind = _REINDEX.get(node.kind, "index")
    concurrently = is_on(options(node.params).get("concurrently"))
    reader.add(s.Reindex(reader.place(word=ref[1]), kind, ref, concurrently))


def refresh(reader: Reader, node: Any) -> None:
    """REFRESH MATERIALIZED VIEW."""
    place = reader.place(node.relation.location)
    reader.add(Refresh(place, relation(node.relation), node.concurrent, node.skip_data))


def discard(reader: Reader, node: Any) -> None:
    """DISCARD."""
    words = {pb.DISCARD_ALL: "all", pb.DISCARD_PLANS: "plans", pb.DISCARD_SEQUENCES: "sequences"}
    reader.add(s.Discard(reader.place(), words.get(node.target, "temp")))


def server_wide(what: str, field: str) -> Any:
    """A reader for a statement that reaches past the database's objects."""

    def read(reader: Reader, node: Any) -> None:
        reader.add(s.ServerWide(reader.place(), what, getattr(node, field) if field else ""))

    return read


def nested(reader: Reader, node: Any) -> None:
    """PREPARE, EXPLAIN and DECLARE: the statement inside."""
    from bgce_migrate.lint.facts.dispatch import read_node

    read_node(reader, *_inner(node.query))


def _inner(node: Any) -> tuple[str, Any]:
    from bgce_migrate.sqlparse import node_kind

    return node_kind(node)


def constraints_set(reader: Reader, node: Any) -> None:
    """SET CONSTRAINTS."""
    names = tuple(item.range_var.relname for item in node.constraints)
    reader.add(s.SetVariable(reader.place(), "constraints", names))
