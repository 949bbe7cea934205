"""What litellm raises, as ours: busy (ask again later) or refused (asking again will not help)."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.core.errors import ModelBusy, ModelFailed, ModelRefused
from orchestrator.core.sanitize import plain
from orchestrator.models.redact import redact


def translate_failure(
    problem: Exception, name: str, purpose: str, tries: int, environ: Mapping[str, str]
) -> ModelFailed:
    """The error to raise: short, fit to show, with no secret of ``environ`` in it."""
    status = getattr(problem, "status_code", None)
    said = redact(str(problem), environ).partition("Traceback")[0].strip()
    why = (f"HTTP {status}: " if status else "") + plain(said, limit=600)
    where = f"step {purpose}"
    if _is_busy(status, said):
        return ModelBusy(
            f"{name} gave no answer" + (f", asked {tries} times" if tries > 1 else ""),
            where=where,
            why=why,
            todo="`aisci resume` goes on from here later; nothing recorded is paid again",
        )
    todo = _remedy(status, problem)
    return ModelRefused(f"{name} refused the request", where=where, why=why, todo=todo)


def retry_after(problem: Exception) -> float:
    """Seconds from a Retry-After header; 0 where there is none, or one that gives a date."""
    headers = getattr(problem, "litellm_response_headers", None) or {}
    text = str(headers.get("retry-after", ""))
    return float(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else 0.0


def _is_busy(status: int | None, said: str) -> bool:
    """Whether asking again may help. A used-up quota comes as 429 too, and waiting does not."""
    if "insufficient_quota" in said or "exceeded your current quota" in said:
        return False
    return status is None or status in {408, 409, 425, 429} or status >= 500


def _remedy(status: int | None, problem: Exception) -> str:
    if type(problem).__name__ == "ContextWindowExceededError":
        return "the request is too long for this model: choose one with a larger context"
    remedies = {
        401: "check the key in the environment",
        403: "check what the key's account may use",
        404: "check the model's name",
        429: "the account's quota is used up: raise it with the vendor, then `aisci resume`",
    }
    return remedies.get(status or 0, "choose another model, if the request looks right to you")
