"""What a job measured: its results, or the reason why there are none."""

from __future__ import annotations

from orchestrator.core.errors import BadResults
from orchestrator.core.job import Job, JobResult, Verdict
from orchestrator.core.units import size_text
from orchestrator.record.ports import Ports
from orchestrator.template.results import Results, parse_final_info

_SIGNALS = range(129, 160)  # exit codes of a shell's program that a signal ended


def measured(
    job: Job, result: JobResult, number: int, ports: Ports
) -> tuple[Results | None, str, str]:
    """The run's results; or None, the reason as a text for a model, and what a person can do."""
    if not result.ok:
        ended = f"the run ended as: {result.verdict}{_how(result)}"
        if result.verdict is Verdict.LOG_FLOOD:
            most = size_text(job.limits.logs)
            ended += f": it printed more than {most}, the policy's {job.kind}.logs"
            return None, ended, "print less, or raise `logs` in a policy of your own"
        return None, ended, "choose a smaller --scale, or a policy with more room"
    name = f"run_{number}/final_info.json"
    sha256 = result.files.get(name)
    if sha256 is None:
        found = ", ".join(repr(path) for path, _ in result.files.files[:5]) or "nothing"
        refused = ", ".join(f"{path!r} ({why})" for path, why in result.refused[:3])
        trouble = f"it did not write {name}; it left {found}"
        trouble += f"; refused: {refused}" if refused else ""
        return None, trouble, "write the results into the folder that --out_dir names"
    try:
        return parse_final_info(ports.blobs.get(sha256)), "", ""
    except BadResults as error:
        return None, f"{error.what}: {error.why}", error.todo


def _how(result: JobResult) -> str:
    """The exit code, and the signal that it means."""
    code = result.exit_code
    if not code or result.verdict is not Verdict.FAILED:
        return ""
    signal = f", killed by signal {code - 128}" if code in _SIGNALS else ""
    return f" (exit code {code}{signal})"
