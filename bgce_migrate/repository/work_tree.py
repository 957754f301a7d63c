"""One git repository, asked through GitPython: no shell, names ended by NUL, nothing of the user's settings obeyed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from git.cmd import Git

#: What a hook's surroundings say about *its* repository; ours is found from the folder it is in.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_LITERAL_PATHSPECS")
_MISSING = "the checks against git need GitPython and the git program"
_HINT = "pip install 'bgce-migrate[lint]'; and install git"


class GitFault(UsageError):
    """A git command that failed; the text is git's own (exit 2)."""


class Repository:
    """A repository with a work tree.

    Attributes:
        top: the work tree's root, links resolved.
        folder: the `.git` folder of this work tree.
    """

    def __init__(self, git: Git, top: Path, folder: Path) -> None:
        self._git = git
        self.top = top
        self.folder = folder
        self._environment = _index_of(folder)

    # -- commits -----------------------------------------------------------------------------------------------

    def commit(self, name: str) -> str | None:
        """The hash of the commit that `name` means; None if there is none here."""
        if not name or name.startswith("-") or "\0" in name or "\n" in name:
            return None
        try:
            found = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}")
        except GitFault:
            return None
        return found.decode("ascii", "replace").strip() or None

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest common ancestor; None without one, or where a shallow clone hides it."""
        try:
            return self.ask("merge-base", one, other).decode("ascii").split("\n", 1)[0] or None
        except GitFault:
            return None

    def is_ancestor(self, one: str, other: str) -> bool:
        """Whether `one` is `other` or before it."""
        return self.merge_base(one, other) == one

    def ref(self, name: str) -> str | None:
        """The full name of what a symbolic ref points to, or None."""
        try:
            return os.fsdecode(self.ask("symbolic-ref", "--quiet", name)).strip() or None
        except GitFault:
            return None

    @property
    def branch(self) -> str | None:
        """The checked out branch; None for a detached head."""
        name = self.ref("HEAD")
        return name.removeprefix("refs/heads/") if name else None

    @property
    def tracked_branch(self) -> str | None:
        """The remote branch that the checked out one follows, e.g. `origin/main`."""
        try:
            name = self.ask("rev-parse", "--symbolic-full-name", "--verify", "--quiet", "HEAD@{upstream}")
        except GitFault:
            return None
        return os.fsdecode(name).strip().removeprefix("refs/remotes/").removeprefix("refs/heads/") or None

    @property
    def shallow(self) -> bool:
        """Whether old commits were left out by `git clone --depth`."""
        return self.ask("rev-parse", "--is-shallow-repository").strip() == b"true"

    # -- hooks -------------------------------------------------------------------------------------------------

    @property
    def hooks(self) -> Path:
        """Where git looks for hooks: `core.hooksPath`, else its own folder."""
        return self.top / os.fsdecode(self.ask("rev-parse", "--git-path", "hooks")).removesuffix("\n")

    @property
    def hooks_are_shared(self) -> bool:
        """Whether `core.hooksPath` is set for other repositories too."""
        try:
            scope = self.ask("config", "--show-scope", "--get", "core.hooksPath").split(b"\t", 1)[0]
        except GitFault:
            return False
        return scope in (b"global", b"system")

    # -- paths -------------------------------------------------------------------------------------------------

    def inside(self, path: Path) -> str | None:
        """`path` as git says it, from the top; None for a path outside or in `.git`."""
        try:
            found = Path(os.path.realpath(path)).relative_to(self.top).as_posix()
        except ValueError:
            return None
        return None if found.split("/", 1)[0] == ".git" else found

    def tracks(self, name: str) -> bool:
        """Whether a file, said from the top, is in the index."""
        return bool(self.ask("ls-files", "-z", "--cached", "--", name))

    def staged(self, *, deleted: bool = False) -> tuple[Path, ...]:
        """Files that the next commit adds or changes; with `deleted` those that it removes too."""
        filters = () if deleted else ("--diff-filter=d",)
        return self._paths(self.ask("diff", "--cached", *_PLAIN_DIFF, *filters, "--"))

    def changed(self, commit: str | None) -> tuple[Path, ...]:
        """Files that differ from a commit or are new and not ignored; without a commit all files."""
        known = (
            self.ask("diff", *_PLAIN_DIFF, "--diff-filter=d", commit, "--")
            if commit is not None
            else self.ask("ls-files", "-z", "--cached")
        )
        new = self.ask("ls-files", "-z", "--others", "--exclude-standard")
        return self._paths(known + new)

    def unstaged(self) -> tuple[Path, ...]:
        """Files that differ from what is staged."""
        return self._paths(self.ask("diff", *_PLAIN_DIFF, "--"))

    def conflicts(self) -> tuple[Path, ...]:
        """Files that a merge left for a person to settle."""
        return self._paths(self.ask("diff", *_PLAIN_DIFF, "--diff-filter=U", "--"))

    def _paths(self, raw: bytes) -> tuple[Path, ...]:
        return tuple(self.top / os.fsdecode(name) for name in dict.fromkeys(raw.split(b"\0")) if name)

    # -- contents ----------------------------------------------------------------------------------------------

    def files_at(self, commit: str, folders: Iterable[str]) -> Mapping[str, str]:
        """Regular files below `folders` (or the files themselves) at a commit, with the hashes of their blobs."""
        wanted = [folder for folder in folders if folder]
        if not wanted:
            return {}
        raw = self.ask("ls-tree", "-r", "-z", "--full-tree", commit, "--", *("" if w == "." else w for w in wanted))
        found: dict[str, str] = {}
        for entry in raw.split(b"\0"):
            head, _, name = entry.partition(b"\t")
            words = head.split()
            if len(words) == 3 and words[0] in (b"100644", b"100755", b"100664"):
                found[os.fsdecode(name)] = words[2].decode("ascii")
        return found

    def blobs(self, names: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of blobs by hash; one that is not here (a partial clone) is left out."""
        wanted = list(dict.fromkeys(names))
        if not wanted:
            return {}
        with tempfile.TemporaryFile() as lines:
            lines.write("".join(f"{name}\n" for name in wanted).encode("ascii"))
            lines.seek(0)
            raw = self.ask("cat-file", "--batch", istream=lines)
        found: dict[str, bytes] = {}
        place = 0
        while place < len(raw):
            end = raw.index(b"\n", place)
            words = raw[place:end].split()
            place = end + 1
            if len(words) == 3 and words[1] == b"blob":
                size = int(words[2])
                found[words[0].decode("ascii")] = raw[place : place + size]
                place += size + 1
        return found

    def ask(self, *words: str, istream: object = None) -> bytes:
        """What a git command prints, as bytes.

        Raises:
            GitFault: it failed.
        """
        from git.exc import GitError

        command = ["git", "--literal-pathspecs", "-c", "core.fsmonitor=false", *words]
        try:
            with _undisturbed():
                found = self._git.execute(
                    command, istream=istream, stdout_as_string=False, strip_newline_in_stdout=False,
                    env=self._environment, max_chunk_size=1 << 20,
                )  # type: ignore[call-overload]  # fmt: skip
        except (GitError, OSError) as error:
            said = str(getattr(error, "stderr", "") or error).strip()
            said = said.removeprefix("stderr: ").strip("'\n ") or "no reason given"
            raise GitFault(f"git {words[0]}: {said}", hint="git fsck looks for damage") from None
        assert isinstance(found, bytes)
        return found


