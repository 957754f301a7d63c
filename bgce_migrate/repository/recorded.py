"""What a commit holds of a project: migration files by domain and version, and the lock file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress

from msgspec import Struct, field

from bgce_migrate.config import Project
from bgce_migrate.config.folders import FILE_NAME, MAX_VERSION
from bgce_migrate.errors import BgceError
from bgce_migrate.migration import MigrationId, SourceFile
from bgce_migrate.order.lockfile import LockLine
from bgce_migrate.repository.work_tree import GitFault, Repository


class Pair(Struct, frozen=True):
    """One migration at a commit: paths from the top of the work tree; the first file where there are two."""

    id: MigrationId
    up: str
    down: str | None = None


class Recorded(Struct):
    """A commit, read as far as it is needed.

    Attributes:
        files: path -> hash of its blob.
        pairs: the migrations, by id.
        lock: the lines of the lock file that can be read; None where there is none.
    """

    commit: str
    files: Mapping[str, str]
    pairs: Mapping[MigrationId, Pair]
    lock: tuple[LockLine, ...] | None
    _repository: Repository
    _texts: dict[str, bytes] = field(default_factory=dict)

    def load(self, paths: Iterable[str]) -> None:
        """Read many files at once, for `content`."""
        wanted = {self.files[p] for p in paths if p in self.files} - self._texts.keys()
        # A partial clone that cannot fetch has names without contents.
        with suppress(GitFault):
            self._texts |= self._repository.blobs(wanted)

    def content(self, path: str) -> bytes | None:
        """The bytes of a file as they were committed; None if it is not there or not in this clone."""
        self.load((path,))
        return self._texts.get(self.files.get(path, ""))

    def has_bytes(self, path: str, source: SourceFile) -> bool:
        """Whether a file on disk is the committed one, found without reading the commit's. False: perhaps."""
        blob = self.files.get(path)
        if blob is None:
            return False
        raw = source.text.encode("utf-8", "surrogatepass")
        digest = hashlib.sha256 if len(blob) == 64 else hashlib.sha1
        return digest(b"blob %d\0" % len(raw) + raw).hexdigest() == blob

    def checksum(self, path: str) -> str | None:
        """`v1:` of a file as it was committed; None if it was no SQL or is not here."""
        raw = self.content(path)
        return None if raw is None else checksum_of(path, raw)


def state_at(repository: Repository, commit: str, project: Project) -> Recorded:
    """What a commit holds of the project's domains, as their folders are today, and of its lock file."""
    folders = {d.name: repository.inside(d.folder) for d in project.domains}
    lock_path = repository.inside(project.lock_path)
    wanted = [f for f in (*folders.values(), lock_path) if f]
    try:
        files = repository.files_at(commit, wanted)
    except GitFault:
        files = {}
    pairs: dict[MigrationId, Pair] = {}
    for domain, folder in folders.items():
        if folder:
            pairs |= _pairs(domain, folder, files)
    recorded = Recorded(commit, files, pairs, None, repository)
    if lock_path and lock_path in files:
        recorded.lock = _lock_lines(recorded.content(lock_path) or b"")
    return recorded


def _pairs(domain: str, folder: str, files: Mapping[str, str]) -> dict[MigrationId, Pair]:
    prefix = "" if folder == "." else folder + "/"
    ups: dict[int, tuple[str, str]] = {}
    downs: dict[int, str] = {}
    for path in sorted(files):
        name = path[len(prefix) :]
        found = FILE_NAME.match(name) if path.startswith(prefix) and "/" not in name else None
        if found is None or len(found[1].lstrip("0")) > 19 or int(found[1]) > MAX_VERSION:
            continue
        if found[3] == "up":
            ups.setdefault(int(found[1]), (path, found[2]))
        else:
            downs.setdefault(int(found[1]), path)
    return {
        (i := MigrationId(domain, version, slug)): Pair(i, path, downs.get(version))
        for version, (path, slug) in ups.items()
    }


def _lock_lines(raw: bytes) -> tuple[LockLine, ...]:
    """The readable lines: a lock file that was broken when it was committed must not stop its mending."""
    from bgce_migrate.order import lockfile

    kept: dict[MigrationId, LockLine] = {}
    for text in raw.decode("utf-8", "replace").splitlines():
        try:
            for line in lockfile.parse(text).lines:
                kept.setdefault(line.id, line)
        except BgceError:
            continue
    return tuple(kept.values())


def checksum_of(path: str, raw: bytes) -> str | None:
    """`v1:` of a file's bytes; None for what is no SQL."""
    from bgce_migrate import sqlfile

    try:
        return sqlfile.checksum(sqlfile.read_source(path, raw))
    except BgceError:
        return None
