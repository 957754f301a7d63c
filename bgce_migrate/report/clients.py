"""What becomes of the statements of services, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bgce_migrate.report.output import Output
from bgce_migrate.report.values import migration_value

if TYPE_CHECKING:
    from bgce_migrate.clients.model import Checked, Judged


def print_clients(out: Output, checked: Checked, seconds: float) -> None:
    """What breaks and what changes; with -v what failed before, too; then how many of each."""
    from bgce_migrate.clients.findings import told
    from bgce_migrate.clients.model import Verdict

    out.document("verify", {"migrations": [], "passed": checked.passes, "clients": clients_value(checked)})
    for judged in checked.judged:
        if judged.verdict in (Verdict.BREAKS, Verdict.CHANGES):
            out.line(f"{judged.verdict.value:<8}  {told(judged)}")
        elif judged.verdict is Verdict.FAILED_BEFORE:
            say = out.line if judged.sent.file else out.detail
            say(f"failed before  {told(judged)}")
    for reason, count in checked.left_out:
        out.note(f"{count} statements were not looked at: {reason}")
    counts = Counter(j.verdict.value.replace("_", " ") for j in checked.judged)
    parts = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()) or "none"
    each = checked.seconds_preparing / checked.prepared * 1000 if checked.prepared else 0.0
    steps = f"{len(checked.new)} new step{'' if len(checked.new) == 1 else 's'}"
    out.line(f"{len(checked.judged)} statements, {steps}, {seconds:.1f} s ({each:.2f} ms a statement): {parts}")


def clients_value(checked: Checked) -> dict[str, object]:
    """All verdicts as a part of a document."""
    return {
        "statements": [_value(j) for j in checked.judged],
        "new": [migration_value(i) for i in checked.new],
        "left_out": [{"reason": reason, "count": count} for reason, count in checked.left_out],
        "prepared": checked.prepared,
        "preparing_ms": round(checked.seconds_preparing * 1000, 2),
    }


def _value(judged: Judged) -> dict[str, object]:
    sent = judged.sent
    return {
        "service": sent.service or None,
        "statement": sent.text,
        "file": sent.file or None,
        "line": sent.line or None,
        "calls": sent.calls or None,
        "verdict": judged.verdict.value,
        "message": judged.message,
        "sqlstate": judged.sqlstate or None,
        "object": judged.object or None,
        "step": migration_value(judged.step) if judged.step is not None else None,
    }
