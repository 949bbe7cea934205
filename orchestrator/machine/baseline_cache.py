"""The baselines that this machine keeps, and the sandbox that answers from one.

::

    $XDG_DATA_HOME/aisci/baselines/<template>/<scale>/<first of key>/
        baseline.json  blobs/
"""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestrator.core.deadline import Deadline
from orchestrator.core.files import data_home, slug, write
from orchestrator.core.job import Job, JobResult
from orchestrator.core.protocols import Blobs, Sandbox
from orchestrator.record.blobs import BlobStore
from orchestrator.template.baseline import KeptBaseline, baseline_json, key_of, read_baseline

_RECORD = "baseline.json"


def baselines_folder() -> Path:
    """The folder of baselines, per user and machine: results may be on a shared disk."""
    return data_home() / "baselines"


def _folder(template: str, scale: str, key: str) -> Path:
    return baselines_folder() / slug(template) / slug(scale) / key[:16]


def keep_baseline(kept: KeptBaseline, blobs: Blobs) -> Path:
    """Write a baseline and its files, replacing one of the same key."""
    folder = _folder(kept.template, kept.scale, kept.key)
    store = BlobStore(folder / "blobs")
    for _, sha256 in kept.result.files.files:
        store.put(blobs.get(sha256))
    write(folder / _RECORD, baseline_json(kept))
    return folder / _RECORD


def find_baseline(template: str, scale: str, key: str) -> KeptBaseline | None:
    """The baseline with that key, if one is kept. Raises :class:`BadFile`."""
    path = _folder(template, scale, key) / _RECORD
    if not path.is_file():
        return None
    kept = read_baseline(path.read_bytes(), str(path))
    return kept if kept.key == key else None


def baselines_of(template: str) -> tuple[KeptBaseline, ...]:
    """Every baseline of a template, the newest last."""
    found = (baselines_folder() / slug(template)).glob(f"*/*/{_RECORD}")
    kept = [read_baseline(path.read_bytes(), str(path)) for path in found]
    return tuple(sorted(kept, key=lambda baseline: baseline.at))


def kept_blobs(kept: KeptBaseline) -> BlobStore:
    """Where a baseline's files are."""
    return BlobStore(_folder(kept.template, kept.scale, kept.key) / "blobs")


def restore_files(kept: KeptBaseline, blobs: Blobs) -> None:
    """Copy a baseline's files into ``blobs``. Raises :class:`BadJournal`."""
    store = kept_blobs(kept)
    for _, sha256 in kept.result.files.files:
        blobs.put(store.get(sha256))


def forget_baseline(kept: KeptBaseline) -> None:
    """Remove a baseline, so that it is measured again."""
    shutil.rmtree(_folder(kept.template, kept.scale, kept.key))


class CachedBaselineSandbox:
    """Answers the job of a kept baseline from the cache; passes other jobs to another sandbox.

    Implements :class:`orchestrator.core.protocols.Sandbox`. The baseline's files go into ``blobs``.
    """

    def __init__(self, kept: KeptBaseline, blobs: Blobs, real: Sandbox) -> None:
        self._kept, self._blobs, self._real = kept, blobs, real

    def run(self, job: Job, within: Deadline) -> JobResult:
        if key_of(job, self._kept.image, self._kept.result.attestation.policy) != self._kept.key:
            return self._real.run(job, within)
        restore_files(self._kept, self._blobs)
        return self._kept.result
