"""Known ways out of a container, by the versions that have them; and how versions are read.

Only what is published: each row names its source. A row also says whether a program inside one
of aisci's containers could go that way, or only somebody who chooses images, mounts or commands,
which here is nobody but this program. The kernel's own holes are not listed: distributions mend
those under an unchanged number. The table was made in November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.core.host import Host

Reach = Literal["inside", "outside"]
ExposureStatus = Literal["fixed", "mended", "open", "unread"]
VersionKey = tuple[tuple[int, ...], int, int]
"""Its numbers, then whether a final release (4) or one before it (0 to 3), and which."""

_VERSION = re.compile(
    r"v?(\d+(?:\.\d+){0,3})(?:[-~.]?(dev|alpha|beta|rc)[-.]?(\d*))?(?=$|[^0-9a-z:.])", re.IGNORECASE
)
_STAGES = ("dev", "alpha", "beta", "rc")
_FINAL = len(_STAGES)
_GHSA = "https://github.com/{}/security/advisories/GHSA-{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """Holes with one remedy. ``fixed`` is the first mended version of each release line.

    ``needs`` is what an attacker has to have, and ``reach`` whether a program inside one of our
    containers has it; ``here`` says why, or why not.
    """

    ids: tuple[str, ...]
    component: str
    fixed: tuple[str, ...]
    needs: str
    reach: Reach
    here: str
    source: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """One advisory and this machine. ``where`` is who mended it, if the distribution did."""

    advisory: Advisory
    version: str
    standing: ExposureStatus
    ids: tuple[str, ...]
    where: str = ""


ADVISORIES = (
    Advisory(
        ids=("CVE-2026-41579",),
        component="runc",
        fixed=("1.3.6", "1.4.3", "1.5.0-rc.3"),
        needs="an image of one's own, and another engine than Docker",
        reach="outside",
        here="the images are aisci's own",
        source=_GHSA.format("opencontainers/runc", "xjvp-4fhw-gc47"),
    ),
    Advisory(
        ids=("CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"),
        component="runc",
        fixed=("1.2.8", "1.3.3", "1.4.0-rc.3"),
        needs="a container that starts while another one's program can change what is mounted in it",
        reach="outside",
        here="no two of our containers share anything that a running program can write",
        source=_GHSA.format("opencontainers/runc", "9493-h29p-rfm2"),
    ),
    Advisory(
        ids=("CVE-2024-45310",),
        component="runc",
        fixed=("1.1.14", "1.2.0-rc.3"),
        needs="two containers that share a volume while one of them starts",
        reach="outside",
        here="no two of our containers share anything that a running program can write",
        source=_GHSA.format("opencontainers/runc", "jfvp-7x6p-h2pv"),
    ),
    Advisory(
        ids=("CVE-2024-21626",),
        component="runc",
        fixed=("1.1.12",),
        needs="to choose the image, the working directory, or a command run in a live container",
        reach="outside",
        here="all three are aisci's own; nothing is run in a container but its program",
        source=_GHSA.format("opencontainers/runc", "xr7r-f8xq-vfvv"),
    ),
    Advisory(
        ids=("CVE-2021-30465",),
        component="runc",
        fixed=("1.0.0-rc95",),
        needs="several containers that start with one shared volume",
        reach="outside",
        here="no two of our containers share anything that a running program can write",
        source=_GHSA.format("opencontainers/runc", "c3xm-pvg7-gh7r"),
    ),
    Advisory(
        ids=("CVE-2019-5736",),
        component="runc",
        fixed=("1.0.0-rc7",),
        needs="root in a container, and a command run in it or an image of one's own",
        reach="outside",
        here="no program of ours is root, and nothing is run in a container but its program",
        source="https://www.openwall.com/lists/oss-security/2019/02/11/2",
    ),
    Advisory(
        ids=("CVE-2026-53488",),
        component="containerd",
        fixed=("1.7.33", "2.0.10", "2.1.9", "2.2.5", "2.3.2"),
        needs="an image of one's own, and containerd's Kubernetes plugin",
        reach="outside",
        here="Docker does not use that plugin, and the images are aisci's own",
        source=_GHSA.format("containerd/containerd", "xhf5-7wjv-pqxp"),
    ),
    Advisory(
        ids=("CVE-2026-46680",),
        component="containerd",
        fixed=("1.7.32", "2.0.9", "2.2.4", "2.3.1"),
        needs="to choose the image or the user that a container runs as",
        reach="outside",
        here="the images are aisci's own, and the kernel's word on the user is read before a start",
        source=_GHSA.format("containerd/containerd", "fqw6-gf59-qr4w"),
    ),
    Advisory(
        ids=("CVE-2024-40635",),
        component="containerd",
        fixed=("1.6.38", "1.7.27", "2.0.4"),
        needs="to choose the image or the user that a container runs as",
        reach="outside",
        here="the images are aisci's own, and the kernel's word on the user is read before a start",
        source=_GHSA.format("containerd/containerd", "265r-hfxg-fhmg"),
    ),
    Advisory(
        ids=("CVE-2020-15257",),
        component="containerd",
        fixed=("1.3.9", "1.4.3"),
        needs="root in a container, and the host's network in it",
        reach="outside",
        here="no container of ours has the host's network, or a program that is root",
        source=_GHSA.format("containerd/containerd", "36xw-fx78-c5r4"),
    ),
    Advisory(
        ids=("CVE-2026-41567", "CVE-2026-41568", "CVE-2026-42306"),
        component="Engine",
        fixed=("29.5.1",),
        needs="files copied into a live container, or compressed ones into an image of one's own",
        reach="outside",
        here="files go in before the start, not compressed, into images that are aisci's own",
        source=_GHSA.format("moby/moby", "x86f-5xw2-fm2r"),
    ),
    Advisory(
        ids=("CVE-2024-29018",),
        component="Engine",
        fixed=("23.0.11", "25.0.5", "26.0.0-rc3"),
        needs="a container on one of the engine's internal networks",
        reach="outside",
        here="no container of ours is on any network of the engine's",
        source=_GHSA.format("moby/moby", "mq39-4gv4-mvpx"),
    ),
    Advisory(
        ids=("CVE-2026-24260",),
        component="nvidia-container-toolkit",
        fixed=("1.19.1",),
        needs="a race while a container with GPUs is set up; NVIDIA says no more",
        reach="inside",
        here="it is not known to be out of a program's reach, so it counts as within",
        source="https://nvidia.custhelp.com/app/answers/detail/a_id/5850",
    ),
    Advisory(
        ids=("CVE-2025-23266", "CVE-2025-23267"),
        component="nvidia-container-toolkit",
        fixed=("1.17.8",),
        needs="an image of one's own: a variable for the loader, or a link, in it",
        reach="outside",
        here="the images are aisci's own, and one that sets LD_* is refused",
        source="https://nvidia.custhelp.com/app/answers/detail/a_id/5659",
    ),
    Advisory(
        ids=("CVE-2025-23359",),
        component="nvidia-container-toolkit",
        fixed=("1.17.4",),
        needs="an image of one's own",
        reach="outside",
        here="the images are aisci's own",
        source="https://nvidia.custhelp.com/app/answers/detail/a_id/5616",
    ),
    Advisory(
        ids=("CVE-2024-0132",),
        component="nvidia-container-toolkit",
        fixed=("1.16.2",),
        needs="an image of one's own, and GPUs lent without CDI",
        reach="outside",
        here="the images are aisci's own",
        source=_GHSA.format("NVIDIA/nvidia-container-toolkit", "mjjw-553x-87pq"),
    ),
)


def read_version(text: str) -> VersionKey | None:
    """``1.1.5+ds1``, ``20.10.24+dfsg1``, ``1.6.20~ds1``, ``1.17.8-1``, ``1.4.0-rc.3`` as numbers.

    What a distribution adds is left out: it says how the program was packed. None for what is
    no version.
    """
    found = _VERSION.match(text.strip())
    if found is None:
        return None
    numbers = tuple(int(part) for part in found.group(1).split("."))
    stage = (found.group(2) or "").lower()
    rank = _STAGES.index(stage) if stage else _FINAL
    return (*numbers, 0, 0, 0)[:3] + numbers[3:], rank, int(found.group(3) or 0) if stage else 0


def is_fixed(version: VersionKey, fixed: tuple[str, ...]) -> bool:
    """Whether ``version`` is at or above the first mended one of its line, or of all lines."""
    mended = [number for text in fixed if (number := read_version(text)) is not None]
    line = [number for number in mended if number[0][:2] == version[0][:2]]
    return version >= max(mended) or any(version >= number for number in line)


def exposures(host: Host) -> Iterator[Exposure]:
    """What is known of each component of ``host`` that the table speaks of."""
    versions = dict(host.components)
    mended = {(component, cve): where for component, cve, where in host.mended}
    for row in ADVISORIES:
        version = versions.get(row.component, "")
        if not version:
            continue
        number = read_version(version)
        left = tuple(cve for cve in row.ids if (row.component, cve) not in mended)
        where = next((mended[row.component, cve] for cve in row.ids if cve not in left), "")
        if number is None:
            yield Exposure(row, version, "unread", row.ids)
        elif is_fixed(number, row.fixed):
            yield Exposure(row, version, "fixed", ())
        elif left:
            yield Exposure(row, version, "open", left)
        else:
            yield Exposure(row, version, "mended", (), where)
