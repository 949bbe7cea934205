"""Downloads one file over HTTP: bounded, resumed after a break, not trusted before its hash.

The standard library's client uses the environment's proxies and certificates. It follows redirects
to http and https alone, never from https to http, and to a private address only where the manifest's
own host has one: a server must not turn this machine on others behind its firewall.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orchestrator.core.errors import DataFailed
from orchestrator.core.files import disk_errors
from orchestrator.sandbox.network.allowlist import why_not_public
from orchestrator.template.manifest import DataFile

_TRIES = 5  # consecutive requests that bring nothing
_READ_TIMEOUT = 60.0  # seconds without a byte
_STEP = 1 << 16
_PARTIAL, _PAST_THE_END = 206, 416
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})

OnProgress = Callable[[int], None]
"""Called with the number of bytes of the file that are present."""


def fetch(
    file: DataFile, path: Path, on_progress: OnProgress, ca_bundle: Path | None, wait: float = 1.0
) -> None:
    """Download ``file`` to ``path``, resuming what is there; its hash is not checked here.

    ``wait`` seconds pass before the second try; the time doubles before each further one.
    Raises :class:`DataFailed`: refused, or not reached; the bytes that came are kept.
    """
    context = ssl.create_default_context(cafile=str(ca_bundle) if ca_bundle else None)
    path.parent.mkdir(parents=True, exist_ok=True)
    failed, why = 0, ""
    while (have := _size(path)) != file.bytes:
        if have > file.bytes:
            path.unlink()
        if failed == _TRIES:
            raise _broken(file, why, f"{_size(path):,} of {file.bytes:,} bytes are present")
        if failed:
            time.sleep(wait * 2 ** (failed - 1))
        try:
            _request_rest(file, path, on_progress, context)
            why = "the connection was cut"
        except urllib.error.HTTPError as error:
            why = f"{error.code} {error.reason}"
            if error.code == _PAST_THE_END:
                path.unlink(missing_ok=True)
            elif error.code not in _PASSING:
                raise _broken(file, why, "the server refused") from error
        except (OSError, http.client.HTTPException) as error:
            why = str(getattr(error, "reason", error)) or type(error).__name__
        failed = 0 if _size(path) > have else failed + 1


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _request_rest(
    file: DataFile, path: Path, on_progress: OnProgress, context: ssl.SSLContext
) -> None:
    """One request for the missing bytes; a server without range support sends all of them."""
    have = _size(path)
    headers = {"Accept-Encoding": "identity", "User-Agent": "aisci"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(file.url, headers=headers)  # noqa: S310 - the manifest allows http and https alone
    opener = urllib.request.build_opener(
        _Redirects(file), urllib.request.HTTPSHandler(context=context)
    )
    with opener.open(request, timeout=_READ_TIMEOUT) as answer:
        resumed = answer.status == _PARTIAL and have > 0
        length = answer.headers.get("Content-Length", "")
        total = int(length) + (have if resumed else 0) if length.isdecimal() else file.bytes
        if total != file.bytes:
            why = f"the server has {total:,} bytes, the manifest {file.bytes:,}"
            raise _broken(file, why, "not fetched")
        with disk_errors(path), path.open("ab" if resumed else "wb") as out:
            done = have if resumed else 0
            while data := answer.read1(min(_STEP, file.bytes - done + 1)):
                out.write(data)
                done += len(data)
                on_progress(done)
                if done > file.bytes:
                    why = f"the server sent more than {file.bytes:,} bytes"
                    raise _broken(file, why, "stopped")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows what leads to a public web server, as the first request did."""

    def __init__(self, file: DataFile) -> None:
        self._file, self._inside = file, bool(_why_not_public(file.url))

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """The next request. Raises :class:`DataFailed` for a redirect that is not followed."""
        was, now = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        why = ""
        if now not in {"http", "https"}:
            why = f"to {now or 'no scheme'}:"
        elif (was, now) == ("https", "http"):
            why = "from https to http"
        elif not self._inside and (inside := _why_not_public(newurl)):
            why = f"to an address that is not public: {inside}"
        if why:
            raise _broken(
                self._file, f"it leads {why}: {newurl[:200]}", "a redirect is not followed"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _why_not_public(url: str) -> str:
    """Why the host of ``url`` is not a public one; empty where every one of its addresses is."""
    host = urlsplit(url).hostname or ""
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(host, None)}
    except OSError:
        return ""  # the request itself reports it; behind a proxy, the proxy knows the name
    return next((why for why in map(why_not_public, sorted(found)) if why), "")


def _broken(file: DataFile, why: str, what: str) -> DataFailed:
    return DataFailed(
        f"{file.path} could not be fetched: {what}",
        where=file.url,
        why=why,
        todo="run the command again to resume; without a network, download the file elsewhere "
        "and give it with --from FILE; give a private CA with --ca-bundle",
    )
