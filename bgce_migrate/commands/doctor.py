"""`doctor`: what is here and what would be used."""

from __future__ import annotations

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command
from bgce_migrate.report.table import Column


@command("doctor")
def doctor(call: Call) -> int:
    """Say what is installed, which project, plugins, database, mode and layout are found. Changes nothing."""
    address = call.address() if call.names_database else None
    lines = call.desk.doctor(address)
    call.out.document("doctor", {"answers": [{"topic": topic, "answer": answer} for topic, answer in lines]})
    call.out.table((Column("topic"), Column("answer")), lines)
    return 0
