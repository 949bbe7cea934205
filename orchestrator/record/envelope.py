"""A signed statement about a whole run, in a DSSE envelope.

It is an in-toto statement. Its subjects are the files of the run's folder, with their SHA-256:
journals, papers, results, reviews, pages; its predicate names the heads of the journals. ``signing.py`` makes and checks signatures.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.core.errors import BadJournal
from orchestrator.core.files import UNFINISHED
from orchestrator.core.tree import canonical
from orchestrator.core.untrusted import file_hash, folder_entries
from orchestrator.record.attestation import STATEMENT
from orchestrator.record.chain import head_of, read_lines
from orchestrator.record.events import Forked, RunStarted, Sealed
from orchestrator.record.paths import OF_AN_AUDITOR, RunPaths

PAYLOAD = "application/vnd.in-toto+json"
RUN_PREDICATE = "https://aisci.invalid/run/v1"
"""The predicate's type. It is only a name: RFC 2606 reserves ``.invalid``, so it is no address."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, and its signatures as (name of the key, signature)."""

    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]

    @property
    def to_sign(self) -> bytes:
        """DSSE's pre-authentication encoding of the payload."""
        kind = PAYLOAD.encode()
        return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.payload), self.payload)


def run_statement(paths: RunPaths) -> bytes:
    """The statement about a sealed run. Raises :class:`BadJournal` for an unsealed one."""
    lines = [line for line, _ in read_lines(paths.journal)]
    if not lines or not isinstance(lines[-1], Sealed):
        raise BadJournal(
            "only a finished run can be signed",
            where=str(paths.journal),
            todo="`aisci resume RUN --sign KEY` finishes and signs it",
        )
    starts = [line for line in lines if isinstance(line, RunStarted | Forked)]
    pins, by = starts[-1].pins, starts[-1].by
    ideas = sorted(paths.folder.glob(f"*/{paths.journal.name}"))
    journals = {str(path.relative_to(paths.folder)): path for path in (paths.journal, *ideas)}
    files = {name: file_hash(paths.folder / name) for name in signed_names(paths.folder)}
    return canonical(
        {
            "_type": STATEMENT,
            "subject": [
                {"name": name, "digest": {"sha256": sha256}} for name, sha256 in files.items()
            ],
            "predicateType": RUN_PREDICATE,
            "predicate": {
                "heads": {name: head_of(path) for name, path in journals.items()},
                "began": lines[0].at,
                "sealed": lines[-1].at,
                **({"by": by} if by is not None else {}),
                "program": pins.program,
                "template": {"name": pins.template.name, "hash": pins.template.hash},
                "policy": {"name": pins.policy.name, "hash": pins.policy.hash},
            },
        }
    )


def signed_names(folder: Path) -> Iterator[str]:
    """The files that a signature covers: all of a run's folder but stored bytes, whose names are
    their hashes, a page of an audit, and the signature itself with its time stamp.
    """
    for name, plain in folder_entries(folder):
        *folders, last = name.split("/")
        own = last in OF_AN_AUDITOR and not folders
        if plain and not own and "blobs" not in folders[:2] and not last.startswith(UNFINISHED):
            yield name


def signed_envelope(payload: bytes, name: str, sign: Callable[[bytes], bytes]) -> bytes:
    """The bytes of the envelope's file: ``payload``, signed by the key called ``name``."""
    signature = sign(Envelope(payload, ()).to_sign)
    made = {
        "payloadType": PAYLOAD,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": name, "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(made, indent=1).encode() + b"\n"


def open_envelope(
    data: bytes, predicate: str = RUN_PREDICATE, about: str = "a run"
) -> tuple[Envelope, dict[str, Any]]:
    """The envelope in a file, and the JSON of its payload, whose predicate has this type. Raises ValueError if
    there is none.
    """
    try:
        made = json.loads(data)
        if made["payloadType"] != PAYLOAD:
            raise ValueError(f"it contains {str(made['payloadType'])[:60]!r}")
        payload = base64.b64decode(made["payload"], validate=True)
        rows = [
            (str(row.get("keyid", "")), base64.b64decode(row["sig"], validate=True))
            for row in made["signatures"]
        ]
        statement = json.loads(payload)
        if statement["_type"] != STATEMENT or statement["predicateType"] != predicate:
            raise ValueError(f"it is not a statement about {about} of aisci")
    except (KeyError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise ValueError(
            f"it does not have the form of an envelope: {type(error).__name__}"
        ) from error
    return Envelope(payload, tuple(rows)), statement
