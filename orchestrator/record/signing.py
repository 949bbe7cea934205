"""Ed25519 keys in files: reading, signing, checking. The only importer of ``cryptography``."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from orchestrator.core.errors import UserError

_LARGEST = 64 * 1024  # bytes of a file that may be a key
_MAKE = "make one with: openssl genpkey -algorithm ed25519 -out audit-key.pem"


@dataclass(frozen=True, slots=True)
class Verifier:
    """Implements :class:`orchestrator.record.envelope.PublicKey`."""

    _key: ed25519.Ed25519PublicKey

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` shows it, however the key was written."""
        line = self._key.public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        raw = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
        return f"SHA256:{base64.b64encode(raw).decode().rstrip('=')}"

    def signed(self, data: bytes, signature: bytes) -> bool:
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, held for as long as the run lasts; it goes nowhere else."""

    _key: ed25519.Ed25519PrivateKey

    @property
    def public(self) -> Verifier:
        return Verifier(self._key.public_key())

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def read_signer(path: Path) -> Signer:
    """The private key in a file, PEM (PKCS #8) or OpenSSH.

    Raises:
        UserError: there is none, it wants a passphrase, or it is of another kind.
    """
    data = _read(path, "--sign")
    openssh = b"OPENSSH PRIVATE KEY" in data
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    try:
        key = load(data, password=None)
    except TypeError as error:
        raise _refused("--sign", path, "it is locked with a passphrase", _unlocked(path)) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if b"PUBLIC KEY" in data or data.startswith(b"ssh-"):
            raise _refused("--sign", path, "it is a public key, which cannot sign", "") from error
        raise _refused(
            "--sign", path, "it holds no private key in PEM or OpenSSH form", ""
        ) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _refused("--sign", path, f"it is of another kind, {type(key).__name__}", "")
    return Signer(key)


def read_verifier(path: Path) -> Verifier:
    """The public key in a file, PEM or one line of OpenSSH's.

    Raises:
        UserError: there is none, or it is of another kind.
    """
    data = _read(path, "--key")
    if b"PRIVATE KEY" in data:
        todo = f"give the public one: openssl pkey -in {path} -pubout -out audit-key.pub"
        raise _refused("--key", path, "it is a private key, which nobody else is to have", todo)
    load = (
        serialization.load_ssh_public_key
        if data.startswith(b"ssh-")
        else serialization.load_pem_public_key
    )
    try:
        key = load(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused(
            "--key", path, "it holds no public key in PEM or OpenSSH form", ""
        ) from error
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise _refused("--key", path, f"it is of another kind, {type(key).__name__}", "")
    return Verifier(key)


def _read(path: Path, option: str) -> bytes:
    if not path.is_file():
        raise UserError("no such key file", where=f"{option} {path}", todo=_MAKE)
    with path.open("rb") as file:
        return file.read(_LARGEST)


def _unlocked(path: Path) -> str:
    return (
        "a run has nobody to ask for it: keep a key of its own for signing, or take the "
        f"passphrase off a copy with `ssh-keygen -p -f {path}`"
    )


def _refused(option: str, path: Path, why: str, todo: str) -> UserError:
    return UserError(
        "this is no Ed25519 key that can be used here",
        where=f"{option} {path}",
        why=why,
        todo=todo or _MAKE,
    )
