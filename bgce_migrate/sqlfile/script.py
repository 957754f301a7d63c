"""A file's text to a Script: statements, mode, effects, notes, or every mistake at once."""

from __future__ import annotations

from array import array

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.effect import Action, Effect, Name, ObjectKind
from bgce_migrate.errors import Problem, SqlFileError, Where
from bgce_migrate.migration import (
    Direction,
    Finding,
    MigrationId,
    Mode,
    Script,
    Severity,
    SourceFile,
    Statement,
)
from bgce_migrate.sqlfile import control, kinds
from bgce_migrate.sqlfile.client import client_problems, syntax_hint
from bgce_migrate.sqlfile.digest import of_opaque, of_tokens
from bgce_migrate.sqlfile.directives import Header, misplaced, read_header
from bgce_migrate.sqlfile.effects.dispatch import read_statement
from bgce_migrate.sqlfile.effects.reading import Reading
from bgce_migrate.sqlparse import Parsed, Positions, Spans, SqlSyntaxError, pairs, parse, spans


class _File(Struct):
    """What is known of a file while it is read."""

    source: SourceFile
    declared: bool
    schema: str
    header: Header
    positions: Positions
    tokens: Spans
    domain: str | None

    def where(self, offset: int) -> Where:
        line, column = self.positions.line_column_of_char(offset)
        return Where(self.source.path, line, column)

    def note(self, rule: str, message: str, line: int, severity: Severity = Severity.NOTE) -> Finding:
        return Finding(rule, severity, message, Where(self.source.path, line), domain=self.domain)


def read_script(
    source: SourceFile,
    *,
    declared: bool,
    direction: Direction,
    schema: str = "public",
    migration: MigrationId | None = None,
    parsed: tuple[Positions, Spans, tuple[Parsed, ...]] | None = None,
) -> Script:
    """See `bgce_migrate.sqlfile.read_script`; `parsed` is the text as another reader has parsed it already."""
    header = read_header(source.path, source.text)
    positions = parsed[0] if parsed is not None else Positions(source.text)
    file = _File(
        source, declared, schema, header, positions, array("I"), migration.domain if migration else None
    )
    if header.directives.opaque is not None:
        _refuse(source, header.problems)
        return _opaque(file, direction)
    try:
        if parsed is None:
            tokens = spans(positions.raw)
            parsed = (positions, tokens, parse(source.text, tokens, positions))
    except SqlSyntaxError as error:
        raise _syntax_error(file, error) from None
    _, file.tokens, found = parsed
    problems = list(header.problems)
    problems += misplaced(source.path, source.text, header.end, lambda: _comments(file))
    problems += _done_when(file)
    if not found:
        _refuse(source, problems)
        return _empty(file, direction)
    return _script(file, found, problems)


def _script(file: _File, parsed: tuple[Parsed, ...], problems: list[Problem]) -> Script:
    envelope = control.unwrap(parsed, strict=file.declared)
    kept = envelope.statements
    reading = Reading(file.schema, file.positions)
    statements: list[Statement] = []
    for index, found in enumerate(kept):
        statement = _statement(file, found)
        reading.begin(index, statement.line, statement.column)
        try:
            read_statement(reading, found.kind, found.node)
        except RecursionError:
            reading.opaque("nested too deeply to be read")
        if reading.uncontrolled:
            statement = replace(statement, transactional=False)
        statements.append(statement)
    problems += _faults(file, reading)
    problems += control.problems(envelope, strict=file.declared, where=file.where)
    if file.declared:
        problems += _if_not_exists(file, kept, statements)
    _refuse(file.source, problems)
    apart = envelope.journal or any(not s.transactional for s in statements)
    journal = apart or file.header.directives.no_transaction
    return Script(
        file.source,
        of_tokens(file.header, file.positions.raw, file.tokens),
        Mode.JOURNAL if journal else Mode.TRANSACTION,
        file.header.directives,
        tuple(statements),
        tuple(reading.effects),
        _notes(file, statements, envelope.open_end),
    )


def _statement(file: _File, found: Parsed) -> Statement:
    line, column = file.positions.line_column(found.start)
    return Statement(
        text=file.source.text[found.offset : found.offset + found.length],
        line=line,
        column=column,
        offset=found.offset,
        kind=found.kind,
        transactional=kinds.is_transactional(found.kind, found.node),
        control=control.role_of(found),
        tag=kinds.tag_of(found.kind, found.node),
    )


def _faults(file: _File, reading: Reading) -> list[Problem]:
    return [
        Problem(
            fault.message, Where(file.source.path, fault.line, fault.column), control.HINTS.get(fault.kind)
        )
        for fault in reading.faults
        if file.declared or not fault.strict_only
    ]


def _if_not_exists(file: _File, kept: tuple[Parsed, ...], statements: list[Statement]) -> list[Problem]:
    return [
        Problem(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS keeps an invalid index that a failed build left",
            Where(file.source.path, statement.line, statement.column),
            "leave IF NOT EXISTS out: the engine makes re-runs safe",
        )
        for found, statement in zip(kept, statements, strict=True)
        if statement.tag == "create_index_concurrently" and found.node.if_not_exists
    ]


