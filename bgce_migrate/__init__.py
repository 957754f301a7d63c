"""One safe order, one owner a table and one history for many services on one PostgreSQL."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bgce_migrate.access import Endpoint, Grant, RouteRequest
    from bgce_migrate.errors import BgceError, Refused
    from bgce_migrate.hookspecs import hookimpl
    from bgce_migrate.library import status, up, wait, wait_async
    from bgce_migrate.migration import MigrationId, Plan, Step
    from bgce_migrate.outcome import Measurement, RunReport, StatusRow, StepResult
    from bgce_migrate.router import Router
    from bgce_migrate.router.async_router import AsyncRouter

__version__ = "0.1.0"

#: The public door: where each name lives. Imported when first asked for, because start-up time is a feature.
_PLACES = {
    "AsyncRouter": "router.async_router",
    "BgceError": "errors",
    "Endpoint": "access",
    "Grant": "access",
    "Measurement": "outcome",
    "MigrationId": "migration",
    "Plan": "migration",
    "Refused": "errors",
    "RouteRequest": "access",
    "Router": "router",
    "RunReport": "outcome",
    "StatusRow": "outcome",
    "Step": "migration",
    "StepResult": "outcome",
    "hookimpl": "hookspecs",
    "status": "library",
    "up": "library",
    "wait": "library",
    "wait_async": "library",
}

__all__ = [
    "AsyncRouter",
    "BgceError",
    "Endpoint",
    "Grant",
    "Measurement",
    "MigrationId",
    "Plan",
    "Refused",
    "RouteRequest",
    "Router",
    "RunReport",
    "StatusRow",
    "Step",
    "StepResult",
    "__version__",
    "hookimpl",
    "status",
    "up",
    "wait",
    "wait_async",
]


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(import_module(f"bgce_migrate.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'bgce_migrate' has no attribute '{name}'")
