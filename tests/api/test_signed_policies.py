"""Where a machine names who signs policies, one's own policy runs only with a signature that counts."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from orchestrator.api import runs
from orchestrator.api.policies import usable_policy
from orchestrator.api.raised_budget import with_less
from orchestrator.api.resume_request import ResumeRequest
from orchestrator.api.signatures import with_signatures
from orchestrator.api.signed_policies import (
    SIGNED_SUFFIX,
    require_signed_policy,
    require_signed_still,
    sign_policy,
)
from orchestrator.core import machine_folder
from orchestrator.core.errors import BadFile, BadPolicy, UserError
from orchestrator.core.machine_folder import MachineFolder
from orchestrator.core.tree import Tree, canonical
from orchestrator.policy.policy import Policy, load_policy
from orchestrator.record.pins import SignaturePin
from orchestrator.record.signing import Signer, Verifier
from orchestrator.report.ceilings import ceiling_rows
from orchestrator.research.pins import pins_of, spec_of
from tests.support import run_rig
from tests.support.places import ROOT
from tests.support.unended import unended_run

TEXT = """version: 1
name: team
description: Of a team.
extends: ci-cpu
experiment:
  resources: {cpus: 1, memory: 1GiB, pids: 128, shm: 64MiB, open_files: 1024}
  time: {wall: 4m, cpu: 4m, grace: 5s}
"""


def a_key() -> tuple[Signer, str]:
    """A key, and its public half in one line."""
    private = Ed25519PrivateKey.generate()
    line = private.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return Signer(Verifier(private.public_key()), private.sign), line.decode()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The administrator's folder, without a list yet."""
    folder = tmp_path / "etc"
    folder.mkdir(mode=0o755)
    monkeypatch.setattr(machine_folder, "MACHINE", MachineFolder(folder, os.getuid()))
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "team.yaml"
    path.write_text(TEXT)
    return path


def names(folder: Path, *keys: str, name: str = "policy-keys.yaml", until: str = "") -> None:
    rows = [f"  - {{name: security team, key: {key!r}{until}}}" for key in keys]
    path = folder / name
    path.write_text("keys:\n" + "\n".join(rows) + "\n")
    path.chmod(0o644)


def loaded(path: Path) -> Policy:
    return load_policy(str(path), ROOT / "policies")


def why(path: Path) -> str:
    with pytest.raises(BadPolicy, match="takes signed policies alone") as refused:
        require_signed_policy(loaded(path))
    assert refused.value.where == f"{path}{SIGNED_SUFFIX}"
    assert "aisci policy sign" in refused.value.todo
    return str(refused.value.why)


def test_the_record_of_a_run_says_who_signed_its_policy_and_an_audit_holds_it_to_that(
    place: Path, file: Path, tmp_path: Path
) -> None:
    setup = run_rig.setup(tmp_path)
    assert with_signatures(setup).signatures == (), "a shipped policy needs none"
    signer, line = a_key()
    names(place, line)
    sign_policy(str(file), signer)
    own = with_signatures(replace(setup, policy=loaded(file)))
    (pin,) = own.signatures
    assert pin == SignaturePin(
        of="policy",
        hash=own.policy.hash,
        signer="security team",
        key=signer.public.fingerprint,
        envelope=Path(f"{file}{SIGNED_SUFFIX}").read_text(),
    )
    assert with_signatures(own, pinned=True).signatures == (pin,)
    files = Tree.of(dict.fromkeys(own.template.files, "0" * 64))
    pins = pins_of(own, files)
    assert pins.signatures == (pin,)
    assert spec_of(pins, own.template).signatures == (pin,)
    (row,) = ceiling_rows(pins)
    assert signer.public.fingerprint in str(row[1])
    assert b'"signatures"' not in canonical(pins_of(setup, files)), (
        "records of before stay as they were"
    )


