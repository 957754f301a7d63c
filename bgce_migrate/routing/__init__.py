"""Which server a read or a write goes to, decided from what was last seen of all of them; pure."""

from __future__ import annotations

from bgce_migrate.routing.board import Board
from bgce_migrate.routing.breaker import Breaker
from bgce_migrate.routing.choosing import Pick, pick
from bgce_migrate.routing.model import Reader, RoutingSettings, Served, Sight, Standing, Verdict, View
from bgce_migrate.routing.token import Signer, Token
from bgce_migrate.routing.trail import Trail

__all__ = [
    "Board",
    "Breaker",
    "Pick",
    "Reader",
    "RoutingSettings",
    "Served",
    "Sight",
    "Signer",
    "Standing",
    "Token",
    "Trail",
    "Verdict",
    "View",
    "pick",
]
