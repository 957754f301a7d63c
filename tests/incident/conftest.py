"""Sites as the fault tests have them."""

from __future__ import annotations

from tests.faults.conftest import guarded, make_site, maker, plain, site, zygote

__all__ = ["guarded", "make_site", "maker", "plain", "site", "zygote"]