def test_without_a_list_nothing_is_asked_and_shipped_policies_need_no_signature(
    place: Path, file: Path
) -> None:
    require_signed_policy(loaded(file))
    _, line = a_key()
    names(place, line)
    require_signed_policy(load_policy("ci-cpu", ROOT / "policies"))
    assert why(file) == "there is no signature"


def test_a_policy_that_a_listed_key_signed_runs_until_it_or_its_parent_is_changed(
    place: Path, file: Path, tmp_path: Path
) -> None:
    signer, line = a_key()
    _, other = a_key()
    names(place, other, line)
    child = tmp_path / "child.yaml"
    child.write_text("version: 1\nname: child\ndescription: x\nextends: ./team.yaml\n")
    for path in (file, child):
        done = sign_policy(str(path), signer)
        assert (done.hash, done.signer) == (loaded(path).hash, signer.public.fingerprint)
        require_signed_policy(loaded(path))
    assert usable_policy(str(child), tmp_path).name == "child"
    file.write_text(TEXT.replace("pids: 128", "pids: 100"))
    assert "was changed since" in why(file)
    assert "was changed since" in why(child)
    with pytest.raises(BadPolicy, match="takes signed policies alone"):
        usable_policy(str(child), tmp_path)


def test_a_signature_by_another_key_a_withdrawn_one_or_one_that_is_over_counts_for_nothing(
    place: Path, file: Path
) -> None:
    signer, line = a_key()
    _, other = a_key()
    sign_policy(str(file), signer)
    names(place, other)
    assert why(file) == "no key of the list made it"
    names(place, line, until=", until: 2020-01-01")
    assert "until 2020-01-01" in why(file)
    names(place, line, until=", until: 2099-01-01")
    require_signed_policy(loaded(file))
    deny = place / "deny.yaml"
    deny.write_text(f'keys: ["{signer.public.fingerprint}"]\n')
    deny.chmod(0o644)
    assert "is withdrawn" in why(file)


