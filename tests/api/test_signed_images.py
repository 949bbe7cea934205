"""With a key of the machine's administrator, no image runs that it has not signed; without one, nothing is asked."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from orchestrator.api import images as pinning
from orchestrator.api import proofs
from orchestrator.api.signed_images import require_signed_images
from orchestrator.core import machine_folder
from orchestrator.core.errors import BadFile, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.machine_folder import MachineFolder
from orchestrator.policy.policy import load_policy
from orchestrator.proof.subject import subject_of

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
IMAGES = (("aisci-latex", ONE), ("aisci-sandbox:cpu", TWO))

pytestmark = pytest.mark.program


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The administrator's folder, with a key such as cosign makes; the private half lies outside of it."""
    folder = tmp_path / "etc"
    (folder / "images.d").mkdir(parents=True)
    monkeypatch.setattr(machine_folder, "MACHINE", MachineFolder(folder, owner=0))
    private = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    openssl("genpkey", *private, "-out", tmp_path / "own.key")
    openssl("pkey", "-in", tmp_path / "own.key", "-pubout", "-out", folder / "images.pub")
    return folder


def sign(machine: Path, image: str, private: str = "own.key", kind: str = "") -> Path:
    """As docs/policy.md has it, with openssl; returns the payload's file."""
    payload = {
        "critical": {
            "identity": {"docker-reference": "aisci"},
            "image": {"docker-manifest-digest": image},
            "type": kind or "cosign container image signature",
        },
        "optional": None,
    }
    path = machine / "images.d" / f"{image[7:19]}.json"
    path.write_text(json.dumps(payload))
    raw = machine.parent / "raw"
    openssl("dgst", "-sha256", "-sign", machine.parent / private, "-out", raw, path)
    path.with_name(f"{path.name}.sig").write_bytes(base64.b64encode(raw.read_bytes()) + b"\n")
    return path


def test_without_a_key_every_image_will_do(machine: Path) -> None:
    (machine / "images.pub").unlink()
    require_signed_images(IMAGES)


def test_every_image_has_to_be_signed_and_the_first_that_is_not_is_named(machine: Path) -> None:
    with pytest.raises(UserError, match="the image aisci-latex is not signed") as caught:
        require_signed_images(IMAGES)
    assert ONE in caught.value.why
    assert caught.value.exit_code == 2
    sign(machine, ONE)
    with pytest.raises(UserError, match="the image aisci-sandbox:cpu is not signed"):
        require_signed_images(IMAGES)
    sign(machine, TWO)
    require_signed_images(IMAGES)


def test_a_changed_payload_and_a_signature_by_another_key_do_not_count(machine: Path) -> None:
    path = sign(machine, ONE)
    path.write_text(path.read_text().replace("1" * 64, "2" * 64))
    with pytest.raises(UserError, match="is not signed") as caught:
        require_signed_images([("x", TWO)])
    assert "is no signature by images.pub" in caught.value.why
    own = machine.parent / "other.key"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", own)
    sign(machine, ONE, private="other.key")
    with pytest.raises(UserError, match="is not signed") as caught:
        require_signed_images([("x", ONE)])
    assert "is no signature by images.pub" in caught.value.why
    sign(machine, ONE)
    require_signed_images([("x", ONE)])


def test_a_payload_without_its_signature_or_of_another_form_signs_nothing(machine: Path) -> None:
    path = sign(machine, ONE)
    path.with_name(f"{path.name}.sig").unlink()
    with pytest.raises(UserError, match="is not signed"):
        require_signed_images([("x", ONE)])
    sign(machine, ONE, kind="something else")
    with pytest.raises(UserError, match="is not signed"):
        require_signed_images([("x", ONE)])
    for text in ("", "[]", "{}", '{"critical": 3}', "[" * 10_000):
        path.write_text(text)
        with pytest.raises(UserError, match="is not signed"):
            require_signed_images([("x", ONE)])


def test_a_key_that_others_may_change_or_that_is_none_stops_everything(machine: Path) -> None:
    sign(machine, ONE)
    key = machine / "images.pub"
    key.chmod(0o666)
    with pytest.raises(BadFile, match="cannot be relied on"):
        require_signed_images([("x", ONE)])
    key.chmod(0o644)
    (machine / "images.d").chmod(0o777)
    with pytest.raises(BadFile, match="cannot be relied on"):
        require_signed_images([("x", ONE)])
    (machine / "images.d").chmod(0o755)
    key.write_text("no key")
    with pytest.raises(BadFile, match="the key of this machine's images"):
        require_signed_images([("x", ONE)])


def test_images_are_held_to_it_where_they_are_pinned_and_before_a_proof(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolved(*words: object, **_: object) -> str:
        return ONE if "latex" in str(words[1]) else TWO

    for module in (pinning, proofs):
        monkeypatch.setattr(module, "resolve_image", resolved)
    for name in ("engine_socket", "check_engine", "require_recent_images"):
        monkeypatch.setattr(pinning, name, lambda *_: None)
    policy = load_policy("ci-cpu", shipped_root() / "policies")
    engine: object = None
    for pinned in (
        lambda: pinning.resolve_images(policy, engine),  # type: ignore[arg-type]  # never asked
        lambda: proofs._images(engine, subject_of("ci-cpu", shipped_root() / "policies")),  # type: ignore[arg-type]
    ):
        for path in (machine / "images.d").iterdir():
            path.unlink()
        sign(machine, ONE)
        with pytest.raises(UserError, match="is not signed"):
            pinned()
        sign(machine, TWO)
        assert {sha256 for _, sha256 in dict(pinned()).items()} == {ONE, TWO}
