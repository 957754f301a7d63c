"""Requests to stop come from signal handlers, which run between any two instructions of whoever waits for them."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, signal
from bgce_migrate.apply.context import Stop
from bgce_migrate.errors import Interrupted

stops = [Stop()]
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: stops[0].request())

me, knocking = os.getpid(), os.fork()
if not knocking:
    for _ in range(30000):
        os.kill(me, signal.SIGINT)
        os.kill(me, signal.SIGTERM)
    os._exit(0)
while not os.waitpid(knocking, os.WNOHANG)[0]:
    stops[0] = Stop()
    try:
        stops[0].sleep(0.0001)
    except Interrupted:
        pass
print("awake")
"""


def test_signals_that_come_at_once_never_block_it() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30)
    assert done.stdout == "awake\n", done.stderr