_PLAIN_DIFF = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules")


def open_repository(root: Path) -> Repository | None:
    """The repository that `root` is in; None where there is none with a work tree.

    Raises:
        UsageError: GitPython or git is not installed, or git refuses the folder (another user's).
    """
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    try:
        from git.cmd import Git
        from git.exc import GitError
    except ImportError:
        raise UsageError(_MISSING, hint=_HINT) from None
    place = Path(os.path.realpath(root))
    if not place.is_dir():
        return None
    words = ["git", "rev-parse", "--show-toplevel", "--absolute-git-dir"]
    try:
        with _undisturbed():
            said = Git(str(place)).execute(words, stdout_as_string=False, strip_newline_in_stdout=False)
    except (GitError, OSError) as error:
        fault = str(getattr(error, "stderr", "") or error)
        if "dubious ownership" in fault:
            hint = f"git config --global --add safe.directory {place}"
            raise UsageError(f"git does not trust {place}: it belongs to another user", hint=hint) from None
        if "No such file" in fault and "'git'" in fault:
            raise UsageError(_MISSING, hint=_HINT) from None
        return None
    assert isinstance(said, bytes)
    # A path may hold a line feed; the second one is what the first begins with, or elsewhere.
    lines = os.fsdecode(said).removesuffix("\n")
    for cut in (i for i, c in enumerate(lines) if c == "\n"):
        top, folder = Path(lines[:cut]), Path(lines[cut + 1 :])
        if top.is_dir() and folder.is_dir():
            return Repository(Git(str(top)), Path(os.path.realpath(top)), folder)
    return None


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the variables that a hook sets for its own repository; GitPython can only add variables."""
    saved = {name: os.environ.pop(name) for name in _FOREIGN if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(saved)


def _index_of(folder: Path) -> dict[str, str]:
    """The index of a commit in the making (`git commit FILE` has one of its own), if it is this repository's."""
    named = os.environ.get("GIT_INDEX_FILE")
    if named is None:
        return {}
    path = Path(named) if os.path.isabs(named) else folder.parent / named
    ours = Path(os.path.realpath(folder)) in Path(os.path.realpath(path)).parents
    return {"GIT_INDEX_FILE": str(path if ours else folder / "index")}
