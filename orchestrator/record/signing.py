"""Signing keys: of files, and public ones; signing and checking. The only importer of ``cryptography``.

A key is Ed25519, or ECDSA on P-256 or P-384, which is what tokens have and ``cosign`` makes.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from orchestrator.core.errors import UserError

Passphrase = Callable[[str], str]
"""Asks a person for the passphrase of the key that it is told; "" for none."""
Certificate = x509.Certificate

_MAX_BYTES = 64 * 1024  # of a key's file
_TRIES = 3  # at a passphrase, as ssh gives them
_NO_KEY = "it contains no {} key in PEM or OpenSSH form"
_MAKE = "make one with: openssl genpkey -algorithm ed25519 -out audit-key.pem"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
}


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key, such as an auditor supplies."""

    _key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey

    @property
    def fingerprint(self) -> str:
        """In the form of ``ssh-keygen -l``, for every format of the key's file."""
        line = self._key.public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        return ssh_fingerprint(base64.b64decode(line.split()[1]))

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Whether ``signature`` is of ``data``; of ECDSA it is in DER, as openssl writes it."""
        try:
            if isinstance(self._key, ed25519.Ed25519PublicKey):
                self._key.verify(signature, data)
            else:
                self._key.verify(signature, data, _ecdsa(self._key.curve))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs: in memory for the duration of the run, or asked of who holds it."""

    public: Verifier
    sign: Callable[[bytes], bytes] = field(repr=False)


def ssh_fingerprint(blob: bytes) -> str:
    """Of a public key in the form of the SSH protocol: ``SHA256:…``."""
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def ecdsa_der(r: int, s: int) -> bytes:
    """The two numbers of an ECDSA signature as openssl writes them."""
    return utils.encode_dss_signature(r, s)


def read_signer(path: Path, option: str = "--sign", ask: Passphrase | None = None) -> Signer:
    """The private key in a file that ``option`` names, PEM (PKCS #8) or OpenSSH. ``ask`` is called where it is
    locked with a passphrase. Raises :class:`UserError` if the file is missing, others may read it, it is locked
    and nobody can be asked, or it contains anything else.
    """
    data = _read(path, option, private=True)
    load = _loader(data)
    try:
        key = load(data, None)
    except TypeError:
        key = _unlocked(data, path, option, ask)
    except (ValueError, UnsupportedAlgorithm) as error:
        why = (
            "it is a public key, which cannot sign"
            if is_public(data)
            else _NO_KEY.format("private")
        )
        raise _refused(option, path, why) from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return Signer(Verifier(key.public_key()), key.sign)
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _HASHES:
        curve, sign = key.curve, key.sign
        return Signer(Verifier(key.public_key()), lambda said: sign(said, _ecdsa(curve)))
    raise _refused(option, path, f"it is another kind of key, {_kind(key)}")


def read_verifier(path: Path, option: str = "--key") -> Verifier:
    """The public key in a file, PEM or one line of OpenSSH's. Raises :class:`UserError`."""
    data = _read(path, option)
    if b"PRIVATE KEY" in data:
        todo = f"give the public one: openssl pkey -in {path} -pubout -out audit-key.pub"
        raise _refused(option, path, "it is a private key, which must stay secret", todo)
    try:
        return verifier_of(data)
    except ValueError as error:
        raise _refused(option, path, str(error)) from error


def verifier_of(data: bytes) -> Verifier:
    """The public key in the bytes of a file. Raises ValueError, which says why there is none."""
    openssh = not data.lstrip().startswith(b"-----")
    load = serialization.load_ssh_public_key if openssh else serialization.load_pem_public_key
    try:
        key = load(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(_NO_KEY.format("public")) from error
    if isinstance(key, ed25519.Ed25519PublicKey) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _HASHES
    ):
        return Verifier(key)
    raise ValueError(f"it is another kind of key, {_kind(key)}")


def is_public(data: bytes) -> bool:
    """Whether a file's beginning is that of a public key, PEM or OpenSSH."""
    return b"PUBLIC KEY" in data or data.startswith((b"ssh-", b"ecdsa-", b"sk-"))


def read_certificates(path: Path, option: str) -> tuple[Certificate, ...]:
    """All certificates of a file in PEM. Raises :class:`UserError`."""
    if not path.is_file():
        todo = "ask the authority for its certificate, in PEM"
        raise UserError("no such file of a certificate", where=f"{option} {path}", todo=todo)
    with path.open("rb") as file:
        data = file.read(16 * _MAX_BYTES)
    try:
        return tuple(x509.load_pem_x509_certificates(data))
    except ValueError as error:
        raise UserError(
            "the file has no usable certificate",
            where=f"{option} {path}",
            why="it contains none in PEM",
            todo=f"if it is DER: openssl x509 -inform der -in {path} -out authority.pem",
        ) from error


def _ecdsa(curve: ec.EllipticCurve) -> ec.ECDSA:
    return ec.ECDSA(_HASHES[curve.name])


def _kind(key: object) -> str:
    curve = getattr(key, "curve", None)
    return f"ECDSA on {curve.name}" if isinstance(curve, ec.EllipticCurve) else type(key).__name__


def _loader(data: bytes) -> Callable[[bytes, bytes | None], object]:
    openssh = b"OPENSSH PRIVATE KEY" in data
    return serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key


def _unlocked(data: bytes, path: Path, option: str, ask: Passphrase | None) -> object:
    """The key of a file that is locked with a passphrase. Raises :class:`UserError`."""
    where = f"{option} {path}"
    agent = f"`ssh-add {path}` once, then {option} with the public key's file"
    if ask is None:
        raise UserError(
            "the key is locked with a passphrase, and nobody can be asked for it",
            where=where,
            why="this command has no terminal; no argument, variable or file takes a passphrase",
            todo=f"let ssh-agent hold the key: {agent}; or start this command at a terminal",
        )
    for left in reversed(range(_TRIES)):
        said = ask(f"{path}" if left == _TRIES - 1 else f"{path} (wrong, {left + 1} left)")
        if not said:
            break
        try:
            return _loader(data)(data, said.encode())
        except ValueError:
            continue
    todo = f"try again; or let ssh-agent hold the key: {agent}"
    raise UserError("no right passphrase was given for the key", where=where, todo=todo)


def _read(path: Path, option: str, *, private: bool = False) -> bytes:
    if not path.is_file():
        raise UserError("no such key file", where=f"{option} {path}", todo=_MAKE)
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        data = file.read(_MAX_BYTES)
    if private and mode & 0o077 and b"PRIVATE KEY" in data:
        raise UserError(
            "others may read or write this private key",
            where=f"{option} {path}",
            why=f"its mode is {mode:04o}; whoever reads it can sign as you",
            todo=f"chmod 600 {path}, if nobody has read it; else make a new key",
        )
    return data


def _refused(option: str, path: Path, why: str, todo: str = _MAKE) -> UserError:
    return UserError("the file has no usable key", where=f"{option} {path}", why=why, todo=todo)
