"""The edits and jobs that several stages ask for."""

from __future__ import annotations

import re
from collections.abc import Container

from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.job import Job
from orchestrator.core.tree import Tree
from orchestrator.record.ports import Ports
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import code_only


def edit_files(
    study: Study,
    ports: Ports,
    purpose: str,
    instruction: str,
    *files: str,
    readable: tuple[str, ...] = (),
    new: bool = False,
) -> Edit:
    """Ask the editor to change ``files``, and with ``new`` to add Python files; it also receives
    the files at the top of the tree.
    """
    paths = {path for path in study.tree.paths() if "/" not in path} | set(files)
    return request_edit(study, ports, purpose, instruction, paths, files, readable, new=new)


def request_edit(
    study: Study,
    ports: Ports,
    purpose: str,
    instruction: str,
    paths: Container[str],
    editable: tuple[str, ...],
    readable: tuple[str, ...] = (),
    *,
    new: bool = False,
) -> Edit:
    """Ask for a change of ``editable``; the editor gets ``paths``, its prompt also ``readable``."""
    return ports.edit(
        EditRequest(
            scope=ports.scope,
            purpose=purpose,
            instruction=instruction,
            files=Tree(tuple(pair for pair in study.tree.files if pair[0] in paths)),
            editable=editable,
            readable=readable,
            limits=study.policy.limits("editor"),
            new_files=new,
        )
    )


def experiment_job(
    study: Study, ports: Ports, argv: tuple[str, ...], *harvest: str, runs: bool
) -> Job:
    """A job in the experiment container; with ``runs``, it receives the finished runs."""
    files = code_only(study.tree)
    if runs:
        finished = (pair for pair in study.tree.files if re.match(r"run_\d+(/|\Z)", pair[0]))
        files = files.updated(Tree(tuple(finished)))
    return Job(
        scope=ports.scope,
        kind="experiment",
        argv=argv,
        files=files,
        limits=study.policy.limits("experiment"),
        harvest=harvest,
        env=tuple(study.template.scale(study.scale).env.items()),
        data=study.data,
        preload=study.template.manifest.preload,
    )
