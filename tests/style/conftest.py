"""Style tests need sqlfluff."""

from __future__ import annotations

import pytest

pytest.importorskip("sqlfluff", reason="needs sqlfluff")
