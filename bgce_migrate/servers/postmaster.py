"""Whether a process is the postmaster of a data directory, and not one that got its number later."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc/self/stat")


def runs_in(pid: int, data: Path) -> bool:
    """Whether process `pid` lives and, as far as the system tells, is the postmaster of `data`."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return _linux(pid, data) if PROC.exists() else True


def _linux(pid: int, data: Path) -> bool:
    process = Path(f"/proc/{pid}")
    try:
        # The name of a program in the second field may hold anything, also ")".
        name, _, rest = (process / "stat").read_text(errors="replace").rpartition(") ")
        if rest[:1] in ("Z", "X"):
            return False  # dead; in many containers nobody collects it
        try:
            return os.path.samefile(process / "cwd", data)
        except PermissionError:
            # Root in a container may lack the right to see another user's folders; nobody else needs it,
            # because the postmaster is our own process.
            same_user = process.stat().st_uid == data.stat().st_uid
            return os.getuid() == 0 and same_user and name.endswith("(postgres")
    except OSError:
        return False
