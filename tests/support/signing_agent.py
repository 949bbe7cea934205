"""An ssh-agent of a test's own, and a PKCS #11 token of software (SoftHSM 2) whose key it can hold."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "4321"


@dataclass(frozen=True, slots=True)
class AgentRig:
    """A running agent: its socket, and a folder for keys."""

    socket: Path
    folder: Path

    def add(self, *words: object, **more: str) -> str:
        """``ssh-add`` with these words; what it printed on both streams."""
        done = subprocess.run(
            ["ssh-add", *map(str, words)],
            env={**os.environ, "SSH_AUTH_SOCK": str(self.socket), **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout + done.stderr

    def key(self, kind: str = "ed25519") -> Path:
        """A new key that the agent alone holds: the public key's file."""
        path = self.folder / f"id_{kind}"
        new = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", f"test {kind}", "-f", str(path)]
        subprocess.run(new, check=True)
        self.add("-q", path)
        path.unlink()
        return path.with_suffix(".pub")

    def token(self) -> Path:
        """A new token with an ECDSA key, whose module the agent has loaded: the public key's file."""
        public = self.new_token()
        self.add("-s", SOFTHSM, **self.pin())
        return public

    def pin(self) -> dict[str, str]:
        """Variables by which ``ssh-add`` gets the token's PIN without a terminal."""
        asked = self.folder / "pin.sh"
        asked.write_text(f"#!/bin/sh\necho {PIN}\n")
        asked.chmod(0o700)
        return {"SSH_ASKPASS": str(asked), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}

    def new_token(self) -> Path:
        """A new token with an ECDSA key, which the agent does not know: the public key's file."""
        tokens, conf = self.folder / "tokens", self.folder / "softhsm2.conf"
        tokens.mkdir()
        conf.write_text(f"directories.tokendir = {tokens}\n")
        os.environ["SOFTHSM2_CONF"] = str(conf)  # agent() takes it away
        private, public = self.folder / "token.pem", self.folder / "token.pub"
        made = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        hsm = ["softhsm2-util", "--token", "audit", "--pin", PIN]
        for words in (
            [*made, "-out", str(private)],
            ["openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public)],
            ["softhsm2-util", "--init-token", "--free", "--label", "audit", "--so-pin", PIN, "--pin", PIN],
            [*hsm, "--import", str(private), "--label", "key", "--id", "01"],
        ):  # fmt: skip
            subprocess.run(words, check=True, capture_output=True)
        private.unlink()
        return public


@contextmanager
def agent(folder: Path) -> Iterator[AgentRig]:
    """An agent that ends with the block; ``SSH_AUTH_SOCK`` of this process names it meanwhile."""
    socket = folder / "agent.sock"
    conf = str(folder / "softhsm2.conf")  # the agent's helper reads it when a token is added
    started = subprocess.run(
        ["ssh-agent", "-s", "-a", str(socket)],
        env={**os.environ, "SOFTHSM2_CONF": conf},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"SSH_AGENT_PID=(\d+)", started.stdout)
    assert found, started.stdout
    before = {name: os.environ.get(name) for name in ("SSH_AUTH_SOCK", "SOFTHSM2_CONF")}
    os.environ["SSH_AUTH_SOCK"] = str(socket)
    try:
        yield AgentRig(socket, folder)
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        os.kill(int(found[1]), 15)
