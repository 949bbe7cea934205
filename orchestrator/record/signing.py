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

_MAX_BYTES = 64 * 1024  # of a key's file
_NO_KEY = "it contains no {} key in PEM or OpenSSH form"
_MAKE = "make one with: openssl genpkey -algorithm ed25519 -out audit-key.pem"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key, such as an auditor supplies."""

    _key: ed25519.Ed25519PublicKey

    @property
    def fingerprint(self) -> str:
        """In the form of ``ssh-keygen -l``, for every format of the key's file."""
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
    """A private key, in memory for the duration of the run."""

    _key: ed25519.Ed25519PrivateKey

    @property
    def public(self) -> Verifier:
        return Verifier(self._key.public_key())

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def read_signer(path: Path, option: str = "--sign") -> Signer:
    """The private key in a file that ``option`` names, PEM (PKCS #8) or OpenSSH, without a passphrase.
    Raises :class:`UserError` if the file is missing or contains anything else.
    """
    data = _read(path, option)
    openssh = b"OPENSSH PRIVATE KEY" in data
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    try:
        key = load(data, password=None)
    except TypeError as error:
        todo = (
            "a run cannot ask for the passphrase: use a separate key for signing, or remove the "
            f"passphrase from a copy with `ssh-keygen -p -f {path}`"
        )
        raise _refused(option, path, "it is locked with a passphrase", todo) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        is_public = b"PUBLIC KEY" in data or data.startswith(b"ssh-")
        why = "it is a public key, which cannot sign" if is_public else _NO_KEY.format("private")
        raise _refused(option, path, why) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _refused(option, path, f"it is another kind of key, {type(key).__name__}")
    return Signer(key)


def read_verifier(path: Path) -> Verifier:
    """The public key in a file, PEM or one line of OpenSSH's. Raises :class:`UserError`."""
    data = _read(path, "--key")
    if b"PRIVATE KEY" in data:
        todo = f"give the public one: openssl pkey -in {path} -pubout -out audit-key.pub"
        raise _refused("--key", path, "it is a private key, which must stay secret", todo)
    openssh = data.startswith(b"ssh-")
    load = serialization.load_ssh_public_key if openssh else serialization.load_pem_public_key
    try:
        key = load(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused("--key", path, _NO_KEY.format("public")) from error
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise _refused("--key", path, f"it is another kind of key, {type(key).__name__}")
    return Verifier(key)


def _read(path: Path, option: str) -> bytes:
    if not path.is_file():
        raise UserError("no such key file", where=f"{option} {path}", todo=_MAKE)
    with path.open("rb") as file:
        return file.read(_MAX_BYTES)


def _refused(option: str, path: Path, why: str, todo: str = _MAKE) -> UserError:
    return UserError(
        "the file has no usable Ed25519 key", where=f"{option} {path}", why=why, todo=todo
    )
