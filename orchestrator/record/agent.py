"""Keys that ssh-agent holds, of files and of tokens (PKCS #11): found by fingerprint, and asked to sign.

The agent is asked in its own protocol, over ``SSH_AUTH_SOCK``: a signature of ``ssh-keygen -Y`` would cover
other bytes than the envelope's. The private key never is in this process.
"""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.core.errors import AisciError, UserError
from orchestrator.core.sanitize import plain_line
from orchestrator.record.signing import Signer, Verifier, ecdsa_der, ssh_fingerprint, verifier_of

_ASK_KEYS, _KEYS, _ASK_SIGNATURE, _SIGNATURE = 11, 12, 13, 14
_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384")
_SOCKET = "SSH_AUTH_SOCK"
_SECONDS = 120.0  # a token may wait for a person's touch
_MOST = 256 * 1024  # bytes of an answer, as OpenSSH bounds them
_TRIAL = b"aisci asks whether this key signs"
_REFUSED = "it refused: locked, not confirmed, or its token is not there"
_SHOWN = 6  # keys in an error


@dataclass(frozen=True, slots=True)
class AgentKey:
    """A key of the agent: its public half in SSH's form, and what its owner calls it."""

    blob: bytes
    comment: str

    @property
    def fingerprint(self) -> str:
        return ssh_fingerprint(self.blob)

    @property
    def kind(self) -> str:
        return next(_strings(self.blob), b"").decode("ascii", "replace")


def agent_signer(fingerprint: str, where: str) -> Signer:
    """The key of that fingerprint, which the agent holds, after a trial signature: what would fail at a run's end
    fails here. ``where`` is the option that named it. Raises :class:`UserError`.
    """
    keys = _agent_keys(where)
    found = next((one for one in keys if one.fingerprint == fingerprint), None)
    if found is None:
        known = [f"{one.fingerprint} {one.comment}" for one in keys[:_SHOWN]]
        raise UserError(
            "ssh-agent does not hold this key",
            where=where,
            why=f"wanted {fingerprint}; it holds " + ("\n".join(["", *known]) if known else "none"),
            todo="add it: ssh-add KEYFILE; of a token: ssh-add -s /path/of/its/pkcs11-module.so",
        )
    if found.kind not in _KINDS:
        raise UserError(
            "ssh-agent's key is of a kind that signs no record",
            where=where,
            why=f"it is {plain_line(found.kind, limit=60)}; these do: {', '.join(_KINDS)}",
            todo="make a key of such a kind; a token makes ECDSA on P-256",
        )
    line = found.kind.encode() + b" " + base64.b64encode(found.blob)
    public = verifier_of(line)
    signer = Signer(public, lambda data: _signed(found, public, data))
    try:
        signer.sign(_TRIAL)
    except AisciError as error:
        todo = "unlock the agent or the token, and try again"
        raise UserError(error.what, where=where, why=error.why, todo=todo) from error
    return signer


def _agent_keys(where: str) -> list[AgentKey]:
    """All keys of the agent. Raises :class:`UserError` where none answers."""
    start = 'start one: eval "$(ssh-agent)", then ssh-add KEYFILE'
    path = os.environ.get(_SOCKET, "")
    if not path:
        why = f"{_SOCKET} is not set"
        raise UserError("there is no ssh-agent to sign", where=where, why=why, todo=start)
    try:
        body = _asked(bytes([_ASK_KEYS]), _KEYS, "it refused to list its keys")
        parts = _strings(body[4:])
        return [
            AgentKey(blob, plain_line(comment.decode("utf-8", "replace"), limit=80))
            for blob, comment in zip(parts, parts, strict=True)
        ]
    except (OSError, ValueError) as error:
        why = f"{_SOCKET}={path}: {_reason(error)}"
        raise UserError("no ssh-agent answers", where=where, why=why, todo=start) from error


def _signed(key: AgentKey, public: Verifier, data: bytes) -> bytes:
    """The signature, which the public key was held against. Raises :class:`AisciError`."""
    try:
        message = bytes([_ASK_SIGNATURE]) + _string(key.blob) + _string(data) + bytes(4)
        body = _asked(message, _SIGNATURE, _REFUSED)
        signature = _in_der(key.kind, next(_strings(body)))
        _require_by(public, data, signature)
    except (OSError, ValueError, StopIteration) as error:
        raise AisciError(
            "ssh-agent did not sign",
            where=key.fingerprint,
            why=_reason(error),
            todo="`aisci resume RUN --sign KEY` signs a run that has ended",
        ) from error
    return signature


def _in_der(kind: str, answer: bytes) -> bytes:
    """A signature in SSH's form as openssl writes it."""
    _, raw = _strings(answer)
    if kind == _KINDS[0]:
        return raw
    r, s = _strings(raw)
    return ecdsa_der(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def _require_by(public: Verifier, data: bytes, signature: bytes) -> None:
    if not public.signed(data, signature):
        raise ValueError("what it gave is no signature by this key")


def _asked(message: bytes, wanted: int, refused: str) -> bytes:
    """The body of the agent's answer. Raises ValueError for one that is not ``wanted``, OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
        agent.settimeout(_SECONDS)
        agent.connect(os.environ.get(_SOCKET, ""))
        agent.sendall(_string(message))
        size = int.from_bytes(_received(agent, 4), "big")
        if not 0 < size <= _MOST:
            raise ValueError("its answer has no sensible length")
        answer = _received(agent, size)
    if answer[0] != wanted:
        raise ValueError(refused)
    return answer[1:]


def _received(agent: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = agent.recv(size - len(data))
        if not more:
            raise ValueError("it hung up")
        data += more
    return data


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _strings(data: bytes) -> Iterator[bytes]:
    """SSH's strings in ``data``, one after the other. Raises ValueError for a torn one."""
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            raise ValueError("its answer is torn")
        yield data[4 : 4 + size]
        data = data[4 + size :]


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
