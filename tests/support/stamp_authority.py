"""A time-stamp authority of a test's own: real answers of ``openssl ts``, under certificates of any validity."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONF = """\
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""


class StampRig:
    """An authority whose root's certificate is in ``root``; its own is valid from and to so many days from now."""

    def __init__(
        self, folder: Path, days: tuple[int, int] = (-1, 30), *, for_stamps: bool = True
    ) -> None:
        folder.mkdir()
        self.folder, self.root = folder, folder / "root.pem"
        now = datetime.now(UTC)
        root_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = _named(
            "Test root", "Test root", own=root_key.public_key(), since=now - timedelta(900)
        )
        root = root.not_valid_after(now + timedelta(900)).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        own = _named(
            "Test TSA", "Test root", own=own_key.public_key(), since=now + timedelta(days[0])
        )
        purpose = (
            ExtendedKeyUsageOID.TIME_STAMPING if for_stamps else ExtendedKeyUsageOID.CODE_SIGNING
        )
        own = own.not_valid_after(now + timedelta(days[1])).add_extension(
            x509.ExtendedKeyUsage([purpose]), critical=True
        )
        for path, made in (
            (self.root, root.sign(root_key, hashes.SHA256())),
            (folder / "tsa.pem", own.sign(root_key, hashes.SHA256())),
        ):
            path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.key").write_bytes(
            own_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (folder / "serial").write_text("01\n")
        (folder / "tsa.conf").write_text(_CONF.format(folder=folder))

    def answer(self, request: bytes) -> bytes:
        """What the authority says to a request."""
        asked, said = self.folder / "asked.tsq", self.folder / "said.tsr"
        asked.write_bytes(request)
        words = ["openssl", "ts", "-reply", "-config", self.folder / "tsa.conf", "-section", "one"]
        words += ["-queryfile", asked, "-signer", self.folder / "tsa.pem"]
        words += ["-inkey", self.folder / "tsa.key", "-out", said]
        subprocess.run([str(word) for word in words], check=True, capture_output=True)
        return said.read_bytes()

    @contextmanager
    def served(
        self, code: int = 200, instead: bytes | None = None
    ) -> Iterator[tuple[str, list[bytes]]]:
        """Its address on this machine, and what it was asked; ``instead`` is answered in place of a stamp."""
        rig, asked = self, []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = self.rfile.read(int(self.headers["Content-Length"]))
                asked.append(request)
                assert self.headers["Content-Type"] == "application/timestamp-query"
                said = rig.answer(request) if instead is None else instead
                self.send_response(code)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/tsr", asked
            finally:
                server.shutdown()
                thread.join()


def _named(
    name: str, issuer: str, *, own: ec.EllipticCurvePublicKey, since: datetime
) -> x509.CertificateBuilder:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer)]
    made = x509.CertificateBuilder(subject_name=names[0], issuer_name=names[1], public_key=own)
    return made.serial_number(x509.random_serial_number()).not_valid_before(since)
