"""What a step takes away from programs that run: a step that takes nothing may stay when a deployment fails."""

from __future__ import annotations

from msgspec import Struct

from bgce_migrate.errors import SqlFileError
from bgce_migrate.lint import facts as f
from bgce_migrate.lint.facts.dispatch import read
from bgce_migrate.migration import Direction, MigrationId, Mode, SourceFile
from bgce_migrate.sqlfile import read_script

#: Name space, schema and name.
_Named = tuple[str, str, str]
_SPACES = {"function": "function", "procedure": "function", "aggregate": "function", "type": "type", "domain": "type"}

#: Nothing of this changes what a running program reads or may write.
_HARMLESS = (
    f.CreateTable, f.CreateSchema, f.Comment, f.ValidateConstraint, f.DropNotNull,
    f.SetVariable, f.Select, f.Transaction, f.LockTable, f.Vacuum, f.Cluster, f.Reindex, f.Refresh, f.AttachPartition,
)  # fmt: skip


class Old:
    """The database as programs of before the deployment know it: all but what the deployment has made."""

    def __init__(self) -> None:
        self.made: set[_Named] = set()

    def breaks(self, migration: MigrationId, text: str, *, declared: bool, schema: str) -> str | None:
        """What the up file `text` takes from them, in words; None: nothing, they go on working.

        To be called in order of application. What cannot be seen through counts as taking something.
        """
        source = SourceFile(f"history:{migration}.up.sql", text, "")
        try:
            script = read_script(source, declared=declared, direction=Direction.UP, schema=schema, migration=migration)
            if script.mode is Mode.OPAQUE:
                return "cannot be seen through"
            found = read(text)
        except SqlFileError as error:
            return f"cannot be read: {error.message}"
        taken = [what for fact in found if (what := self._takes(fact, schema))]
        phase = script.directives.phase
        if phase == "expand":
            return None
        return taken[0] if taken else "says phase contract" if phase == "contract" else None

    def _takes(self, fact: f.Fact, schema: str) -> str | None:
        if self._make(fact, schema) or isinstance(fact, _HARMLESS):
            return None
        if isinstance(fact, f.TableFact):
            fresh = self._fresh(fact.table, schema)
            if isinstance(fact, f.CreateIndex):
                self._keep("relation", (fact.table[0], fact.name), schema)
            return None if fresh else _of_table(fact)
        return self._of_objects(fact, schema)

    def _of_objects(self, fact: f.Fact, schema: str) -> str | None:
        if isinstance(fact, f.Grant):
            return "revokes rights" if fact.revoke else None
        if isinstance(fact, f.EnumValue):
            return f"renames the value {fact.old} of {fact.name[1]}" if fact.old else None
        if isinstance(fact, f.Extension):
            return None if fact.what == "create" else f"changes extension {fact.name}"
        if isinstance(fact, f.Do):
            return "runs a block that cannot be seen through" if fact.problem or fact.dynamic or fact.language != "plpgsql" else None
        if isinstance(fact, f.Drop | f.Truncate):
            names = fact.names if isinstance(fact, f.Drop) else fact.tables
            space = _SPACES.get(fact.kind, "relation") if isinstance(fact, f.Drop) else "relation"
            left = [name for name in names if not self._fresh(name, schema, space)]
            verb = f"drops {fact.part or fact.kind}" if isinstance(fact, f.Drop) else "empties table"
            return f"{verb} {left[0][1]}" if left else None
        name = getattr(fact, "name", None)
        if isinstance(name, tuple):
            return None if self._fresh(name, schema, _space(fact)) else f"{_WORDS.get(type(fact), 'changes')} {name[1]}"
        return "does what old programs may not live with"

    def _make(self, fact: f.Fact, schema: str) -> bool:
        """Whether it only makes something new, which is fresh from here on."""
        if getattr(fact, "replace", False) or getattr(fact, "alter", False):
            return False
        if isinstance(fact, f.CreateTable | f.CreateView):
            space, name = "relation", fact.table
        elif isinstance(fact, f.Sequence):
            space, name = "relation", fact.name
        elif isinstance(fact, f.CreateFunction):
            space, name = "function", fact.name
        elif isinstance(fact, f.CreateEnum | f.CreateDomain | f.CreateType):
            space, name = "type", fact.name
        else:
            return False
        # With IF NOT EXISTS it may have been there before.
        if not getattr(fact, "if_not_exists", False):
            self._keep(space, name, schema)
        return True

    def _keep(self, space: str, name: f.Ref, schema: str) -> None:
        self.made.add((space, name[0] or schema, name[1]))

    def _fresh(self, name: f.Ref, schema: str, space: str = "relation") -> bool:
        return (space, name[0] or schema, name[1]) in self.made


def _space(fact: f.Fact) -> str:
    if isinstance(fact, f.CreateFunction | f.AlterFunction):
        return "function"
    if isinstance(fact, f.AlterDomain):
        return "type"
    return _SPACES.get(getattr(fact, "kind", ""), "relation")


class _Said(Struct, frozen=True):
    """A verb for a kind of change of a table that running programs know."""

    kind: type[f.Fact]
    words: str


_TABLE = (
    _Said(f.DropColumn, "drops a column of"),
    _Said(f.AlterColumnType, "changes a type of"),
    _Said(f.SetNotNull, "makes a column mandatory in"),
    _Said(f.AddConstraint, "adds a constraint to"),
    _Said(f.DropConstraint, "drops a constraint of"),
    _Said(f.CreateTrigger, "adds a trigger to"),
    _Said(f.CreateRule, "adds a rule to"),
    _Said(f.Policy, "adds a policy to"),
    _Said(f.DetachPartition, "takes a partition from"),
    _Said(f.CreateView, "replaces view"),
)
_WORDS: dict[type[f.Fact], str] = {f.Rename: "renames", f.CreateFunction: "replaces function", f.SetSchema: "moves"}


def _of_table(fact: f.TableFact) -> str | None:
    if isinstance(fact, f.AddColumn):
        return _of_new_column(fact.column, fact.table[1])
    if isinstance(fact, f.CreateIndex):
        return f"makes unique what need not be so in {fact.table[1]}" if fact.unique else None
    if isinstance(fact, f.Dml):
        return None if fact.kind in ("insert", "update", "copy") else f"removes rows of {fact.table[1]}"
    if isinstance(fact, f.ColumnDefault):
        return None if fact.default != "none" else f"drops a default of {fact.table[1]}"
    if isinstance(fact, f.ColumnChange) and fact.what in ("storage", "compression", "statistics", "options"):
        return None
    words = next((said.words for said in _TABLE if isinstance(fact, said.kind)), "changes")
    return f"{words} {fact.table[1]}"


def _of_new_column(column: f.Column, table: str) -> str | None:
    filled = column.default not in ("none", "null") or bool(column.identity) or bool(column.generated)
    if column.not_null and not filled:
        return f"adds a mandatory column {column.name} to {table}"
    if column.default not in ("none", "null", "sequence") and any(c.kind in ("unique", "primary") for c in column.constraints):
        return f"adds a unique column {column.name} with one default to {table}"
    return None
