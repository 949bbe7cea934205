"""Images that this machine's administrator has signed: with ``/etc/aisci/images.pub``, no other is run.

::

    /etc/aisci/images.pub          a public key, such as cosign's; without it nothing is asked
    /etc/aisci/images.d/NAME.json  an image's id, in the form that cosign signs ("simple signing")
    /etc/aisci/images.d/NAME.json.sig  its signature in base 64, as ``cosign sign-blob`` writes it

An image is known by its id on this engine, since what is built here has no registry's digest.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from orchestrator.core import machine_folder
from orchestrator.core.errors import BadFile, UserError
from orchestrator.core.untrusted import read_plain
from orchestrator.record.pins import SignaturePin
from orchestrator.record.signing import Verifier, verifier_of

KEY_FILE = "images.pub"
SIGNED_FOLDER = "images.d"
_TYPE = "cosign container image signature"
_MOST = 64 * 1024  # bytes of a file


def require_signed_images(images: Iterable[tuple[str, str]]) -> tuple[SignaturePin, ...]:
    """The signatures of images of (name, id), where this machine has a key for them. Raise :class:`UserError` for the first that the machine's administrator has not signed;
    :class:`BadFile` where the key or its folder cannot be relied on. Without a key every image will do.
    """
    key = _key()
    if key is None:
        return ()
    found = list[SignaturePin]()
    signed, refused = _statements(key)
    for name, sha256 in images:
        if sha256 in signed:
            pin = SignaturePin(of=name, hash=sha256, signer=KEY_FILE, key=key.fingerprint)
            found.append(pin)
            continue
        folder = machine_folder.MACHINE.folder / SIGNED_FOLDER
        raise UserError(
            f"the image {name} is not signed by this machine's administrator",
            where=str(folder),
            why=refused.get(sha256) or f"no file there names {sha256}",
            todo="take a signed image, or have its administrator sign this one: docs/policy.md, signed images",
        )
    return tuple(found)


def _key() -> Verifier | None:
    path = machine_folder.MACHINE.file(KEY_FILE)
    if path is None:
        return None
    try:
        return verifier_of(read_plain(path, _MOST))
    except (OSError, ValueError) as error:
        raise BadFile(
            "the key of this machine's images cannot be relied on, so nothing runs",
            where=str(path),
            why=str(error),
            todo="its administrator: put a public key there, Ed25519 or ECDSA on P-256, in PEM",
        ) from error


def _statements(key: Verifier) -> tuple[frozenset[str], dict[str, str]]:
    """The ids that ``key`` has signed; and by id, why a statement about it does not count."""
    signed, refused = set(), {}
    for path in machine_folder.MACHINE.files(SIGNED_FOLDER, ".json"):
        try:
            data = read_plain(path, _MOST)
            sha256 = _image_of(json.loads(data))
        except (OSError, ValueError, RecursionError):
            continue  # it names no image: whoever wants that one is told so
        try:
            made = read_plain(path.with_name(f"{path.name}.sig"), _MOST)
            by_key = key.signed(data, base64.b64decode(made.strip(), validate=True))
        except (OSError, ValueError):
            by_key = False
        if by_key:
            signed.add(sha256)
        else:
            refused[sha256] = (
                f"{path.name} names it, and {path.name}.sig is no signature by {KEY_FILE}"
            )
    return frozenset(signed), refused


def _image_of(payload: Any) -> str:
    """The id in a payload. Raises ValueError for what is none."""
    try:
        critical = payload["critical"]
        if critical["type"] == _TYPE:
            return str(critical["image"]["docker-manifest-digest"])
    except (KeyError, TypeError) as error:
        raise ValueError("no payload of an image's signature") from error
    raise ValueError("a payload of another type")
