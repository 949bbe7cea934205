"""What came of an edit, decided by comparing files: whole, or none with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from orchestrator.core.edit import MOST_NEW_FILES, NEW_FILE, NEW_FILE_BYTES, Edit, EditRequest
from orchestrator.core.job import Attestation
from orchestrator.core.protocols import Blobs
from orchestrator.core.tree import Tree
from orchestrator.editor.wire import EditDone, edit_failed

_EMPTY = hashlib.sha256(b"").hexdigest()


def conclude_edit(
    request: EditRequest,
    returned: Tree,
    done: EditDone,
    blobs: Blobs,
    refused: Iterable[str] = (),
    attestation: Attestation | None = None,
) -> Edit:
    """The edit: whole, or with a reason and no change. Only editable files count, and new ones if the
    request allows them. Raises :class:`EditorFailed` if an editable file was lost.
    """
    files, kept = returned.as_dict(), dict[str, str]()
    for path in request.editable:
        before, after = request.files.get(path), files.get(path)
        if after is None and before is not None:
            why = "it was removed, is not a regular file any more, or exceeds the harvest limit"
            raise edit_failed(f"the editor lost {path!r}", request, why)
        if after is not None:
            kept[path] = after
    made = [path for path in files if path not in kept and may_be_new(path, request)]
    for path in made[:MOST_NEW_FILES]:
        if len(blobs.get(files[path])) <= NEW_FILE_BYTES:
            kept[path] = files[path]
    dropped = {path for path, sha256 in files.items() if request.files.get(path) != sha256}
    # Aider gets an empty file for a path that does not exist; unused, it is no change.
    changed = tuple(
        path
        for path, sha256 in sorted(kept.items())
        if sha256 != (request.files.get(path) or _EMPTY)
    )
    why_not = done.why_not if changed or done.why_not else "the edit changes no file"
    if why_not:
        changed = ()
    return Edit(
        files=request.files.updated({path: kept[path] for path in changed}),
        changed=changed,
        reply=done.reply,
        why_not=why_not,
        refused=tuple(sorted({*done.refused, *refused, *(dropped - set(kept))})),
        turns=done.turns,
        attestation=attestation,
    )


def may_be_new(path: str, request: EditRequest) -> bool:
    """Whether the edit may add this file."""
    known = request.files.get(path) is not None
    return request.new_files and not known and NEW_FILE.fullmatch(path) is not None