def _notes(file: _File, statements: list[Statement], open_end: bool) -> tuple[Finding, ...]:
    notes = [
        file.note("role-change", "changes roles or their settings, which the history cannot undo", s.line)
        for s in statements
        if kinds.changes_roles(s.kind)
    ]
    apart = [s for s in statements if not s.transactional]
    others = [s for s in statements if s.transactional and s.kind != "VariableSetStmt" and not s.control]
    if apart and others:
        notes.append(
            file.note(
                "mixed-transaction",
                "this statement cannot run in a transaction, others can: keep it in a file of its own",
                apart[0].line,
                Severity.WARNING,
            )
        )
    if open_end:
        notes.append(
            file.note("open-transaction", "BEGIN without COMMIT: the file runs as one transaction", 1)
        )
    return tuple(notes)


def _opaque(file: _File, direction: Direction) -> Script:
    text = file.source.text[file.header.end :].rstrip()
    if not text:
        return _empty(file, direction)
    line, column = file.positions.line_column_of_char(file.header.end)
    if file.declared and (word := control.switching_word(text)):
        raise SqlFileError(
            f"an opaque file may not say {word}: nothing would look at what follows",
            hint="take it out: the step is one transaction and runs as its domain's owner",
            where=Where(file.source.path, line, column),
        )
    reason = file.header.directives.opaque or ""
    effect = Effect(Action.OPAQUE, Name(ObjectKind.FUNCTION, ""), line, detail=f"opaque: {reason}")
    return Script(
        file.source,
        of_opaque(file.header, file.source.text),
        Mode.OPAQUE,
        file.header.directives,
        (Statement(text, line, column, file.header.end, "Opaque"),),
        (effect,),
    )


def _empty(file: _File, direction: Direction) -> Script:
    if file.declared:
        raise SqlFileError(
            f"the {direction.value} file holds no statement",
            hint="write its SQL, or delete the file"
            if direction is Direction.UP
            else 'write its SQL, or say `-- bgce: irreversible reason="..."` in the up file',
            where=Where(file.source.path),
        )
    checksum = of_tokens(file.header, file.positions.raw, file.tokens)
    return Script(file.source, checksum, Mode.EMPTY, file.header.directives)


def _comments(file: _File) -> list[tuple[int, str]]:
    raw, char = file.positions.raw, file.positions.char
    return [
        (char(start), raw[start:end].decode())
        for start, end in pairs(file.tokens)
        if raw.startswith(b"--", start)
    ]


def _done_when(file: _File) -> list[Problem]:
    query = file.header.directives.done_when
    if query is None:
        return []
    try:
        found = [statement.kind for statement in parse(query)]
        fault = "" if found == ["SelectStmt"] else "it must be one SELECT"
    except SqlSyntaxError as error:
        fault = error.message
    return [Problem(f"'done-when': {fault}", Where(file.source.path, 1))] if fault else []


def _syntax_error(file: _File, error: SqlSyntaxError) -> SqlFileError:
    problems = client_problems(file.source.path, file.positions, error)
    if not problems:
        hint = syntax_hint(error, file.positions)
        problems = [Problem(error.message, file.where(error.offset), hint)]
    return _failure(file.source, [*file.header.problems, *problems])


def _refuse(source: SourceFile, problems: list[Problem]) -> None:
    if problems:
        raise _failure(source, problems)


def _failure(source: SourceFile, problems: list[Problem]) -> SqlFileError:
    ordered = sorted(problems, key=lambda p: (p.where.line or 0, p.where.column or 0) if p.where else (0, 0))
    first = ordered[0]
    if len(ordered) == 1:
        return SqlFileError(first.message, hint=first.hint, where=first.where, problems=ordered)
    return SqlFileError(
        f"{len(ordered)} things in this file are refused", where=Where(source.path), problems=ordered
    )


def read_down(
    source: SourceFile | None,
    *,
    declared: bool,
    schema: str = "public",
    migration: MigrationId | None = None,
    irreversible: str | None = None,
) -> tuple[Script | None, str]:
    """See `bgce_migrate.sqlfile.read_down`."""
    if source is None:
        if declared and irreversible is None:
            raise SqlFileError(
                f"{migration or 'the migration'} has no down file",
                hint='write it, or say `-- bgce: irreversible reason="..."` in the up file',
            )
        return None, irreversible or "there is no down file"
    # Of a declared down only an irreversible migration's may be empty, which the strict reading refuses.
    strict = declared and irreversible is None
    try:
        script = read_script(
            source, declared=strict, direction=Direction.DOWN, schema=schema, migration=migration
        )
    except SqlFileError as error:
        if declared:
            raise
        return None, f"the down file cannot be read: {error.message}"
    if script.mode is Mode.EMPTY and (irreversible is not None or not declared):
        return None, irreversible or "the down file holds no statement"
    if declared and not strict:
        script = read_script(
            source, declared=True, direction=Direction.DOWN, schema=schema, migration=migration
        )
    return script, ""
