"""A time stamp on a run's signature: the request as a file, the answer from one, or an authority that is asked.

Nothing is asked but by ``aisci stamp``, and nothing is sent but the signature's hash. A run needs no network for it.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from contextlib import suppress
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from orchestrator import __version__
from orchestrator.api.find_run import find_run
from orchestrator.api.locking import is_at_work
from orchestrator.core.errors import AisciError, UserError
from orchestrator.core.files import replacing, write
from orchestrator.core.no_redirect import NoRedirect
from orchestrator.core.sanitize import plain_line
from orchestrator.core.untrusted import NotPlain, read_plain, require_plain
from orchestrator.record.paths import RunPaths
from orchestrator.record.timestamp import MOST_STAMP, stamp_request, stamped_at

_SECONDS = 30.0
_MOST_SIGNED = 16 << 20  # bytes


def write_stamp_request(name: str, results: Path, file: Path) -> Path:
    """Write the request for a stamp, to be carried to an authority; returns ``file``. Raises :class:`UserError`."""
    _, signed = _to_stamp(name, results)
    if os.path.lexists(file):
        raise UserError(
            "there is something at this place already",
            where=f"--request {file}",
            todo="name a file that does not exist yet",
        )
    with replacing(file) as out:
        out.write(stamp_request(signed))
    return file


def take_stamp(name: str, results: Path, file: Path) -> datetime:
    """Keep an authority's answer beside the signature; returns the time that it claims. Raises :class:`UserError`."""
    paths, signed = _to_stamp(name, results)
    try:
        answer = read_plain(file, MOST_STAMP)
        at = stamped_at(answer, signed)
    except (OSError, NotPlain, ValueError) as error:
        why = (error.strerror or "") if isinstance(error, OSError) else str(error)
        raise UserError(
            "this is no time stamp of the run's signature",
            where=f"--answer {file}",
            why=why,
            todo="give the authority the request that `aisci stamp RUN --request FILE` writes now",
        ) from error
    write(paths.stamp, answer)
    return at


def ask_for_stamp(name: str, results: Path, address: str) -> datetime:
    """Ask the authority at ``address``, and keep its answer beside the signature; returns the time that it claims.

    Raises :class:`UserError`; :class:`AisciError` where it cannot be asked, or gives no stamp.
    """
    paths, signed = _to_stamp(name, results)
    try:
        answer = _posted(address, stamp_request(signed))
        at = stamped_at(answer, signed)
    except (OSError, ValueError, HTTPException) as error:
        raise AisciError(
            "the authority gave no time stamp",
            where=shown_address(address),
            why=_reason(error),
            todo="try again; or carry the request by hand: `aisci stamp RUN --request FILE`",
        ) from error
    write(paths.stamp, answer)
    return at


def shown_address(address: str) -> str:
    """An authority's address without what may be a secret in it. Raises :class:`UserError` for one that is none."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, host, port = urlsplit(""), None, ""
    if parts.scheme not in {"http", "https"} or not host:
        raise UserError(
            "this is no address of a time-stamp authority",
            where="--authority",
            todo="write one such as https://tsa.example/tsr",
        )
    return plain_line(f"{parts.scheme}://{host}{port}{parts.path}", limit=200)


def _to_stamp(name: str, results: Path) -> tuple[RunPaths, bytes]:
    """A run that rests, and its signature without a stamp of its own."""
    paths = find_run(name, results)
    require_plain(paths.folder)
    where = str(paths.folder)
    if is_at_work(paths.folder):
        todo = "wait for it, or stop it: `aisci cancel RUN`"
        raise UserError("another process is working on this run", where=where, todo=todo)
    if not paths.signature.is_file():
        todo = f"sign it first: `aisci resume {paths.folder} --sign KEY`"
        raise UserError("the run has no signature to stamp", where=where, todo=todo)
    try:
        signed = read_plain(paths.signature, _MOST_SIGNED)
    except (NotPlain, OSError) as error:
        todo = "ask whoever made this folder; `aisci audit RUN` says more"
        raise UserError(
            "this is no signature of aisci's", where=str(paths.signature), why=str(error), todo=todo
        ) from error
    with suppress(OSError, NotPlain, ValueError):
        at = stamped_at(read_plain(paths.stamp, MOST_STAMP), signed)
        raise UserError(
            "this signature has a time stamp already",
            where=str(paths.stamp),
            why=f"it claims {at:%Y-%m-%d %H:%M:%S} UTC, and a later one would say less",
            todo="`aisci audit RUN --stamped-by CERT` checks it; remove the file to have another",
        )
    return paths, signed


def _posted(address: str, message: bytes) -> bytes:
    shown_address(address)
    request = urllib.request.Request(  # noqa: S310 - shown_address holds it to http and https
        address,
        data=message,
        headers={
            "Content-Type": "application/timestamp-query",
            "Accept": "application/timestamp-reply",
            "User-Agent": f"aisci/{__version__}",
        },
        method="POST",
    )
    with urllib.request.build_opener(NoRedirect).open(request, timeout=_SECONDS) as answer:
        data: bytes = answer.read(MOST_STAMP + 1)
    if len(data) > MOST_STAMP:
        raise ValueError("its answer is too long")
    return data


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"it answered {error.code}"
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or error
    return plain_line(str(reason) or type(error).__name__, limit=200)
