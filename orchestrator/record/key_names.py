"""Which key a person means: a private key's file, a public key's file or ``agent:FINGERPRINT``.

Of the last two ssh-agent holds the private half.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.errors import UserError
from orchestrator.record.agent import agent_signer
from orchestrator.record.signing import Passphrase, Signer, is_public, read_signer, read_verifier

AGENT = "agent:"
_DIGITS = 43  # of a SHA-256 in base 64, without its filling


def open_signer(name: str, option: str = "--sign", ask: Passphrase | None = None) -> Signer:
    """The key that ``option`` names, ready to sign. ``ask`` is as in
    :func:`orchestrator.record.signing.read_signer`. Raises :class:`UserError`.
    """
    where = f"{option} {name}"
    if name.startswith(AGENT):
        return agent_signer(_fingerprint(name, where), where)
    path = Path(name)
    if _has_public(path):
        return agent_signer(read_verifier(path, option).fingerprint, where)
    return read_signer(path, option, ask)


def _fingerprint(name: str, where: str) -> str:
    digits = name.removeprefix(AGENT).removeprefix("SHA256:")
    if len(digits) != _DIGITS:
        raise UserError(
            "this is no key's fingerprint",
            where=where,
            why=f"it is {AGENT}SHA256: and {_DIGITS} characters",
            todo="`ssh-add -l` lists those of the agent's keys",
        )
    return f"SHA256:{digits}"


def _has_public(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_public(file.read(4096))
    except OSError:
        return False  # whoever reads it whole says why
