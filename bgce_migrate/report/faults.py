"""Errors as a person reads them: one sentence, what the server said, `hint:`, `at:`; and as a document."""

from __future__ import annotations

from collections.abc import Sequence

from bgce_migrate.errors import BgceError, Problem, Where
from bgce_migrate.report.output import Output

#: How the facts beside a message are called on the terminal; others are printed under their own name.
_LABELS = {"server_hint": "server's hint", "stands": "what stands"}


def print_error(out: Output, error: BgceError, *, label: str = "error") -> None:
    """Sentence, facts, the single problems, hint and place, on standard error."""
    if out.json_log:
        out.event(label, label, **error_value(error))
        return
    out.note(f"{label}: {error.message}")
    for name, value in error.facts.items():
        if value:
            out.note(_indented(f"{_LABELS.get(name, name)}: {value}"))
    hint, where = error.hint, error.where
    # One problem that says the same as the error is not said twice.
    if len(error.problems) == 1 and error.problems[0].message == error.message:
        hint, where = hint or error.problems[0].hint, where or error.problems[0].where
    else:
        for line in problem_lines(error.problems, said=hint):
            out.note(line)
    if hint:
        out.note(f"hint: {hint}")
    if where:
        out.note(f"at: {where}")


def problem_lines(problems: Sequence[Problem], *, said: str | None = None) -> list[str]:
    """Each problem on its line, with its hint below unless that is `said` anyway."""
    lines = []
    for problem in problems:
        lines.append(_indented(str(problem)))
        if problem.hint and problem.hint != said:
            lines.append(_indented(f"hint: {problem.hint}", by="    "))
    return lines


def _indented(text: str, by: str = "  ") -> str:
    return "\n".join(by + line for line in text.splitlines())


def error_value(error: BgceError) -> dict[str, object]:
    """An error inside a document."""
    return {
        "message": error.message,
        "hint": error.hint,
        "at": _place(error.where),
        "exit_code": error.exit_code,
        "facts": dict(error.facts),
        "problems": [problem_value(problem) for problem in error.problems],
    }


def problem_value(problem: Problem) -> dict[str, object]:
    """One problem inside a document."""
    return {"message": problem.message, "hint": problem.hint, "at": _place(problem.where)}


def _place(where: Where | None) -> dict[str, object] | None:
    if where is None:
        return None
    return {"file": where.file, "line": where.line, "column": where.column}
