"""The target branch of a change, and the commit from which the change went out."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.errors import UsageError
from bgce_migrate.migration import Finding, Severity
from bgce_migrate.repository.events import Event, read_event
from bgce_migrate.repository.work_tree import Repository

_FETCH = "git fetch --unshallow (in an Action: actions/checkout with fetch-depth: 0)"


class Base(Struct, frozen=True):
    """What a change is compared with.

    Attributes:
        commit: the merge base with the target branch; None where there is none, with `reason`.
        tip: the end of the target branch, which may be ahead of `commit`; None if it is not known.
        branch: the target branch, for messages.
        reason: why there is no `commit`.
        hint: how to get one.
        said: what `--base` said, for commands that must say it again.
    """

    commit: str | None = None
    tip: str | None = None
    branch: str = ""
    reason: str = ""
    hint: str | None = None
    said: str | None = None

    @property
    def short(self) -> str:
        """The commit as people write it."""
        return (self.commit or "")[:10]

    @property
    def notes(self) -> tuple[Finding, ...]:
        """That git was not looked at, and why; empty with a commit."""
        if self.commit is not None:
            return ()
        message = f"not compared with a target branch: {self.reason}"
        return (Finding("git-no-base", Severity.NOTE, message, hint=self.hint),)


def find_base(
    repository: Repository | None,
    ref: str | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    targets: Collection[str] = (),
) -> Base:
    """Where the target branch stands: from `ref`, else GitHub's event, else the usual branches.

    Args:
        repository: None where the project is in no repository.
        ref: what `--base` said.
        environment: variables of the process; none: GitHub is not asked.
        targets: branches that are deployed (`branch` of the environments in `bgce.toml`).

    Raises:
        UsageError: `ref` was said and is no commit here.
    """
    if repository is None:
        if ref is not None:
            raise UsageError(f"--base {ref}: this folder is in no git repository")
        return Base(reason="this folder is in no git repository", hint="git init")
    head = repository.commit("HEAD")
    if ref is not None:
        tip = repository.commit(ref) or repository.commit(f"origin/{ref}")
        if tip is None:
            raise UsageError(f"--base {ref}: there is no such commit here", hint=_how_to_fetch(repository, ref))
        return replace(_between(repository, head, tip, ref.removeprefix("refs/heads/")), said=ref)
    event = read_event(environment or {}, targets)
    if event is not None:
        return _of_event(repository, head, event)
    if head is None:
        return Base(reason="there are no commits yet")
    return _local(repository, head, targets)


def _of_event(repository: Repository, head: str | None, event: Event) -> Base:
    for name in event.commits:
        tip = repository.commit(name)
        if tip is not None:
            return _between(repository, head, tip, event.branch)
    if event.why == "this push":
        # The first push of a branch, or a push by force over commits that are gone.
        reason = f"the commit before this push to {event.branch} is not here"
    else:
        reason = f"{event.branch or 'the target branch'} of {event.why} is not in this clone"
    return Base(branch=event.branch, reason=reason, hint=_how_to_fetch(repository, event.branch))


def _local(repository: Repository, head: str, targets: Collection[str]) -> Base:
    current = repository.branch
    for name in _candidates(repository, current, targets):
        tip = repository.commit(name)
        if tip is not None:
            return _between(repository, head, tip, _bare(name))
    if current is None:
        reason = "the head is detached and there is no origin/main, origin/master, main or master"
        return Base(reason=reason, hint="say what to compare with: --base REF")
    # The only branch there is: what is committed on it is recorded.
    return Base(head, head, current)


def _candidates(repository: Repository, current: str | None, targets: Collection[str]) -> tuple[str, ...]:
    """Names of what may be the target branch, the best first."""
    tracked = repository.tracked_branch if current else None
    # A branch that follows its own copy on the server says nothing about where it goes.
    followed = tracked if tracked and _bare(tracked) != current else None
    own = f"refs/remotes/origin/{current}" if current in targets else None
    defaults = [repository.ref(f"refs/remotes/{remote}/HEAD") for remote in ("upstream", "origin")]
    usual = [
        f"refs/remotes/{remote}/{branch}" for remote in ("upstream", "origin") for branch in ("main", "master")
    ]
    local = [f"refs/heads/{branch}" for branch in ("main", "master")]
    return tuple(n for n in (own, f"refs/remotes/{followed}" if followed else None, followed and f"refs/heads/{followed}",
                             defaults[0], *usual[:2], defaults[1], *usual[2:], *local) if n)  # fmt: skip


def _bare(name: str) -> str:
    """`main` of `refs/remotes/origin/main` or `origin/main`."""
    name = name.removeprefix("refs/heads/")
    if name.startswith("refs/remotes/"):
        name = name.removeprefix("refs/remotes/").partition("/")[2]
    return name.removeprefix("origin/").removeprefix("upstream/")


def _between(repository: Repository, head: str | None, tip: str, branch: str) -> Base:
    if head is None:
        return Base(None, tip, branch, "there are no commits yet")
    commit = repository.merge_base(head, tip)
    merging = repository.commit("MERGE_HEAD")
    if merging is not None:
        # While the target is being merged in, its files are here already.
        newer = repository.merge_base(merging, tip)
        if newer is not None and (commit is None or repository.is_ancestor(commit, newer)):
            commit = newer
    if commit is not None:
        return Base(commit, tip, branch)
    if repository.shallow:
        reason = f"this clone is shallow and does not reach back to where it left {branch}"
        return Base(None, tip, branch, reason, _FETCH)
    return Base(None, tip, branch, f"{branch} and the head have no commit in common", "say another one: --base REF")


def _how_to_fetch(repository: Repository, branch: str) -> str:
    if repository.shallow:
        return _FETCH
    return f"git fetch origin {branch}" if branch else "git fetch origin"
