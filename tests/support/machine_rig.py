"""A small QEMU machine with a unified cgroup tree and XFS, and the checkout inside it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from tests.support.places import ROOT

MEMORY, CPUS = "3G", "2"
KERNEL = "root=/dev/vda rw init=/sbin/first console=ttyS0 panic=-1 quiet apparmor=0"
KVM_STARTS = 30.0  # seconds; it takes four
WITHIN = 3600.0  # seconds; software emulation takes many times as long as KVM
# Not needed inside, and large.
LEFT_OUT = ("litellm", "tree_sitter_language_pack", "scipy", "numpy", "aider", "mypy", "networkx")


def machine() -> Path:
    """Kernel, initial RAM disk and root disk, as ``make machine`` keeps them."""
    recipe = hashlib.sha256((ROOT / "scripts" / "setup-machine.sh").read_bytes()).hexdigest()
    return ROOT / ".make" / "machine" / recipe[:16]


def cargo(folder: Path, images: tuple[str, ...], scenarios: list[dict[str, Any]]) -> Path:
    """A disk with the checkout, its Python packages, the images and what is to be done."""
    tree = folder / "cargo"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    out = shutil.ignore_patterns("__pycache__", *(f"{name}*" for name in LEFT_OUT))
    shutil.copytree(sysconfig.get_paths()["purelib"], tree / ".packages", ignore=out)
    subprocess.run(["docker", "save", "-o", tree / "images.tar", *images], check=True)
    (tree / "scenarios.json").write_text(json.dumps(scenarios))
    disk = folder / "cargo.img"
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-d", tree, disk, "6G"], capture_output=True, check=True
    )
    shutil.rmtree(tree)
    return disk


def boot(folder: Path, disk: Path) -> list[dict[str, Any]]:
    """Start the machine, wait for its end; what it reported, one answer a scenario."""
    made, data, report = machine(), folder / "docker.img", folder / "report.jsonl"
    with data.open("wb") as file:
        file.truncate(16 << 30)
    argv = [*bare(made, accelerator(made)), "-append", KERNEL,
            "-serial", f"file:{folder / 'console.log'}", "-serial", f"file:{report}"]  # fmt: skip
    for path, snapshot in ((made / "root.img", "on"), (disk, "on"), (data, "off")):
        argv += ["-drive", f"file={path},format=raw,if=virtio,snapshot={snapshot}"]
    subprocess.run(argv, capture_output=True, text=True, timeout=WITHIN, check=True)
    return [json.loads(line) for line in report.read_text().splitlines() if line.strip()]


def bare(made: Path, accelerator: str) -> list[str]:
    """A machine without disks, network or screen."""
    return ["qemu-system-x86_64", "-accel", accelerator, "-cpu", "max", "-m", MEMORY,
            "-smp", CPUS, "-nic", "none", "-display", "none", "-no-reboot", "-nodefaults",
            "-device", "virtio-rng-pci", "-kernel", str(made / "kernel"),
            "-initrd", str(made / "initrd")]  # fmt: skip


def accelerator(made: Path) -> str:
    """KVM if this very kernel is seen to start under it, else software emulation.

    A machine that is itself virtual may have a ``/dev/kvm`` that opens and starts nothing.
    """
    argv = [*bare(made, "kvm"), "-append", "panic=-1"]  # without a disk it ends by itself
    try:
        if subprocess.run(argv, capture_output=True, timeout=KVM_STARTS, check=False).returncode:
            return "tcg,thread=multi"
    except subprocess.TimeoutExpired:
        return "tcg,thread=multi"
    return "kvm"