def test_a_signature_of_something_else_or_one_that_was_touched_counts_for_nothing(
    place: Path, file: Path
) -> None:
    signer, line = a_key()
    names(place, line)
    made = sign_policy(str(file), signer).file
    whole = made.read_text()
    for wrong in ("", "{}", whole[: len(whole) // 2], whole.replace("payload", "other")):
        made.write_text(wrong)
        assert why(file).startswith("it is no signature of a policy: ")
    made.unlink()
    made.symlink_to(file)
    assert "no signature" in why(file)
    made.unlink()
    twisted = whole.replace('"sig": "', '"sig": "AAAA')
    made.write_text(twisted)
    assert why(file) == "no key of the list made it"


def begun_under(file: Path, place: Path) -> tuple[Policy, SignaturePin, str]:
    """The policy of a run that began under it, as its record has it, its signature, and the key's line."""
    signer, line = a_key()
    names(place, line)
    sign_policy(str(file), signer)
    policy = loaded(file)
    pin = require_signed_policy(policy)
    assert pin is not None
    return replace(policy, origin="shipped"), pin, line


def test_a_run_goes_on_by_the_signature_in_its_record_and_by_no_word_of_its_own(
    place: Path, file: Path
) -> None:
    policy, pin, _ = begun_under(file, place)
    file.unlink()
    assert require_signed_still(policy, pin) == pin
    _, other = a_key()
    whole = policy.whole.model_copy(update={"name": "ci-cpu"})
    called_shipped = replace(policy, whole=whole)
    called_blocks = replace(policy, whole=policy.whole.model_copy(update={"name": "latex"}))
    for wrong, made in (
        (policy, None),
        (policy, replace(pin, envelope="")),
        (policy, replace(pin, envelope=pin.envelope.replace("payload", "other"))),
        (called_shipped, pin),
        (called_blocks, pin),
    ):
        with pytest.raises(BadPolicy, match="the run's, ") as refused:
            require_signed_still(wrong, made)
        assert "--fork --policy" in refused.value.todo
    names(place, other)
    with pytest.raises(BadPolicy, match="no key of the list made it"):
        require_signed_still(policy, pin)
    (place / "policy-keys.yaml").unlink()
    assert require_signed_still(policy, pin) == pin, "without a list nothing is asked"
    assert require_signed_still(called_shipped, pin) is None, "nor is it pinned for another"


def test_a_run_whose_policys_key_ended_goes_on_and_one_whose_key_is_withdrawn_does_not(
    place: Path, file: Path
) -> None:
    policy, pin, line = begun_under(file, place)
    names(place, line, until=f", until: {datetime.now(UTC):%Y-%m-%d}")
    assert require_signed_still(policy, pin) == pin
    names(place, line, until=", until: 2020-01-01")
    with pytest.raises(BadPolicy, match="until 2020-01-01"):
        require_signed_still(policy, pin)
    names(place, line)
    deny = place / "deny.yaml"
    deny.write_text(f'keys: ["{pin.key}"]\n')
    deny.chmod(0o644)
    with pytest.raises(BadPolicy, match="is withdrawn"):
        require_signed_still(policy, pin)


def test_less_of_a_budget_needs_no_other_signature_and_more_of_anything_does(
    place: Path, file: Path
) -> None:
    policy, pin, _ = begun_under(file, place)
    less = with_less(loaded(file), 1.0, None)
    assert require_signed_policy(less) == replace(pin, hash=less.hash)
    assert require_signed_still(less, pin) == replace(pin, hash=less.hash)
    require_signed_still(with_less(load_policy("ci-cpu", ROOT / "policies"), 1.0, None), None)
    run = policy.whole.run
    richer = run.model_copy(update={"budget": run.budget.model_copy(update={"usd": 1e6})})
    for whole in (
        policy.whole.model_copy(update={"run": richer}),
        policy.whole.model_copy(update={"latex": policy.whole.experiment}),
    ):
        with pytest.raises(BadPolicy, match="was changed since"):
            require_signed_still(replace(policy, whole=whole), pin)


def test_the_exceptions_are_part_of_what_is_signed(place: Path, file: Path) -> None:
    signer, line = a_key()
    names(place, line)
    more = TEXT.replace("wall: 4m, cpu: 4m", "wall: 9m, cpu: 9m")
    exceeds = "exceeds:\n  experiment.time.wall: {reason: a study that needs longer, approver: A. Person, until: 2099-01-01}\n"
    file.write_text(more + exceeds)
    assert sign_policy(str(file), signer).exceptions == ("experiment.time.wall",)
    require_signed_policy(loaded(file))
    file.write_text((more + exceeds).replace("A. Person", "B. Person"))
    assert "was changed since" in why(file)


def test_a_shipped_policy_and_one_with_an_error_are_not_signed(file: Path) -> None:
    signer, _ = a_key()
    with pytest.raises(UserError, match="needs no signature"):
        sign_policy("ci-cpu", signer)
    file.write_text(TEXT.replace("wall: 4m", "wall: 90m"))
    with pytest.raises(BadPolicy):
        sign_policy(str(file), signer)
    assert not Path(f"{file}{SIGNED_SUFFIX}").exists()


@pytest.mark.parametrize(
    "text", ["keys: []\n", "keys:\n  - {name: team, key: 'no key at all of any kind'}\n"]
)
def test_a_list_that_cannot_be_used_stops_everything(place: Path, file: Path, text: str) -> None:
    path = place / "policy-keys.yaml"
    path.write_text(text)
    path.chmod(0o644)
    with pytest.raises(BadFile):
        require_signed_policy(loaded(file))


def test_a_resume_and_a_fork_of_an_unsigned_policy_are_refused_before_anything_is_asked(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    journal = unended_run(folder, monkeypatch)
    before = journal.read_bytes()
    names(place, a_key()[1])
    for fork in (False, True):
        with pytest.raises(BadPolicy, match="takes signed policies alone, and the run's"):
            runs.resume(ResumeRequest(run=str(folder), results=tmp_path, fork=fork))
    assert journal.read_bytes() == before
