"""Keys that ssh-agent holds, of files and of a token: what signs, and what is refused in which words."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.errors import AisciError, UserError
from orchestrator.record import agent as asked
from orchestrator.record.key_names import open_signer
from orchestrator.record.signing import read_verifier
from tests.record.test_signing import pem, ssh
from tests.support.signing_agent import SOFTHSM, AgentRig, agent

NO_TOKEN = f"Debian's package softhsm2 is not here: {SOFTHSM}"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[AgentRig]:
    with agent(tmp_path) as made:
        yield made


@pytest.mark.program
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_a_key_of_the_agent_signs_by_its_public_file_and_by_its_fingerprint(
    kind: str, rig: AgentRig
) -> None:
    public = rig.key(kind)
    verifier = read_verifier(public)
    for name in (str(public), f"agent:{verifier.fingerprint}", f"agent:{verifier.fingerprint[7:]}"):
        signer = open_signer(name)
        assert signer.public.fingerprint == verifier.fingerprint
        assert verifier.signed(b"said", signer.sign(b"said"))
        assert not verifier.signed(b"other", signer.sign(b"said"))


@pytest.mark.program
@pytest.mark.skipif(not SOFTHSM.is_file(), reason=NO_TOKEN)
def test_a_key_in_a_token_signs_through_the_agent_and_its_pem_checks(rig: AgentRig) -> None:
    public = rig.token()
    signer = open_signer(str(public))
    assert read_verifier(public).signed(b"said", signer.sign(b"said"))
    rig.add("-e", SOFTHSM)
    with pytest.raises(AisciError, match="ssh-agent did not sign") as caught:
        signer.sign(b"said")
    assert "it refused" in caught.value.why
    with pytest.raises(UserError, match="does not hold this key"):
        open_signer(str(public))


@pytest.mark.program
def test_a_key_that_the_agent_lacks_is_refused_with_those_that_it_holds(
    rig: AgentRig, tmp_path: Path
) -> None:
    held = read_verifier(rig.key()).fingerprint
    wanted = ssh(tmp_path).with_suffix(".pub")
    with pytest.raises(UserError, match="does not hold this key") as caught:
        open_signer(str(wanted))
    assert read_verifier(wanted).fingerprint in caught.value.why
    assert f"{held} test ed25519" in caught.value.why
    assert "ssh-add" in caught.value.todo


@pytest.mark.program
def test_a_key_of_a_kind_that_no_audit_checks_is_refused_by_name(rig: AgentRig) -> None:
    rig.key("rsa")
    line = rig.add("-l").split()
    with pytest.raises(UserError, match="of a kind that signs no record") as caught:
        open_signer(f"agent:{line[1]}")
    assert "ssh-rsa" in caught.value.why


@pytest.mark.program
def test_a_locked_agent_is_found_out_before_anything_starts(rig: AgentRig) -> None:
    """A locked agent shows no key: nothing would be signed at the end of a run."""
    public = rig.key()
    ask = rig.folder / "ask.sh"
    ask.write_text("#!/bin/sh\necho locked\n")
    ask.chmod(0o700)
    rig.add("-x", SSH_ASKPASS=str(ask), SSH_ASKPASS_REQUIRE="force", DISPLAY=":0")
    with pytest.raises(UserError, match="does not hold this key") as caught:
        open_signer(str(public))
    assert "it holds none" in caught.value.why


def test_without_an_agent_a_public_key_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"agent:SHA256:{'A' * 43}"
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(UserError, match="there is no ssh-agent") as caught:
        open_signer(name)
    assert "SSH_AUTH_SOCK is not set" in caught.value.why
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    with pytest.raises(UserError, match="no ssh-agent answers") as caught:
        open_signer(name)
    assert "No such file" in caught.value.why
    assert "ssh-add" in caught.value.todo


@pytest.mark.parametrize("name", ["agent:", "agent:SHA256:short", "agent:MD5:12:34"])
def test_what_is_no_fingerprint_is_refused_before_the_agent_is_asked(name: str) -> None:
    with pytest.raises(UserError, match="no key's fingerprint"):
        open_signer(name)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "it hung up"),
        (b"\0\0\0\1\5", "it refused to list its keys"),
        (b"\xff\xff\xff\xff", "no sensible length"),
        (b"\0\0\0\0", "no sensible length"),
        (b"\0\0\0\7\x0c\0\0\0\1\0\0", "torn"),
        (b"\0\0\0\x0d\x0c\0\0\0\1\0\0\0\4abcd", "shorter"),
    ],
)
def test_an_agent_that_answers_nonsense_is_told_as_that(
    answer: bytes, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(100)
                peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        with pytest.raises(UserError, match="no ssh-agent answers") as caught:
            open_signer(f"agent:SHA256:{'A' * 43}")
        thread.join()
    assert why in caught.value.why


@pytest.mark.program
def test_a_signature_that_the_key_does_not_check_is_not_taken(
    rig: AgentRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = open_signer(str(rig.key()))
    monkeypatch.setattr(asked, "_in_der", lambda *_: bytes(64))
    with pytest.raises(AisciError, match="did not sign") as caught:
        signer.sign(b"said")
    assert "no signature by this key" in caught.value.why


@pytest.mark.program
def test_a_private_keys_file_needs_no_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert open_signer(str(pem(tmp_path))).sign(b"said")
    assert "SSH_AUTH_SOCK" not in os.environ
