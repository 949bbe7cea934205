"""Data sets: fetched whole or not at all, gone on with, verified, mounted read-only by their hash."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.data import data_for, same_data
from orchestrator.core.errors import BadTemplate, DataFailed, DiskFull, UserError
from orchestrator.core.files import shipped_root
from orchestrator.machine import download as transfer
from orchestrator.policy.policy import load_policy
from orchestrator.template.folder import shipped_templates
from orchestrator.template.manifest import DataFile
from orchestrator.template.template import Template, load_template
from tests.support.places import ROOT

QUICK = ROOT / "tests/data/quick"
POLICY = str(ROOT / "tests/data/policies/quick.yaml")
CONTENT = bytes(range(256)) * 1200  # 300 KiB
SHA = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Source:
    """A web server with one file and its faults, in turn; it notes what was asked and sent."""

    content: bytes = CONTENT
    faults: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    sent: int = 0
    url: str = ""

    @contextmanager
    def running(self) -> Iterator[Source]:
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                source.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/numbers.bin"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        asked = handler.headers.get("Range", "")
        self.ranges.append(asked)
        if fault in {"404", "503"}:
            handler.send_error(int(fault))
            return
        if fault == "moved":
            handler.send_response(302)
            handler.send_header("Location", self.url)
            handler.end_headers()
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        start = 0 if fault == "no ranges" else start
        body = self.content[start:]
        handler.send_response(206 if start else 200)
        if fault != "no length":
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        body = body[: len(body) // 2] if fault == "cut" else body
        pieces = [body[i : i + 20_000] for i in range(0, len(body), 20_000)]
        for piece in pieces:
            try:
                handler.wfile.write(piece)
            except OSError:
                return
            self.sent += len(piece)
            if fault == "slow":
                time.sleep(0.3)


@pytest.fixture
def source() -> Iterator[Source]:
    with Source().running() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "aisci" / "data"


def template(folder: Path, url: str, *, sha256: str = SHA, size: int = len(CONTENT)) -> Path:
    """The quick template with a data set that its full scale needs, and reads."""
    shutil.copytree(QUICK, folder)
    manifest = folder / "template.yaml"
    text = manifest.read_text().replace(
        "data:\n",
        "data:\n  - name: numbers\n    description: numbers\n    source: download\n"
        f"    licence: none\n    files:\n      - {{path: deep/numbers.bin, url: '{url}', bytes: {size}, sha256: {sha256}}}\n",
    )
    manifest.write_text(
        text.replace("AISCI_SCALE: full}\n", "AISCI_SCALE: full}\n    data: [numbers]\n")
    )
    code = folder / "experiment.py"
    code.write_text(
        code.read_text().replace(
            "runs = [",
            'if os.environ.get("AISCI_SCALE") == "full":\n'
            '    path = Path("/data/numbers/deep/numbers.bin")\n'
            "    assert len(path.read_bytes()) == 307200\n"
            "    try:\n        path.write_bytes(b'')\n        raise SystemExit('it could be written')\n"
            "    except OSError as error:\n        print(error)\nruns = [",
            1,
        )
    )  # fmt: skip
    return folder


def aisci(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / ".venv/bin/aisci"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def prepare(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return aisci("data", "prepare", f"{folder}/", *words)


def staged(home: Path) -> list[Path]:
    return [path for path in (home / "sets").rglob("*") if path.is_file()]


# --- prepare ------------------------------------------------------------------------------


@pytest.mark.program
def test_a_set_is_fetched_once_verified_and_cannot_be_written(
    tmp_path: Path, home: Path, source: Source
) -> None:
    folder = template(tmp_path / "mine", source.url)
    assert prepare(folder).returncode == 0
    (path,) = staged(home)
    assert path.relative_to(home / "sets").parts[1:] == ("deep", "numbers.bin")
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o222 == 0
    again = prepare(folder, "--json")
    assert json.loads(again.stdout)["state"] == "was staged"
    assert len(source.ranges) == 1


@pytest.mark.program
@pytest.mark.parametrize("fault", ["cut", "503", "no length", "moved"])
def test_a_transfer_that_breaks_off_is_gone_on_with(
    tmp_path: Path, home: Path, source: Source, fault: str
) -> None:
    source.faults = [fault]
    assert prepare(template(tmp_path / "mine", source.url)).returncode == 0
    assert len(staged(home)) == 1
    if fault == "cut":
        assert source.ranges == ["", f"bytes={len(CONTENT) // 2}-"]
        assert source.sent == len(CONTENT)  # no byte twice


@pytest.mark.program
def test_a_server_that_knows_no_ranges_begins_anew(
    tmp_path: Path, home: Path, source: Source
) -> None:
    source.faults = ["cut", "no ranges"]
    assert prepare(template(tmp_path / "mine", source.url)).returncode == 0
    assert [path.read_bytes() for path in staged(home)] == [CONTENT]


@pytest.mark.program
def test_ctrl_c_keeps_what_came_and_the_next_call_goes_on(
    tmp_path: Path, home: Path, source: Source
) -> None:
    source.faults = ["slow"]
    folder = template(tmp_path / "mine", source.url)
    command = [str(ROOT / ".venv/bin/aisci"), "data", "prepare", f"{folder}/"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while source.sent < 60_000:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    assert f"aisci data prepare {folder}" in err
    assert staged(home) == []
    assert prepare(folder).returncode == 0
    assert source.ranges[1].startswith("bytes=")
    assert [path.read_bytes() for path in staged(home)] == [CONTENT]


@pytest.mark.program
def test_a_wrong_hash_keeps_nothing_and_says_what_came(
    tmp_path: Path, home: Path, source: Source
) -> None:
    page = b"<!doctype html><html>please log in</html>"
    source.content = page + bytes(len(CONTENT) - len(page))
    said = prepare(template(tmp_path / "mine", source.url))
    assert said.returncode == 1
    for words in ("not the file that the manifest names", SHA[:16], "a web page", "--from FILE"):
        assert words in said.stderr
    assert staged(home) == []
    assert not list((home / "partial").iterdir())


@pytest.mark.program
@pytest.mark.parametrize(
    ("faults", "size", "words"),
    [
        (["404"], len(CONTENT), "404"),
        ([], len(CONTENT) + 1, "the server has 307,200 bytes, the manifest 307,201"),
        ([], len(CONTENT) - 1, "the server has 307,200 bytes"),
        (["no length"], len(CONTENT) - 1, "the server sent more than 307,199 bytes"),
    ],
)
def test_a_server_that_refuses_or_has_another_file_is_an_error_at_once(
    tmp_path: Path, home: Path, source: Source, faults: list[str], size: int, words: str
) -> None:
    source.faults = faults
    said = prepare(template(tmp_path / "mine", source.url, size=size))
    assert said.returncode == 1
    assert words in said.stderr
    assert "do:" in said.stderr
    assert len(source.ranges) == 1
    assert staged(home) == []


def test_a_server_that_is_never_there_is_given_up(tmp_path: Path) -> None:
    gone = DataFile(path="a", url="http://127.0.0.1:9/a", bytes=1, sha256=SHA)
    with pytest.raises(DataFailed, match="could not be fetched") as caught:
        transfer.fetch(gone, tmp_path / "a", lambda _: None, None, wait=0.01)
    assert "refused" in caught.value.why


@pytest.mark.program
def test_too_little_disk_is_said_before_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "aisci-test", small], check=True)
    try:
        monkeypatch.setenv("XDG_DATA_HOME", str(small))
        folder = template(tmp_path / "mine", "http://127.0.0.1:9/never")
        said = prepare(folder)
        assert said.returncode == DiskFull("x").exit_code
        assert "there is not enough disk space for the data" in said.stderr
        assert "307,200 bytes to download" in said.stderr
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.program
def test_two_processes_at_once_fetch_a_set_once(tmp_path: Path, home: Path, source: Source) -> None:
    source.faults = ["slow"]
    folder = template(tmp_path / "mine", source.url)
    command = [str(ROOT / ".venv/bin/aisci"), "data", "prepare", f"{folder}/", "--quiet"]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(staged(home)) == 1
    assert source.sent == len(CONTENT)


@pytest.mark.program
def test_a_check_tells_what_is_not_here_what_was_changed_and_what_has_no_room(
    tmp_path: Path, home: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = template(tmp_path / "mine", source.url)
    away = aisci("template", "check", f"{folder}/")
    assert (away.returncode, "not here yet: numbers (0 MiB)" in away.stdout) == (0, True)
    assert prepare(folder).returncode == 0
    assert "not here yet" not in aisci("template", "check", f"{folder}/").stdout
    (path,) = staged(home)
    path.chmod(0o644)
    path.write_bytes(CONTENT[::-1])
    changed = aisci("template", "check", f"{folder}/")
    assert changed.returncode == 2
    assert "numbers: deep/numbers.bin was changed" in changed.stdout
    assert f"aisci data prepare {folder}" in changed.stdout
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "full"))
    huge = folder / "template.yaml"
    huge.write_text(huge.read_text().replace("bytes: 307200", f"bytes: {1 << 60}"))
    full = aisci("template", "check", f"{folder}/")
    assert full.returncode == 2
    assert "there is not enough disk space for the data" in full.stdout


# --- brought by hand ----------------------------------------------------------------------


@pytest.mark.program
def test_a_file_or_folder_brought_by_hand_is_found_by_its_hash_whatever_its_name(
    tmp_path: Path, home: Path
) -> None:
    folder = template(tmp_path / "mine", "http://127.0.0.1:9/never")
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / "any name").write_bytes(CONTENT)
    (brought / "other").write_bytes(b"not it")
    for given in (brought, brought / "any name"):
        assert prepare(folder, "--only", "numbers", "--from", str(given)).returncode == 0
        assert [path.read_bytes() for path in staged(home)] == [CONTENT]
        shutil.rmtree(home)
    assert (brought / "any name").exists()


@pytest.mark.program
def test_what_is_none_of_the_files_is_told_with_what_is_wanted(tmp_path: Path, home: Path) -> None:
    folder = template(tmp_path / "mine", "http://127.0.0.1:9/never")
    (tmp_path / "other").write_bytes(b"not it")
    said = prepare(folder, "--from", str(tmp_path / "other"))
    assert said.returncode == 2
    for words in ("names no such file", SHA, hashlib.sha256(b"not it").hexdigest()):
        assert words in said.stderr
    assert prepare(folder, "--from", "./nowhere").returncode == 2
    assert prepare(folder, "--only", "number").returncode == 2
    assert staged(home) == []


@pytest.mark.program
@pytest.mark.usefixtures("home")
def test_a_template_that_makes_its_own_data_has_nothing_to_fetch() -> None:
    said = prepare(QUICK)
    assert (said.returncode, "downloads no data" in said.stdout) == (0, True)


# --- in a run -----------------------------------------------------------------------------


@pytest.mark.program
def test_a_scale_that_needs_data_says_so_before_anything_runs(
    tmp_path: Path, home: Path, source: Source
) -> None:
    mine = load_template(f"{template(tmp_path / 'mine', source.url)}/", shipped_root())
    policy = load_policy(POLICY, shipped_root() / "policies")
    assert data_for(mine, "smoke", policy) == ()
    with pytest.raises(UserError, match="is not staged on this machine") as caught:
        data_for(mine, "full", policy)
    assert "aisci data prepare" in caught.value.todo
    assert prepare(tmp_path / "mine").returncode == 0
    (one,) = data_for(mine, "full", policy)
    assert (one.name, one.hash) == ("numbers", mine.manifest.data[0].hash)
    same_data((one,), policy)
    (path,) = staged(home)
    path.chmod(0o644)
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(DataFailed, match="differs from its manifest") as changed:
        data_for(mine, "full", policy)
    assert "deep/numbers.bin was changed" in changed.value.why
    with pytest.raises(UserError, match="not the one that this run began with"):
        same_data((one,), policy)
    assert prepare(tmp_path / "mine").returncode == 0  # mends it
    same_data((one,), policy)


@pytest.mark.usefixtures("home")
def test_a_data_set_of_ones_own_is_known_by_its_content_and_may_not_take_a_declared_name(
    tmp_path: Path, source: Source
) -> None:
    mine = load_template(f"{template(tmp_path / 'mine', source.url)}/", shipped_root())
    policy = load_policy(POLICY, shipped_root() / "policies")
    own = tmp_path / "own"
    (own / "letters").mkdir(parents=True)
    (own / "letters" / "a.txt").write_text("a")
    (before,) = data_for(mine, "smoke", policy, own)
    (own / "letters" / "a.txt").write_text("b")
    (after,) = data_for(mine, "smoke", policy, own)
    assert before.hash != after.hash
    with pytest.raises(UserError, match="not the one"):
        same_data((before,), policy)
    (own / "letters" / "link").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match="plain files and folders only"):
        data_for(mine, "smoke", policy, own)
    (own / "letters" / "link").unlink()
    (own / "letters").rename(own / "numbers")
    with pytest.raises(UserError, match="declares the data set 'numbers' itself"):
        data_for(mine, "smoke", policy, own)


@pytest.mark.engine
def test_a_run_sees_its_data_read_only_by_its_hash_and_starts_from_the_baseline_that_did(
    tmp_path: Path, home: Path, source: Source
) -> None:
    folder = template(tmp_path / "mine", source.url)
    assert prepare(folder).returncode == 0
    results = str(tmp_path / "results")
    words = (f"{folder}/", "--scale", "full", "--policy", POLICY)
    kept = json.loads(aisci("template", "baseline", *words, "--json").stdout)["baseline"]
    said = aisci("run", *words, "--results", results, "--quiet")
    assert said.returncode == 0, said.stderr
    (journal,) = Path(results).glob("*/*/journal.jsonl")
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    (data,) = lines[0]["pins"]["data"]
    sha256 = data["hash"]
    assert (data["name"], data["folder"]) == ("numbers", str(home / "sets" / sha256))
    job = next(
        line for line in lines if line.get("scope") == "run/baseline" and line["kind"] == "asked"
    )
    assert job["body"]["inline"]["data"] == [["numbers", sha256]]
    answer = next(x for x in lines if x.get("scope") == "run/baseline" and x["kind"] == "answered")
    assert "Read-only file system" in json.dumps(answer)
    pinned = lines[0]["pins"]["baseline"]
    assert pinned["key"] == kept["key"]
    assert pinned["container"] in json.dumps(answer["evidence"])
    assert aisci("audit", "latest", "--results", results).returncode == 0
    assert aisci("replay", "latest", "--results", results).returncode == 0
    data["folder"] = "/etc"  # an audit would notice another folder
    moved = "\n".join(json.dumps(line) for line in lines) + "\n"
    journal.write_text(moved)
    assert aisci("audit", "latest", "--results", results).returncode == 1


# --- what templates declare ---------------------------------------------------------------


def declared() -> list[tuple[Template, str]]:
    every = [load_template(name, shipped_root()) for name in shipped_templates(shipped_root())]
    return [(one, data.name) for one in every for data in one.manifest.data]


@pytest.mark.program
def test_the_smallest_scale_of_each_shipped_template_needs_nothing_from_outside() -> None:
    for name in shipped_templates(shipped_root()):
        manifest = load_template(name, shipped_root()).manifest
        assert next(iter(manifest.scales)) == "smoke"
        assert manifest.needed("smoke") == ()
    listed = [json.loads(line) for line in aisci("data", "list", "--json").stdout.splitlines()]
    assert {row["name"] for row in listed} == {name for _, name in declared()}
    assert all(row["licence"] and row["bytes"] for row in listed if row["source"] == "download")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("source: download", "source: builtin", "is builtin and has files to fetch"),
        ("    licence: none\n", "", "is a download without licence"),
        (f"sha256: {SHA}", "sha256: abc", "sha256"),
        ("bytes: 307200", "bytes: 0", "bytes"),
        ("http://", "file://", "url"),
        ("path: deep/", "path: ../", "path"),
        ("data: [numbers]", "data: [letters]", "'letters' is not a data set with"),
    ],
)
def test_a_data_set_that_is_declared_badly_is_refused_at_its_line(
    tmp_path: Path, old: str, new: str, what: str
) -> None:
    folder = template(tmp_path / "mine", "http://example.org/numbers.bin")
    manifest = folder / "template.yaml"
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new, 1))
    with pytest.raises(BadTemplate) as caught:
        load_template(f"{folder}/", shipped_root())
    told = f"{caught.value.where} {caught.value.what} {caught.value.why}"
    assert what in told
