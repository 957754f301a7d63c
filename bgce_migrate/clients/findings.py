"""What breaks a service, as findings: where lint and the pull request tell them."""

from __future__ import annotations

from bgce_migrate.clients.model import Checked, Judged, Verdict
from bgce_migrate.errors import Where
from bgce_migrate.finding import Finding, Severity
from bgce_migrate.tree import Tree

RULE = "client-statement"
_SHOWN = 120
_SEVERITIES = {Verdict.BREAKS: Severity.ERROR, Verdict.CHANGES: Severity.WARNING}
_HINT = "deploy the program that does without first, or keep both for a while: expand now, contract later"


def findings(checked: Checked, tree: Tree) -> tuple[Finding, ...]:
    """One for each statement that breaks or changes, at the file of the step that does it."""
    return tuple(_one(judged, tree) for judged in checked.judged if judged.verdict in _SEVERITIES)


def _one(judged: Judged, tree: Tree) -> Finding:
    step = judged.step
    where = Where(tree.migrations[step].up.path) if step is not None and step in tree.migrations else None
    if where is None and judged.sent.file:
        where = Where(judged.sent.file, judged.sent.line)
    return Finding(
        RULE,
        _SEVERITIES[judged.verdict],
        told(judged),
        where,
        _HINT if judged.verdict is Verdict.BREAKS else None,
        step.domain if step is not None else None,
        subject=judged.object,
    )


def told(judged: Judged) -> str:
    """Service, statement, object and step in a line."""
    sent = judged.sent
    step = f"{judged.step} " if judged.step is not None else ""
    verb = "breaks" if judged.verdict is Verdict.BREAKS else "changes" if judged.verdict is Verdict.CHANGES else "not to blame for"
    whose = f" of {sent.service}" if sent.service else ""
    place = f" ({sent.file}:{sent.line})" if sent.file else f" ({sent.calls} calls)" if sent.calls else ""
    about = f" on {judged.object}" if judged.object else ""
    start = f"{step}{verb} a statement{whose}" if step else f"a statement{whose} {'fails' if judged.message else 'works'}"
    return f"{start}{place}{about}: {judged.message}: {short(sent.text)}"


def short(text: str) -> str:
    """The beginning of a statement on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "..."
