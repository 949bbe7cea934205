"""What is mounted where, from a process's ``mountinfo`` in the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import SandboxFailed
from orchestrator.record.attestation import SettingPairs
from orchestrator.sandbox.storage.quota import OPTIONS

WORKSPACE, NO_MOUNT = "mount of the workspace", "none"


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system's kind, its mount options, and the file system's own options."""

    kind: str
    options: tuple[str, ...]
    own: tuple[str, ...]


def mount_of(folder: Path, mountinfo: str) -> Mount:
    """The mount that contains ``folder``; of two at one place the later one covers the first.

    ``mountinfo`` is the text of a ``/proc/<pid>/mountinfo`` (proc(5)).
    """
    mount, longest = Mount("an unknown file system", (), ()), -1
    for line in mountinfo.splitlines():
        place, _, source = line.partition(" - ")
        fields = place.split()
        point = Path(fields[4].encode().decode("unicode_escape"))  # a space is \040
        if folder.is_relative_to(point) and len(point.parts) >= longest:
            kind, _, own = source.split(" ", 2)
            options = tuple(fields[5].split(","))
            mount, longest = Mount(kind, options, tuple(own.split(","))), len(point.parts)
    return mount


def workspace_of(pid: int, workdir: str) -> SettingPairs:
    """How a container's working directory is mounted, as its first process sees it.

    Empty where this process may not read it: then only the engine's report is known.
    """
    try:
        text = Path(f"/proc/{pid}/mountinfo").read_text()
    except OSError:
        return ()
    if not any(line.split()[4] == workdir for line in text.splitlines()):
        return ((WORKSPACE, NO_MOUNT),)
    mount = mount_of(Path(workdir), text)
    return ((WORKSPACE, f"{mount.kind} {','.join(mount.options)}"),)


def check_workspace(seen: SettingPairs, backend: str) -> None:
    """Raise :class:`SandboxFailed` if the engine omitted the mount, or an option of its backend.

    ``xfs`` asks for no option: a bind takes the host's.
    """
    words = dict(seen).get(WORKSPACE)
    if words is None or (backend == "xfs" and words != NO_MOUNT):
        return
    missing = set(OPTIONS.split(",")) - set(words.partition(" ")[2].split(","))
    if missing:
        raise SandboxFailed(
            "a job's workspace was not mounted as requested",
            where="the workspace of a job",
            why=f"without {', '.join(sorted(missing))}: {words}",
            todo="`aisci doctor` shows what this engine does differently",
        )
