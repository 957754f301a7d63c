"""The report of a run as a message for a webhook: `text`, and `blocks` as Slack shows them."""

from __future__ import annotations

from collections import Counter

from bgce_migrate.notifying.model import Event
from bgce_migrate.outcome import RunReport, StepResult

# Limits of the service: characters of a header, of a section; and what a person reads.
_HEADER, _SECTION, _STEPS, _SENTENCE = 150, 3000, 20, 600
_MARKS = {"applied": "+", "reverted": "-", "failed": "x", "refused": "x", "unknown": "?"}


def event_of(report: RunReport) -> Event:
    """A run that failed or was stopped is a failure."""
    return "failure" if report.failure is not None else "success"


def message(project: str, report: RunReport) -> dict[str, object]:
    """The whole message. What the server said beside its sentence (it may quote rows) stays in the receipt."""
    headline = _headline(project, report)
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(headline, _HEADER), "emoji": False}}
    ]
    text = [headline]
    if report.failure is not None:
        sentence = _cut(report.failure.message, _SENTENCE)
        hint = f"\nhint: {_cut(report.failure.hint, _SENTENCE)}" if report.failure.hint else ""
        text.append(sentence + hint)
        blocks.append(_section(f"{_escaped(sentence)}{_escaped(hint)}"))
    if report.steps:
        blocks.append(_section(f"```{_escaped(_steps(report.steps))}```"))
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(_place(report))}]})
    return {"text": _escaped("\n".join(text)), "blocks": blocks}


def _headline(project: str, report: RunReport) -> str:
    where = f"{project} ({report.environment})" if report.environment else project
    counted = Counter(map(_word, report.steps))
    how = {"done": "is done", "interrupted": "was stopped"}.get(report.result, "failed")
    steps = ", ".join(f"{count} {word}" for word, count in counted.items())
    return f"{where}: {report.command or 'run'} {how}" + (f", {steps}" if steps else "")


def _word(step: StepResult) -> str:
    status = step.status.value
    if status == "applied" and step.direction.value == "down":
        return "reverted"
    return status.replace("_", " ")


def _steps(steps: tuple[StepResult, ...]) -> str:
    """One line each; of many, what did not go well comes before what did."""
    shown = sorted(steps, key=lambda step: step.status.value == "applied") if len(steps) > _STEPS else steps
    lines = [
        f"{_MARKS.get(_word(step), ' ')} {step.id} {_word(step)}"
        + (f" ({step.duration_ms:.0f} ms)" if step.status.value == "applied" else "")
        for step in shown[:_STEPS]
    ]
    more = len(steps) - _STEPS
    # Names are long at times, and the service refuses what is longer than it takes.
    return _cut("\n".join(lines), _SECTION // 2) + (f"\n... and {more} more" if more > 0 else "")


def _place(report: RunReport) -> str:
    parts = [f"run {report.run_id}"]
    if report.deployment:
        parts.append(f"deployment {_cut(report.deployment, 80)}")
    if database := report.target.get("database"):
        parts.append(f"database {database}")
    if login := report.target.get("login"):
        parts.append(f"as {login}")
    parts.append(f"{report.duration_ms / 1000:.1f} s")
    if report.warnings:
        parts.append(f"{len(report.warnings)} warning{'' if len(report.warnings) == 1 else 's'}")
    if report.restore_point is not None:
        parts.append(f"restore point at {report.restore_point.position}")
    return ", ".join(parts)


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 4].rstrip()} ..."


def _escaped(text: str) -> str:
    """Nobody's name or message may call a channel, link or format."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("```", "'''")
