"""`python -I -m bgce_migrate.action`: the one step of `action.yml` that does something."""

from __future__ import annotations

import os
import sys

from bgce_migrate.action.entry import run

sys.exit(run(os.environ))
