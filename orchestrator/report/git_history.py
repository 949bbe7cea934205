"""The edits of an idea as a git history that no edit can change.

A bare repository outside the edited tree, written object by object: no work tree, no index,
no hooks, no configuration that a model could have left. One commit per edit, with a fixed
author and the edit's number as its time in seconds, so equal histories have equal ids on
every machine. It is read with any git: ``git -C FOLDER log -p``.
"""

from __future__ import annotations

from pathlib import Path

from dulwich.errors import NotGitRepository
from dulwich.index import commit_tree
from dulwich.objects import Blob, Commit, ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo

from orchestrator.core.errors import BadJournal
from orchestrator.core.protocols import Blobs
from orchestrator.core.tree import Tree

_WHO = b"aisci <aisci@localhost>"
_BRANCH = Ref(b"refs/heads/main")
_PLAIN_FILE = 0o100644
_REMAKE = "remove the folder; `aisci resume` writes it again from the journal"


class History:
    """The edits of one idea, oldest first, in the bare repository ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def record(self, number: int, tree: Tree, message: str, blobs: Blobs) -> str:
        """Commit ``tree`` as edit ``number`` and return the commit's id. An edit that a repeated
        run has already committed stays unchanged. Raises :class:`BadJournal` if another edit has
        this number, or an earlier one is missing.
        """
        with self._open() as repo:
            chain = _chain(repo)
            if number > len(chain):
                raise BadJournal(
                    f"edit {number} cannot follow edit {len(chain) - 1}",
                    where=str(self.folder),
                    todo=_REMAKE,
                )
            parents = [chain[number - 1].id] if number else []
            commit = _commit(_tree(repo, tree, blobs), parents, number, message)
            if number < len(chain):
                if chain[number].id != commit.id:
                    raise BadJournal(
                        f"edit {number} in the git history has other files or another message",
                        where=str(self.folder),
                        todo="move this folder away and resume: the journal is the record, and the history is made from it",
                    )
                return commit.id.decode()
            repo.object_store.add_object(commit)
            repo.refs[_BRANCH] = commit.id
            return commit.id.decode()

    def _open(self) -> Repo:
        if not self.folder.exists():
            return Repo.init_bare(str(self.folder), mkdir=True, default_branch=b"main")
        try:
            return Repo(str(self.folder))
        except NotGitRepository as error:
            raise BadJournal(
                "this folder is not a git history", where=str(self.folder), todo=_REMAKE
            ) from error


def _chain(repo: Repo) -> list[Commit]:
    """The commits of the one branch, oldest first."""
    chain: list[Commit] = []
    at = repo.refs.as_dict().get(_BRANCH)
    while at is not None:
        commit = repo[at]
        assert isinstance(commit, Commit)
        chain.append(commit)
        at = commit.parents[0] if commit.parents else None
    return chain[::-1]


def _tree(repo: Repo, tree: Tree, blobs: Blobs) -> ObjectID:
    """Write the files and folders to the store; return the id of the root folder."""
    entries = []
    for path, sha256 in tree.files:
        blob = Blob.from_string(blobs.get(sha256))
        repo.object_store.add_object(blob)
        entries.append((path.encode(), blob.id, _PLAIN_FILE))
    return commit_tree(repo.object_store, entries)


def _commit(tree: ObjectID, parents: list[ObjectID], number: int, message: str) -> Commit:
    commit = Commit()
    commit.tree = tree
    commit.parents = parents
    commit.author = commit.committer = _WHO
    commit.author_time = commit.commit_time = number
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = message.encode("utf-8", "replace")
    return commit
