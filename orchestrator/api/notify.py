"""Telling somebody how a run ended: by a command that is started, or by JSON that is posted.

The message holds no secret of the environment; a command gets it on its standard input, its one line
as last argument, and no variable that holds a key.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from orchestrator import __version__
from orchestrator.core.errors import AisciError, Interrupted, UserError
from orchestrator.core.no_redirect import NoRedirect
from orchestrator.core.sanitize import plain_line
from orchestrator.core.secrets import redact, without_secrets

_SECONDS = 20.0
_LONGEST = 500  # characters of a line


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnding:
    """How a run ended. ``event`` is ``finished``, ``failed``, or ``stopped`` where a person is wanted."""

    event: str
    run: str
    said: str
    todo: str = ""
    ideas: tuple[tuple[str, str], ...] = ()  # (name, status)


def ending_of_error(error: AisciError, run: str) -> RunEnding:
    """The ending of a run that an error stopped; whoever stopped it by hand knows that."""
    event = "interrupted" if isinstance(error, Interrupted) else "stopped"
    said = plain_line(error.what, limit=_LONGEST)
    return RunEnding(event=event, run=run, said=said, todo=plain_line(error.todo, limit=_LONGEST))


def require_target(target: str) -> None:
    """Raise :class:`UserError` for what is neither a command that is here nor an address."""
    try:
        words = [] if is_address(target) else shlex.split(target)
    except ValueError as error:
        raise _wrong(str(error)) from error
    if not words and not is_address(target):
        raise _wrong("it is empty")
    if is_address(target) and not urlsplit(target).hostname:
        raise _wrong("the address names no host")
    if words and shutil.which(words[0]) is None:
        raise _wrong(f"there is no command {words[0][:80]!a} here")


def _wrong(why: str) -> UserError:
    return UserError(
        "nobody can be told by this",
        where="--notify",
        why=why,
        todo="write a command, such as 'notify-send aisci', or an address: https://…",
    )


def is_address(target: str) -> bool:
    """Whether JSON is posted to it; else it is a command."""
    return target.startswith(("https://", "http://"))


def notify(target: str, ending: RunEnding, environ: Mapping[str, str]) -> str:
    """Tell of ``ending``. The reason why that failed, without the address, which may hold a key; or ""."""
    message = _message(ending, environ)
    try:
        if is_address(target):
            return _post(target, message)
        return _start(target, message, environ)
    except (OSError, ValueError, HTTPException, subprocess.SubprocessError) as error:
        if isinstance(error, subprocess.TimeoutExpired):
            return f"it did not end within {_SECONDS:.0f} s"
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None)
        return plain_line(reason or type(error).__name__, limit=200)


def _message(ending: RunEnding, environ: Mapping[str, str]) -> dict[str, Any]:
    facts = {**asdict(ending), "ideas": [{"name": n, "status": s} for n, s in ending.ideas]}
    clean: dict[str, Any] = json.loads(redact(json.dumps(facts, ensure_ascii=False), environ))
    text = ": ".join(filter(None, (f"aisci: {ending.event}", ending.said, ending.run)))
    return {"program": f"aisci {__version__}", "text": redact(text, environ), **clean}


def _post(address: str, message: Mapping[str, Any]) -> str:
    request = urllib.request.Request(  # noqa: S310 - is_address holds it to http and https
        address,
        data=json.dumps(message).encode(),
        headers={"Content-Type": "application/json", "User-Agent": f"aisci/{__version__}"},
        method="POST",
    )
    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(request, timeout=_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        error.close()
        return f"the server answered {error.code}"


def _start(command: str, message: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    done = subprocess.run(
        [*shlex.split(command), str(message["text"])],
        input=json.dumps(message),
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=without_secrets(environ),
        timeout=_SECONDS,
        check=False,
    )
    return f"it ended with exit code {done.returncode}" if done.returncode else ""
