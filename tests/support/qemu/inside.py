"""In the test machine: the real tests under one engine set-up after another; answers in JSON.

Each scenario gives the engine's folder a fresh XFS, starts an engine, loads the images, runs
the tests and :mod:`look`. One JSON line a scenario goes to the second serial port.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

REPORT = Path("/dev/ttyS1")
DISK, DATA = "/dev/vdc", "/var/lib/docker"
IMAGES = Path("/aisci/images.tar")
READY = 120.0  # seconds that an engine may take to answer
CLOCKS = Path("/sys/devices/system/clocksource/clocksource0/available_clocksource")


class Outcomes:
    """A pytest plug-in: each test's outcome, and the words of those that failed."""

    def __init__(self) -> None:
        self.by_test: dict[str, str] = {}
        self.words: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self.by_test[report.nodeid] = report.outcome
        if report.failed:
            self.words[report.nodeid] = report.longreprtext[-2000:]
            print(f"\n{report.nodeid}\n{self.words[report.nodeid]}", flush=True)


def main() -> None:
    """Every scenario that the host asked for, in ``scenarios.json``."""
    for scenario in json.loads(Path("/aisci/scenarios.json").read_text()):
        print(f"--- {scenario['name']}", flush=True)
        try:
            answer = run(scenario)
        except Exception as error:  # noqa: BLE001  # the machine ends; the host must hear why
            answer = {"name": scenario["name"], "error": repr(error)}
        with REPORT.open("a") as out:
            out.write(json.dumps(answer) + "\n")


def run(scenario: dict[str, Any]) -> dict[str, Any]:
    with disk(scenario["mount"]), engine():
        call("docker", "load", "-q", "-i", str(IMAGES))
        os.environ["AISCI_TEST_STORAGE"] = scenario["storage"]
        looked = call(sys.executable, "tests/support/qemu/look.py")
        starts = scenario["starts"]
        started = call(sys.executable, "tests/start_bench.py", str(starts)) if starts else "[]"
        outcomes = Outcomes()
        arguments = ["-q", "-p", "no:cacheprovider", "-ra", *scenario["tests"]]
        code = int(pytest.main(arguments, plugins=[outcomes])) if scenario["tests"] else 0
        version = json.loads(call("docker", "version", "--format", "{{json .Server}}"))
    return {
        "name": scenario["name"],
        "emulation": "KVM" if "kvm-clock" in CLOCKS.read_text() else "TCG",
        "kernel": platform.release(),
        "engine": version["Version"],
        "mounted": scenario["mount"],
        "looked": json.loads(looked.splitlines()[-1]),
        "starts": json.loads(started.splitlines()[-1]),
        "code": code,
        "tests": dict(Counter(outcomes.by_test.values())),
        "words": outcomes.words,
    }


@contextmanager
def disk(options: str) -> Iterator[None]:
    """A fresh XFS where the engine keeps everything."""
    call("mkfs.xfs", "-q", "-f", DISK)
    call("mount", "-t", "xfs", "-o", options, DISK, DATA)
    try:
        yield
    finally:
        call("umount", DATA)


@contextmanager
def engine() -> Iterator[None]:
    """A Docker engine that answers; its log goes to the console if it does not."""
    log = Path("/run/dockerd.log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["dockerd", "--bridge=none", "--iptables=false"], stdout=out, stderr=out
        )
        try:
            until = time.monotonic() + READY
            while subprocess.run(
                ["docker", "version"], capture_output=True, check=False
            ).returncode:
                if process.poll() is not None or time.monotonic() > until:
                    raise OSError(f"no engine: {log.read_text()[-2000:]}")
                time.sleep(0.3)
            yield
        finally:
            process.terminate()
            process.wait(60)
            print("\n".join(log.read_text().splitlines()[-10:]), flush=True)


def call(*argv: str) -> str:
    """A program's output; what it says when it fails goes into the error."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{argv[0]} ended with {done.returncode}: {done.stderr[-3000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
