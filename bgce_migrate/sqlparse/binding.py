"""The binding to libpg_query, loaded without its types: its stub file is not valid Python."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import SimpleNamespace
from typing import Any


def _parts() -> tuple[Any, Any, type[Any]]:
    """What we need of the package, without running its `__init__`: that loads its writer of SQL, a third of the time."""
    spec = find_spec("postgast")
    if spec is None:
        raise ModuleNotFoundError("No module named 'postgast'", name="postgast")
    bare = module_from_spec(spec)
    # Whoever imports the package itself, before or after us, gets the whole of it.
    ours = sys.modules.setdefault("postgast", bare) is bare
    try:
        parts = SimpleNamespace(
            parse=import_module("postgast.parse").parse,
            scan=import_module("postgast.scan").scan,
            fingerprint=import_module("postgast.fingerprint").fingerprint,
            parse_plpgsql=import_module("postgast.plpgsql").parse_plpgsql,
        )
        return parts, import_module("postgast.pg_query_pb2"), import_module("postgast.errors").PgQueryError
    finally:
        if ours:
            del sys.modules["postgast"]


postgast: Any
pb: Any
PgQueryError: type[Any]
postgast, pb, PgQueryError = _parts()
DecodeError: type[Exception] = import_module("google.protobuf.message").DecodeError

# protobuf refuses messages nested over 100 levels, which a chain of 48 `||` already is.
_native: Any = getattr(import_module("google.protobuf.internal.api_implementation"), "_c_module", None)
if _native is not None and hasattr(_native, "SetAllowOversizeProtos"):
    _native.SetAllowOversizeProtos(True)
