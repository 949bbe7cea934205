"""The editor's shipped fake: a function returns the new bytes of each editable file.

It keeps the port's contract (only editable files change, an edit without a change says why), so
a stage tested with it gets the same values as with Aider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.protocols import Blobs, LanguageModel
from orchestrator.core.tree import Tree
from orchestrator.editor.outcome import conclude_edit
from orchestrator.editor.wire import EditDone, visible_files

EditScript = Callable[[EditRequest, LanguageModel], Mapping[str, bytes]]
"""From the request and the model to the new bytes of each file that changes."""


class _Heard:
    """A model whose replies are remembered."""

    def __init__(self, model: LanguageModel) -> None:
        self.name, self.replies, self._model = model.name, list[str](), model

    def ceiling(self, ask: Ask) -> Usage:
        return self._model.ceiling(ask)

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        reply = self._model.complete(ask, within)
        self.replies.append(reply.text)
        return reply


class ScriptedEditor:
    """Implements :class:`orchestrator.core.protocols.Editor` without Aider; ``script`` may ask the model."""

    def __init__(self, blobs: Blobs, script: EditScript) -> None:
        self._blobs, self._script = blobs, script
        self.requests: list[EditRequest] = []

    def edit(self, request: EditRequest, model: LanguageModel, within: Deadline = FOREVER) -> Edit:
        """See :class:`orchestrator.core.protocols.Editor`."""
        within.check(request.scope)
        self.requests.append(request)
        visible_files(request)
        heard = _Heard(model)
        written = {p: self._blobs.put(data) for p, data in self._script(request, heard).items()}
        within.check(request.scope)
        kept = {p: sha256 for p, sha256 in request.files.files if p in request.editable}
        said = "\n\n".join(heard.replies)
        done = EditDone(type="done", reply=said, turns=1, malformed=0, refused=[], why_not="")
        return conclude_edit(request, Tree.of(kept | written), done, self._blobs)
