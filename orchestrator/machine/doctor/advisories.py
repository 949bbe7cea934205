"""Known container escapes, by the versions that have them; and how versions are read.

Only published ones: each row names its source. A row also says whether a program inside one of
aisci's containers could use it, or only somebody who chooses images, mounts or commands, which
here only aisci does. Holes of the kernel are not listed: distributions fix them under an
unchanged version number. The table was made in November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.core.host import Host

Reach = Literal["inside", "outside"]
VersionKey = tuple[tuple[int, ...], int, int]
"""Its numbers, then its stage (0 to 3 for a pre-release, 4 for a final release) and its number."""

_VERSION = re.compile(
    r"v?(\d+(?:\.\d+){0,3})(?:[-~.]?(dev|alpha|beta|rc)[-.]?(\d*))?(?=$|[^0-9a-z:.])", re.IGNORECASE
)
_STAGES = ("dev", "alpha", "beta", "rc", "")


def _ghsa(repository: str, advisory: str) -> str:
    return f"https://github.com/{repository}/security/advisories/GHSA-{advisory}"


@dataclass(frozen=True, slots=True)
class Advisory:
    """Holes with one remedy. ``fixed`` is the first fixed version of each release line.

    ``needs`` is what an attacker must have, and ``reach`` whether a program inside one of aisci's
    containers has it; ``here`` says why, or why not.
    """

    ids: tuple[str, ...]
    component: str
    fixed: tuple[str, ...]
    reach: Reach
    needs: str
    here: str
    source: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """One advisory on this machine. ``where`` is the package that fixed it, if a distribution did."""

    advisory: Advisory
    version: str
    status: Literal["fixed", "patched", "open", "unread"]
    ids: tuple[str, ...]
    where: str = ""


_OUR_IMAGES = "the images are aisci's own"
_NO_SHARING = "no two containers of aisci share anything that a running program can write"
_USER_CHECKED = f"{_OUR_IMAGES}, and the user is read back from the kernel before a start"

ADVISORIES = (
    Advisory(("CVE-2026-41579",), "runc", ("1.3.6", "1.4.3", "1.5.0-rc.3"), "outside",
             needs="a custom image, and an engine other than Docker",
             here=_OUR_IMAGES, source=_ghsa("opencontainers/runc", "xjvp-4fhw-gc47")),
    Advisory(("CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"), "runc",
             ("1.2.8", "1.3.3", "1.4.0-rc.3"), "outside",
             needs="a container that starts while another container's program can change its mounts",
             here=_NO_SHARING, source=_ghsa("opencontainers/runc", "9493-h29p-rfm2")),
    Advisory(("CVE-2024-45310",), "runc", ("1.1.14", "1.2.0-rc.3"), "outside",
             needs="two containers that share a volume while one of them starts",
             here=_NO_SHARING, source=_ghsa("opencontainers/runc", "jfvp-7x6p-h2pv")),
    Advisory(("CVE-2024-21626",), "runc", ("1.1.12",), "outside",
             needs="to choose the image, the working directory, or a command run in a live container",
             here="all three are chosen by aisci; a container runs only its own program",
             source=_ghsa("opencontainers/runc", "xr7r-f8xq-vfvv")),
    Advisory(("CVE-2021-30465",), "runc", ("1.0.0-rc95",), "outside",
             needs="several containers that start with one shared volume",
             here=_NO_SHARING, source=_ghsa("opencontainers/runc", "c3xm-pvg7-gh7r")),
    Advisory(("CVE-2019-5736",), "runc", ("1.0.0-rc7",), "outside",
             needs="root in a container, and a command run in it or a custom image",
             here="no program runs as root, and a container runs only its own program",
             source="https://www.openwall.com/lists/oss-security/2019/02/11/2"),
    Advisory(("CVE-2026-53488",), "containerd",
             ("1.7.33", "2.0.10", "2.1.9", "2.2.5", "2.3.2"), "outside",
             needs="a custom image, and containerd's Kubernetes plugin",
             here="Docker does not use that plugin, and the images are aisci's own",
             source=_ghsa("containerd/containerd", "xhf5-7wjv-pqxp")),
    Advisory(("CVE-2026-46680",), "containerd", ("1.7.32", "2.0.9", "2.2.4", "2.3.1"), "outside",
             needs="to choose the image or the user that a container runs as",
             here=_USER_CHECKED, source=_ghsa("containerd/containerd", "fqw6-gf59-qr4w")),
    Advisory(("CVE-2024-40635",), "containerd", ("1.6.38", "1.7.27", "2.0.4"), "outside",
             needs="to choose the image or the user that a container runs as",
             here=_USER_CHECKED, source=_ghsa("containerd/containerd", "265r-hfxg-fhmg")),
    Advisory(("CVE-2020-15257",), "containerd", ("1.3.9", "1.4.3"), "outside",
             needs="root in a container, and the host's network in it",
             here="no container of aisci has the host's network, or a program that runs as root",
             source=_ghsa("containerd/containerd", "36xw-fx78-c5r4")),
    Advisory(("CVE-2026-41567", "CVE-2026-41568", "CVE-2026-42306"), "Engine",
             ("29.5.1",), "outside",
             needs="files copied into a running container, or compressed ones into a custom image",
             here="files go in before the start, not compressed, into images that are aisci's own",
             source=_ghsa("moby/moby", "x86f-5xw2-fm2r")),
    Advisory(("CVE-2024-29018",), "Engine", ("23.0.11", "25.0.5", "26.0.0-rc3"), "outside",
             needs="a container on one of the engine's internal networks",
             here="no container of aisci is on a network of the engine",
             source=_ghsa("moby/moby", "mq39-4gv4-mvpx")),
    Advisory(("CVE-2026-24260",), "nvidia-container-toolkit", ("1.19.1",), "inside",
             needs="a race while a container with GPUs is set up; NVIDIA says no more",
             here="it is not known to be out of a program's reach, so it counts as reachable",
             source="https://nvidia.custhelp.com/app/answers/detail/a_id/5850"),
    Advisory(("CVE-2025-23266", "CVE-2025-23267"), "nvidia-container-toolkit",
             ("1.17.8",), "outside",
             needs="a custom image that contains a variable for the loader, or a link",
             here="the images are aisci's own, and one that sets LD_* is refused",
             source="https://nvidia.custhelp.com/app/answers/detail/a_id/5659"),
    Advisory(("CVE-2025-23359",), "nvidia-container-toolkit", ("1.17.4",), "outside",
             needs="a custom image",
             here=_OUR_IMAGES, source="https://nvidia.custhelp.com/app/answers/detail/a_id/5616"),
    Advisory(("CVE-2024-0132",), "nvidia-container-toolkit", ("1.16.2",), "outside",
             needs="a custom image, and GPUs lent without CDI",
             here=_OUR_IMAGES, source=_ghsa("NVIDIA/nvidia-container-toolkit", "mjjw-553x-87pq")),
)  # fmt: skip


def read_version(text: str) -> VersionKey | None:
    """``1.1.5+ds1``, ``20.10.24+dfsg1``, ``1.6.20~ds1``, ``1.17.8-1``, ``1.4.0-rc.3`` as numbers.

    What a distribution adds is ignored: it names the packaging. None for what is no version.
    """
    found = _VERSION.match(text.strip())
    if found is None:
        return None
    numbers = tuple(int(part) for part in found.group(1).split("."))
    rank = _STAGES.index((found.group(2) or "").lower())
    return (*numbers, 0, 0, 0)[:3] + numbers[3:], rank, int(found.group(3) or 0)


def is_fixed(version: VersionKey, fixed: tuple[str, ...]) -> bool:
    """Whether ``version`` is at or above the first fixed one of its release line, or of all lines."""
    numbers = [number for text in fixed if (number := read_version(text)) is not None]
    line = [number for number in numbers if number[0][:2] == version[0][:2]]
    return version >= max(numbers) or any(version >= number for number in line)


def exposures(host: Host) -> Iterator[Exposure]:
    """The status of each advisory whose component ``host`` has."""
    versions = dict(host.components)
    patched = {(component, cve): where for component, cve, where in host.patched}
    for row in ADVISORIES:
        version = versions.get(row.component, "")
        if not version:
            continue
        number = read_version(version)
        left = tuple(cve for cve in row.ids if (row.component, cve) not in patched)
        where = next((patched[row.component, cve] for cve in row.ids if cve not in left), "")
        if number is None:
            yield Exposure(row, version, "unread", row.ids)
        elif is_fixed(number, row.fixed):
            yield Exposure(row, version, "fixed", ())
        elif left:
            yield Exposure(row, version, "open", left)
        else:
            yield Exposure(row, version, "patched", (), where)
