"""Proofs kept by what they depend on: the contents of everything before, the server, and our own code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec.structs import replace

from bgce_migrate import __version__
from bgce_migrate.linting.store import Store, code_times
from bgce_migrate.migration import MigrationId
from bgce_migrate.scratch.replay import Replay
from bgce_migrate.tree import Tree
from bgce_migrate.verify.model import Proof

#: Raised when what is kept changes its form.
FORMAT = 1
#: The packages whose code decides what a proof says.
_CODE = ("verify", "scratch", "db", "fingerprint", "apply", "sqlfile")


def encode(proof: Proof) -> bytes:
    """A proof as bytes."""
    return msgspec.msgpack.encode(proof, enc_hook=_plain)


#: A proof of its bytes.
decode = msgspec.msgpack.Decoder(Proof).decode


def _plain(value: Any) -> Any:
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise NotImplementedError(type(value))


class Kept:
    """What was proven before."""

    def __init__(self, tree: Tree, ready: Replay, folder: Path | None) -> None:
        self._store = Store(folder)
        self._keys = _chain(tree, ready)

    def get(self, id: MigrationId) -> Proof | None:
        """The proof of a migration where everything it depends on is as it was."""
        raw = self._store.get(self._keys[id])
        if raw is None:
            return None
        try:
            return replace(decode(raw), kept=True)
        except (msgspec.DecodeError, msgspec.ValidationError, ValueError):
            return None

    def put(self, proofs: Iterable[Proof]) -> None:
        """Keep those that are new."""
        new = {self._keys[p.id]: encode(p) for p in proofs if not p.kept}
        self._store.put(new, list(self._keys.values()))


def _chain(tree: Tree, ready: Replay) -> Mapping[MigrationId, str]:
    """A key for each migration, made of its own and all before it."""
    project = tree.project
    domains = [(d.name, d.schema, d.declared) for d in project.domains]
    said = (
        __version__, FORMAT, code_times(_CODE), ready.place.server.version, ready.place.server.provider, project.declared,
        project.database.bookkeeping_schema, project.database.extensions, project.timezone, domains,
    )  # fmt: skip
    last = hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()
    keys = {}
    for owned in ready.steps:
        migration = tree.migrations[owned.step.id]
        down = migration.down.sha256 if migration.down is not None else ""
        whole = (last, str(migration.id), migration.up.sha256, owned.owner, owned.search_path, owned.grants)
        last = hashlib.sha256(repr(whole).encode("utf-8", "surrogatepass")).hexdigest()
        # Nothing after it depends on a down.
        keys[owned.step.id] = hashlib.sha256(f"{last} {down}".encode()).hexdigest()
    return MappingProxyType(keys)
