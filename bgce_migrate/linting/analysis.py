"""Everything that lint needs of one file's text: read once with one parse, or taken from the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.effect import Effect
from bgce_migrate.errors import Problem, SqlFileError, Where
from bgce_migrate.lint import facts as kinds
from bgce_migrate.lint.facts import Fact
from bgce_migrate.lint.ownership.values import Call, Inner, RowLock
from bgce_migrate.migration import (
    Direction,
    Directives,
    Finding,
    MigrationId,
    Mode,
    Script,
    SourceFile,
    Statement,
)

if TYPE_CHECKING:
    from bgce_migrate.sqlparse import Parsed, Positions, Spans

if TYPE_CHECKING:
    AnyFact = Fact
else:
    # A decoder must know every kind of fact; the kinds are what the package exports.
    AnyFact = Union[  # noqa: UP007
        tuple(
            kind
            for name in kinds.__all__
            if isinstance(kind := getattr(kinds, name), type)
            and issubclass(kind, Fact)
            and kind not in (Fact, kinds.TableFact)
        )
    ]


class Task(Struct, frozen=True, array_like=True):
    """A file to read. `declared` and `schema` decide what its text means."""

    source: SourceFile
    declared: bool
    direction: Direction
    schema: str
    migration: MigrationId


class Depths(Struct, frozen=True, array_like=True):
    """What only rules ask for; the order does without it."""

    facts: tuple[AnyFact, ...] = ()
    calls: tuple[Call, ...] = ()
    row_locks: tuple[RowLock, ...] = ()
    inner: tuple[Inner, ...] = ()


class Analysis(Struct, frozen=True, array_like=True):
    """What a text says, whatever its path. The fields of `Depths` are the last ones.

    Attributes:
        problems: what is refused before running; then the rest is what could still be read.
        broken: it is not SQL, so nothing else is known.
        statements: without their texts: line, column, offset, length, kind.
    """

    mode: Mode
    checksum: str = ""
    directives: Directives = Directives()
    effects: tuple[Effect, ...] = ()
    notes: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: bool = False
    statements: tuple[tuple[int, int, int, int, str, bool], ...] = ()
    facts: tuple[AnyFact, ...] = ()
    calls: tuple[Call, ...] = ()
    row_locks: tuple[RowLock, ...] = ()
    inner: tuple[Inner, ...] = ()

    def script(self, source: SourceFile) -> Script:
        """As the rest of the engine knows it; statements carry their texts again."""
        text = source.text
        statements = tuple(
            Statement(text[offset : offset + length], line, column, offset, kind, transactional)
            for line, column, offset, length, kind, transactional in self.statements
        )
        return Script(source, self.checksum, self.mode, self.directives, statements, self.effects, self.notes)


    def with_depths(self, depths: Depths) -> Analysis:
        """The whole."""
        return replace(
            self, facts=depths.facts, calls=depths.calls, row_locks=depths.row_locks, inner=depths.inner
        )


class Begun(Struct):
    """A file that is parsed, and read as far as the order asks for."""

    known: Analysis
    positions: Positions
    tokens: Spans
    parsed: tuple[Parsed, ...]

    def depths(self) -> Depths:
        """The rest of it."""
        from bgce_migrate.lint.facts.dispatch import from_parsed
        from bgce_migrate.linting.deep import look

        deep = look(self.positions.text, self.parsed, self.positions)
        facts = from_parsed(self.parsed, self.positions, self.tokens)
        return Depths(facts, tuple(deep.calls), tuple(deep.row_locks), tuple(deep.inner))


def analyse(task: Task) -> Analysis:
    """Read one file; whatever is wrong with it becomes `problems`."""
    begun = begin(task)
    return begun if isinstance(begun, Analysis) else begun.known.with_depths(begun.depths())


def begin(task: Task) -> Analysis | Begun:
    """Read one file as far as the order asks for; the whole analysis where there is nothing more to read."""
    from bgce_migrate.sqlfile.directives import read_header
    from bgce_migrate.sqlparse import Positions, SqlSyntaxError, parse, spans

    text = task.source.text
    positions = Positions(text)
    try:
        tokens = spans(positions.raw)
        parsed = parse(text, tokens, positions)
    except SqlSyntaxError:
        return _unparsed(task)
    script, problems = _script(task, positions, tokens, parsed)
    if script is None:
        # Refused everywhere: its statements can be judged, what they make is not known.
        header = read_header(task.source.path, text)
        script = Script(task.source, "", Mode.TRANSACTION, header.directives)
    return Begun(_analysis(script, problems), positions, tokens, parsed)


def _unparsed(task: Task) -> Analysis:
    """Opaque by its own word, or no SQL."""
    from bgce_migrate.sqlfile.script import read_script

    try:
        script = read_script(
            task.source, declared=task.declared, direction=task.direction, schema=task.schema, migration=task.migration
        )
    except SqlFileError as error:
        return Analysis(Mode.EMPTY, problems=_problems(error, task.source.path), broken=True)
    return _analysis(script, ())


def _script(
    task: Task, positions: Positions, tokens: Spans, parsed: tuple[Parsed, ...]
) -> tuple[Script | None, tuple[Problem, ...]]:
    """Strictly where the domain is declared; and what can still be read of what is refused."""
    from bgce_migrate.sqlfile.script import read_script

    problems: tuple[Problem, ...] = ()
    for declared in (task.declared, False):
        try:
            script = read_script(
                task.source,
                declared=declared,
                direction=task.direction,
                schema=task.schema,
                migration=task.migration,
                parsed=(positions, tokens, parsed),
            )
        except SqlFileError as error:
            problems = problems or _problems(error, task.source.path)
        else:
            return script, problems
    return None, problems


def _problems(error: SqlFileError, path: str) -> tuple[Problem, ...]:
    return error.problems or (Problem(error.message, error.where or Where(path), error.hint),)


def _analysis(script: Script, problems: tuple[Problem, ...]) -> Analysis:
    return Analysis(
        script.mode,
        script.checksum,
        script.directives,
        script.effects,
        script.notes,
        problems,
        False,
        tuple((s.line, s.column, s.offset, len(s.text), s.kind, s.transactional) for s in script.statements),
    )
