"""Time stamps of RFC 3161 on a run's signature: asking for one, reading it, checking it.

What is stamped is the SHA-256 of ``signature.json``: that this signature, and so each file that it covers, was
there at that time. The only importer of ``rfc3161_client``, in whose Rust hostile bytes are parsed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from orchestrator.record.signing import Certificate, read_certificates

MOST_STAMP = 1 << 20  # bytes
_SHA256 = "2.16.840.1.101.3.4.2.1"


@dataclass(frozen=True, slots=True)
class StampAuthority:
    """Whom an auditor trusts with the time: the certificates of a file, by which a stamp's own is vouched for."""

    name: str
    roots: tuple[Certificate, ...]


def read_authority(path: Path, option: str) -> StampAuthority:
    """The authority whose certificate, or its root's, is in a file in PEM. Raises :class:`UserError`."""
    return StampAuthority(path.name, read_certificates(path, option))


def stamp_request(data: bytes) -> bytes:
    """The request for a stamp on ``data``, of which it has the SHA-256 alone. It has no nonce: an older answer to
    the same request says more, not less. The authority's own certificate is asked for.
    """
    asked = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    return asked.nonce(nonce=False).cert_request(cert_request=True).build().as_bytes()


def stamped_at(answer: bytes, data: bytes) -> datetime:
    """The time that an authority's answer claims for ``data``; nobody's signature is checked. Raises ValueError,
    which says why there is none.
    """
    return _read(answer, data).tst_info.gen_time


def checked_stamp(answer: bytes, data: bytes, authority: StampAuthority) -> datetime:
    """The time for which ``authority`` vouches that ``data`` was there. The stamp's certificate has to be for time
    stamps, to lead to the authority's, and to be valid at that time. Raises ValueError, which says why not.
    """
    read = _read(answer, data)
    verifier = VerifierBuilder(roots=list(authority.roots)).build()
    try:
        verifier.verify_message(read, data)
    except VerificationError as error:
        raise ValueError(_reason(str(error))) from error
    return read.tst_info.gen_time


def _read(answer: bytes, data: bytes) -> TimeStampResponse:
    try:
        read = decode_timestamp_response(answer)
        granted = PKIStatus(read.status) is PKIStatus.GRANTED
        imprint = read.tst_info.message_imprint if granted else None
    except ValueError as error:
        raise ValueError("it is no answer of a time-stamp authority (RFC 3161)") from error
    if imprint is None:
        said = " ".join(map(str, read.status_string))[:200]
        raise ValueError(f"the authority granted no stamp{said and ': '}{said}")
    if imprint.hash_algorithm.dotted_string != _SHA256:
        raise ValueError("it stamps another hash than SHA-256")
    if imprint.message != hashlib.sha256(data).digest():
        raise ValueError("it stamps something else: another signature than this one")
    return read


def _reason(said: str) -> str:
    """Of OpenSSL's list of errors, the part for people."""
    _, found, reason = said.partition('data: "Verify error: ')
    return reason.partition('"')[0] if found else said[:200]
