"""INSERTs that a column without a default refuses once rows come: preparing alone does not tell that."""

from __future__ import annotations

from collections.abc import Mapping

from bgce_migrate import sqlparse
from bgce_migrate.clients.model import Sent
from bgce_migrate.fingerprint.model import Catalog, quoted


def required(catalog: Catalog) -> Mapping[str, frozenset[str]]:
    """By table as it is shown: the columns for which every INSERT must have a value."""
    out: dict[str, set[str]] = {}
    for item in catalog.objects.values():
        if item.kind == "column" and item.facts.get("not null") and not {"default", "identity", "generated"} & item.facts.keys():
            table = item.part_of.partition(" ")[2]
            out.setdefault(table, set()).add(item.name[len(table) + 1 :])
    return {table: frozenset(columns) for table, columns in out.items()}


def target_of(sent: Sent) -> tuple[str, str, frozenset[str]] | None:
    """(schema or "", table, columns) of an INSERT that names its columns; None for everything else."""
    if "insert" not in sent.text.lower():
        return None
    try:
        nodes = sqlparse.parse_nodes(sent.text)
    except (sqlparse.SqlSyntaxError, ValueError):
        return None
    if len(nodes) != 1 or nodes[0][0] != "InsertStmt":
        return None
    node = nodes[0][1]
    columns = frozenset(quoted(c.res_target.name) for c in node.cols)
    return (node.relation.schemaname, node.relation.relname, columns) if columns else None


def lacking(sent: Sent, schema: str, needs: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The columns, as they are shown, that an INSERT would have to name and does not.

    Args:
        schema: where names without one are looked for first; then public.
    """
    target = target_of(sent)
    if target is None:
        return frozenset()
    said, table, columns = target
    for place in [said] if said else [schema, "public"]:
        shown = f"{quoted(place)}.{quoted(table)}"
        if shown in needs:
            return frozenset(f"{shown}.{c}" for c in needs[shown] - columns)
    return frozenset()
