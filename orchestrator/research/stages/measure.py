"""What a job measured: its results, or the reason why there are none, as a text for a model."""

from __future__ import annotations

from orchestrator.core.errors import BadResults
from orchestrator.core.job import JobResult
from orchestrator.record.ports import Ports
from orchestrator.template.baseline import how_it_ended
from orchestrator.template.results import Results, parse_final_info


def measured(result: JobResult, number: int, ports: Ports) -> tuple[Results | None, str]:
    """The results of run ``number``, or None and what is wrong."""
    if not result.ok:
        return None, f"the run ended as: {how_it_ended(result)}"
    name = f"run_{number}/final_info.json"
    sha256 = result.files.get(name)
    if sha256 is None:
        found = ", ".join(repr(path) for path, _ in result.files.files[:5]) or "nothing"
        refused = ", ".join(f"{path!r} ({why})" for path, why in result.refused[:3])
        trouble = f"it did not write {name}; it left {found}"
        return None, trouble + (f"; refused: {refused}" if refused else "")
    try:
        return parse_final_info(ports.blobs.get(sha256)), ""
    except BadResults as error:
        return None, f"final_info.json cannot be used: {error.why}; {error.todo}"
