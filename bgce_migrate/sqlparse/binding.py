"""The binding to libpg_query, loaded without its types: its stub file is not valid Python."""

from __future__ import annotations

from importlib import import_module
from typing import Any

postgast: Any = import_module("postgast")
pb: Any = import_module("postgast.pg_query_pb2")
PgQueryError: type[Any] = postgast.PgQueryError
DecodeError: type[Exception] = import_module("google.protobuf.message").DecodeError

# protobuf refuses messages nested over 100 levels, which a chain of 48 `||` already is.
_native: Any = getattr(import_module("google.protobuf.internal.api_implementation"), "_c_module", None)
if _native is not None and hasattr(_native, "SetAllowOversizeProtos"):
    _native.SetAllowOversizeProtos(True)
