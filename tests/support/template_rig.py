"""A shipped template's code in a closed container, for tests that ask what it computes."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from typing import Any

from orchestrator.template.contract import rule_results
from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.template import Template

CLOSED = (
    "--network=none", "--read-only", "--user=65534:65534", "--cap-drop=ALL", "--cpus=2",
    "--security-opt=no-new-privileges", "--pids-limit=256",
    "--tmpfs=/tmp:size=256m,mode=1777",
)  # fmt: skip


def contract_findings(template: Template) -> tuple[RuleFinding, ...]:
    """Every violation of the contract by ``template``."""
    return tuple(finding for rule in rule_results(template) for finding in rule.findings)


def closed(
    image: str, files: Mapping[str, bytes], script: str, *, gib: int = 2
) -> dict[str, bytes]:
    """Run ``script`` beside ``files`` in a closed container; return the files that it left.

    ``gib`` is the memory that it may use.
    """
    sent, shell = (
        io.BytesIO(),
        f"mkdir /tmp/w; cd /tmp/w; tar x\n({script}) >&2\ntimes >times\ntar c .",
    )
    with tarfile.open(fileobj=sent, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            tar.addfile(member, io.BytesIO(data))
    memory = (f"--memory={gib}g", f"--memory-swap={gib}g")
    done = subprocess.run(
        ["docker", "run", "--rm", "-i", *CLOSED, *memory, image, "sh", "-ec", shell],
        input=sent.getvalue(),
        capture_output=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        members = [member for member in tar if member.isfile()]
        return {m.name.removeprefix("./"): tar.extractfile(m).read() for m in members}  # type: ignore[union-attr]  # regular files have content


def ask(template: Template, program: str, files: Mapping[str, bytes] | None = None) -> Any:
    """What a Python ``program`` beside the template writes to ``answer.json``."""
    sent = {**template.files, **(files or {}), "ask.py": program.encode()}
    return json.loads(closed("aisci-sandbox:cpu", sent, "python ask.py")["answer.json"])


def answers(
    template: Template,
    begin: str,
    programs: Mapping[str, str],
    files: Mapping[str, bytes] | None = None,
) -> Any:
    """What each of ``programs`` leaves in ``answer``; they share one container, behind ``begin``."""
    told = "".join(f"{one}\nanswers[{name!r}] = answer\n" for name, one in programs.items())
    end = "json.dump(answers, open('answer.json', 'w'))"
    return ask(template, f"import json\n{begin}\nanswers = {{}}\n{told}{end}", files)
