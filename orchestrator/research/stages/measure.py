"""What a job measured: its results, or the reason why there are none."""

from __future__ import annotations

from orchestrator.core.errors import BadResults
from orchestrator.core.job import Job, JobResult, Verdict
from orchestrator.core.units import size_text
from orchestrator.record.ports import Ports
from orchestrator.template.baseline import how_it_ended
from orchestrator.template.results import Results, parse_final_info


def measured(
    job: Job, result: JobResult, number: int, ports: Ports, *, tails: bool = True
) -> tuple[Results | None, str, str]:
    """The run's results; or None, the reason as a text for a model, and what a person can do about
    the file that it wrote. Without ``tails`` the reason repeats nothing that the program wrote.
    """
    if not result.ok:
        ended = f"the run ended as: {how_it_ended(result)}"
        if result.verdict is Verdict.LOG_FLOOD:
            ended += (
                f": it printed more than {size_text(job.limits.logs)}, the policy's {job.kind}.logs"
            )
        return None, ended, ""
    name = f"run_{number}/final_info.json"
    sha256 = result.files.get(name)
    if sha256 is None:
        found = ", ".join(repr(path) for path, _ in result.files.files[:5]) or "nothing"
        refused = ", ".join(f"{path!r} ({why})" for path, why in result.refused[:3])
        trouble = f"it did not write {name}; it left {found}"
        trouble += f"; refused: {refused}" if refused else ""
        trouble = trouble if tails else f"it did not write {name}"
        return None, trouble, "write the results into the folder that --out_dir names"
    try:
        return parse_final_info(ports.blobs.get(sha256)), "", ""
    except BadResults as error:
        trouble = f"{error.what}: {error.why}" if tails else f"{name} has no usable result"
        return None, trouble, error.todo
