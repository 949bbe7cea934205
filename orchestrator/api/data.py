"""The data sets of a run: staged, verified, and held to what the run began with."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.errors import UserError
from orchestrator.machine import datasets
from orchestrator.policy.policy import Policy
from orchestrator.record.pins import DataPin
from orchestrator.template.template import Template


def data_for(
    template: Template, scale: str, policy: Policy, extra: Path | None = None
) -> tuple[DataPin, ...]:
    """What a run at ``scale`` finds below ``/data``: the sets that it needs, and a person's own.

    Every file is read and compared with its hash. ``extra`` is a folder whose sub-folders are
    data sets of the person's.

    Raises:
        UserError: the policy gives no data; a set is not staged; ``extra`` holds none.
        DataFailed: a staged set was changed.
    """
    needed = template.manifest.needed(scale)
    if needed:
        _may_have_data(policy, f"the scale {scale} of {template.name}, which needs data")
    declared = {data.name for data in template.manifest.data if data.source == "download"}
    own = staged(extra, policy)
    for one in own:
        if one.name in declared:
            raise UserError(
                f"the template declares the data set {one.name!r} itself",
                where=f"--data {extra}",
                todo=f"aisci data prepare {template.argument} --only {one.name} --from FILE",
            )
    return (*(datasets.verify_staged(data, template.argument) for data in needed), *own)


def staged(folder: Path | None, policy: Policy) -> tuple[DataPin, ...]:
    """Each sub-folder of ``folder`` as a data set, by the hash of its content."""
    if folder is None:
        return ()
    _may_have_data(policy, f"--data {folder}")
    return tuple(
        DataPin(name=path.name, hash=datasets.folder_hash(path), folder=str(path.resolve()))
        for path in _sets(folder)
    )


def data_set_names(folder: Path | None) -> frozenset[str]:
    """The names of the data sets in a person's folder. Raises :class:`UserError` as for a run."""
    return frozenset(path.name for path in (_sets(folder) if folder else ()))


def _sets(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError(
            "there is no such folder of data sets",
            where=f"--data {folder}",
            todo="name a folder that exists; each of its sub-folders is one data set",
        )
    sets = sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    if not sets:
        raise UserError(
            "the folder holds no data set",
            where=f"--data {folder}",
            todo="put each data set into a sub-folder; it is mounted as /data/<its name>",
        )
    return sets


def same_data(data: tuple[DataPin, ...], policy: Policy) -> None:
    """Raise :class:`UserError` where a data set is missing or changed, or ``policy`` gives none."""
    if data:
        _may_have_data(policy, "the data sets that the run began with")
    for one in data:
        folder = Path(one.folder)
        if not folder.is_dir() or datasets.folder_hash(folder) != one.hash:
            raise UserError(
                f"the data set {one.name!r} is not the one that this run began with",
                where=one.folder,
                why="it was changed" if folder.is_dir() else "it is not there",
                todo="restore the original data; a run cannot resume with different data",
            )


def _may_have_data(policy: Policy, asked: str) -> None:
    if policy.whole.experiment.data == "none":
        raise UserError(
            f"the policy {policy.name!r} gives experiments no data",
            where=f"{asked}; the policy's experiment.data is none",
            todo="leave --data out, or use a policy with `data: read-only`",
        )
