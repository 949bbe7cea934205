"""Downloads one file over HTTP: bounded, resumed after a break, not trusted before its hash.

The standard library's client follows redirects and uses the environment's proxies and
certificates.
"""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from orchestrator.core.errors import DataFailed
from orchestrator.core.files import disk_errors
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
    with urllib.request.urlopen(request, timeout=_READ_TIMEOUT, context=context) as answer:  # noqa: S310 - as above
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


def _broken(file: DataFile, why: str, what: str) -> DataFailed:
    return DataFailed(
        f"{file.path} could not be fetched: {what}",
        where=file.url,
        why=why,
        todo="run the command again to resume; without a network, download the file elsewhere "
        "and give it with --from FILE; give a private CA with --ca-bundle",
    )
