"""The full engine arguments of each shipped policy are in the repository, and the engine's too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.core.errors import SandboxFailed
from orchestrator.policy.policy import load_blocks, load_policy
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.engine.objects import (
    create_container,
    make_volume,
    remove_container,
    remove_volume,
)
from orchestrator.sandbox.job.verify import read_back
from tests.support import golden_rig as rig

LABELS = {"aisci.run": "test-golden"}


@pytest.mark.parametrize("name", sorted(rig.all_requests()))
def test_a_shipped_policys_engine_request_is_the_one_that_was_reviewed(name: str) -> None:
    """Renew with ``scripts/renew-golden.sh``, and read the diff."""
    path = rig.FOLDER / name
    assert path.is_file(), f"{name} is new: scripts/renew-golden.sh"
    assert rig.all_requests()[name] == path.read_text("utf-8"), "scripts/renew-golden.sh"


def test_there_is_no_file_for_a_policy_that_is_not_shipped() -> None:
    assert {path.name for path in rig.FOLDER.iterdir() if path.is_file()} == set(rig.all_requests())


def test_a_file_of_one_block_says_what_the_ceiling_says_there() -> None:
    """So base-latex.json and base-editor.json speak for latex.yaml and editor.yaml."""
    base = load_policy("base", rig.SHIPPED).settings
    alone = [name for name in rig.shipped() if rig.blocks_only(name)]
    assert alone == ["editor", "latex"]
    for name in alone:
        block = load_blocks(name, rig.SHIPPED)[1].settings[name]
        assert block.items() <= base[name].items()


def test_every_request_takes_every_privilege_away() -> None:
    for name in rig.all_requests():
        host = json.loads((rig.FOLDER / name).read_text("utf-8"))["HostConfig"]
        assert (host["NetworkMode"], host["IpcMode"], host["PidMode"]) == ("none", "private", "")
        assert (host["CapAdd"], host["CapDrop"], host["Devices"]) == ([], ["ALL"], [])
        assert (host["Privileged"], host["ReadonlyRootfs"], host["Init"]) == (False, True, True)
        assert host["Memory"] == host["MemorySwap"]
        assert host["LogConfig"] == {"Type": "none"}
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert all(one["ReadOnly"] for one in host["Mounts"] if one["Type"] == "bind")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    found = connect()
    yield found
    found.close()


@pytest.fixture(scope="module")
def volume(engine: Engine) -> Iterator[str]:
    name = "aisci-test-golden"
    make_volume(engine, name, LABELS)
    yield name
    remove_volume(engine, name)


def real(name: str, engine: Engine, volume: str, socket: str) -> dict[str, Any]:
    """The file's request with this machine's names in place of the words in capitals."""
    text = (rig.FOLDER / name).read_text("utf-8")
    body: dict[str, Any] = json.loads(text)
    policy, _, kind = name.removesuffix(".json").rpartition("-")
    filters = rig.filters_of(rig.request_of(load_policy(policy, rig.SHIPPED), kind))  # type: ignore[arg-type]  # one of three
    body["Image"] = engine.images.get("aisci-storage").id  # any: what counts are the settings
    body["Labels"] = LABELS
    host = body["HostConfig"]
    host["NanoCpus"] = min(host["NanoCpus"], engine.api.info()["NCPU"] * 10**9)
    host["SecurityOpt"] = [filters[option] for option in host["SecurityOpt"]]
    for mount in host["Mounts"]:
        mount["Source"] = {rig.VOLUME: volume, rig.SOCKET: socket}[mount["Source"]]
    return body


@pytest.mark.engine
@pytest.mark.parametrize("name", sorted(rig.all_requests()))
def test_the_engine_makes_the_container_that_the_file_asks_for(
    name: str, engine: Engine, volume: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Made and not started; only CPUs above this machine's are lowered, as no engine takes them."""
    socket = tmp_path_factory.mktemp("s") / "egress.sock"
    socket.touch()
    body = real(name, engine, volume, str(socket))
    if body["HostConfig"]["Runtime"] not in engine.api.info()["Runtimes"]:
        pytest.skip(f"the engine has no runtime {body['HostConfig']['Runtime']}")
    made = create_container(engine, body, f"aisci-test-{name.removesuffix('.json')}")
    try:
        back = read_back(engine, made, body)
        asked, inspected = back.asked, back.inspected
        assert asked
        assert set(asked) <= set(inspected)
        weaker = {**body, "HostConfig": {**body["HostConfig"], "PidsLimit": 1}}
        with pytest.raises(SandboxFailed, match="PidsLimit"):
            read_back(engine, made, weaker)
    finally:
        remove_container(engine, made)
