"""sqlfluff, loaded without pytest: where that is installed sqlfluff loads it for its own tests, a third of its time."""

from __future__ import annotations

import sys
from importlib import import_module

_OTHER = "pytest"


def load() -> None:
    """Load sqlfluff; whoever wants pytest afterwards gets it as ever."""
    if "sqlfluff" in sys.modules or _OTHER in sys.modules:
        return
    # An entry of None makes `import` say that there is none.
    sys.modules[_OTHER] = None  # type: ignore[assignment]
    try:
        import_module("sqlfluff")
    finally:
        del sys.modules[_OTHER]
