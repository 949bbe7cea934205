"""Whether a server of the user's own can be reached: asked before anything starts, without a question to a model."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from http.client import HTTPException

from orchestrator.core.deadline import Deadline, bounded
from orchestrator.core.errors import BudgetSpent
from orchestrator.models.address import ServerAddress

SECONDS = 5.0
_WHAT = "the time for a server's first answer"


def why_unreachable(server: ServerAddress) -> str:
    """Why nothing answers at the address; empty where something does, whatever it says of its models.

    The way there is the one that the environment names, a proxy included. A certificate that this look cannot
    check is the request's own matter.
    """
    try:
        bounded(
            lambda: _look(f"{server.bare.rstrip('/')}/models"),
            Deadline.after(SECONDS, _WHAT),
            _WHAT,
        )
    except urllib.error.HTTPError as answer:
        answer.close()
        return ""
    except BudgetSpent:
        return f"no answer within {SECONDS:.0f} s"
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, ssl.SSLError):
            return ""
        return str(getattr(reason, "strerror", None) or reason)[:200]
    return ""


def _look(address: str) -> None:
    request = urllib.request.Request(address)  # noqa: S310 - the address was checked to be http or https
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - likewise
        answer.read(1)
