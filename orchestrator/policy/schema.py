"""What may stand in a policy: every key, its unit, and a line for its reader, once.

This is a policy whole, after inheritance, where no key may be missing; as a person writes it,
see ``policy_written.py``. Unknown keys are refused in both.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.core.units import Size, Time
from orchestrator.policy.values import (
    Count,
    CountOrNone,
    Cpus,
    Description,
    Dollars,
    Env,
    Exceeds,
    Image,
    Name,
    Network,
    Runtime,
    Seccomp,
    User,
)


class Strict(BaseModel):
    """Frozen, no unknown keys, no value turned into another type in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Resources(Strict):
    """What one container may use while it runs: CPUs, bytes of memory, processes, files."""

    cpus: Cpus = Field(description="CPUs at most; half ones are possible.")
    memory: Size = Field(description="Memory, with no swap on top. It includes /tmp and /dev/shm.")
    pids: Count = Field(description="Processes and threads at once; stops a fork bomb.")
    shm: Size = Field(description="Shared memory in /dev/shm, counted inside memory.")
    open_files: Count = Field(description="Open files of one process.")


class Gpus(Strict):
    """Whole GPUs by count; their memory is sampled and overuse killed, and the file says so."""

    count: CountOrNone = Field(description="Whole GPUs.")
    memory: Size = Field(description="Memory on each GPU; 0B where there is none.")
    enforce: Literal["watched"] = Field(
        description="`watched`: sampled, and killed past the limit; between two samples it can be exceeded."
    )


class Times(Strict):
    """Seconds: on the clock, of all CPUs together, and between TERM and KILL."""

    wall: Time = Field(description="On the clock, from start to kill.")
    cpu: Time = Field(description="Of all processes on all CPUs together.")
    grace: Time = Field(description="Between TERM and KILL.")


class Storage(Strict):
    """Bytes and inodes that a container may write: workspace, /tmp, and one file."""

    workspace: Size = Field(description="A hard quota on the working folder.")
    tmp: Size = Field(description="The folder /tmp, counted inside memory.")
    inodes: Count = Field(description="Files and folders, in the workspace and in /tmp each.")
    file: Size = Field(description="The largest single file.")


class Harvest(Strict):
    """The most that is brought home from one container."""

    files: Count = Field(description="Files that are brought home.")
    bytes: Size = Field(description="Bytes that are brought home, together.")
    file: Size = Field(description="The largest single file that is brought home.")
    depth: Count = Field(description="Folders in folders.")


class Container(Strict):
    """One kind of container: every control that its program lives under."""

    image: Image = Field(
        description="An image that `aisci images list` names; its id is recorded and checked at each start."
    )
    runtime: Runtime = Field(
        description="runc, or runsc: gVisor, a kernel of its own between program and host."
    )
    user: User = Field(description="Numeric user and group; never root.")
    env: Env = Field(
        description="Every variable that the program sees of yours; none is passed on unless named here."
    )
    resources: Resources = Field(description="What it may use while it runs.")
    gpus: Gpus = Field(description="Whole GPUs by count.")
    time: Times = Field(description="How long it may run.")
    storage: Storage = Field(description="What it may write.")
    network: Network = Field(
        description="`none`: no interface but loopback. Or the hosts that it may reach over HTTPS, by whole name."
    )
    seccomp: Seccomp = Field(
        description="The filter on system calls: `default`, aisci's own, or a profile's file."
    )
    logs: Size = Field(description="Bytes of output; more ends the run.")
    data: Literal["read-only", "none"] = Field(description="Staged data sets below /data, or none.")
    harvest: Harvest = Field(description="The most that is brought home.")


class EditorContainer(Container):
    """The editor's container; ``process`` runs it on the host instead, under the guard alone."""

    process: bool = Field(
        default=False,
        description="true: Aider runs on the host with your rights, under its own guard alone.",
    )


class Budget(Strict):
    """The most that model calls may cost: US dollars, tokens, requests."""

    usd: Dollars = Field(description="US dollars for model calls.")
    tokens: CountOrNone = Field(description="Tokens, of prompts and completions.")
    requests: CountOrNone = Field(description="Model calls.")


class IdeaBudget(Strict):
    """What one idea may use, from its first model call to its review."""

    wall: Time = Field(description="On the clock, from its first model call to its review.")
    gpu_time: Time = Field(description="GPUs × time.")
    budget: Budget = Field(description="Of model calls.")


class KeepFree(Strict):
    """What the host keeps for itself."""

    disk: Size = Field(description="Disk that stays free beyond all that a job may use.")
    memory: Size = Field(description="Memory that stays free beyond all that a job may use.")


class RunBudget(Strict):
    """What all ideas of a run may use together."""

    wall: Time = Field(description="On the clock, all ideas together.")
    budget: Budget = Field(description="Of model calls.")
    containers: Count = Field(description="Jobs at once; another waits.")
    memory: Size = Field(description="Of all jobs at once.")
    disk: Size = Field(description="Of the workspaces of all jobs at once.")
    keep_free: KeepFree = Field(description="What the host keeps for itself.")


class Whole(Strict):
    """A policy after inheritance: nothing is left out."""

    version: Literal[1] = Field(description="The version of this form.")
    name: Name = Field(description="Its name in records and messages.")
    description: Description = Field(description="One line for its reader.")
    exceeds: Exceeds = Field(
        default={},
        exclude_if=lambda reasons: not reasons,  # no hash changes where nothing is said
        description="Settings that allow more than the parent does, each with the reason.",
    )
    experiment: Container = Field(description="The container of the model's code.")
    latex: Container = Field(description="The container that compiles papers.")
    editor: EditorContainer = Field(
        description="The container of Aider, the editor; or the word `process`."
    )
    idea: IdeaBudget = Field(description="What one idea may use.")
    run: RunBudget = Field(description="What all ideas of a run may use together.")


BLOCKS = ("experiment", "latex", "editor")
"""The keys of a policy that hold a container, and that may stand alone in a file."""


def _leaves(model: type[BaseModel], at: str = "") -> tuple[str, ...]:
    """Each setting of ``model`` by its dotted key."""
    found: list[str] = []
    for key, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += _leaves(kind, f"{at}{key}.")
        else:
            found.append(at + key)
    return tuple(found)


DESCRIPTIVE = ("version", "name", "description", "exceeds")
"""Keys that say what a policy is, and allow nothing."""

SETTINGS = tuple(key for key in _leaves(Whole) if key not in DESCRIPTIVE)
"""Every other key of a policy with its dots, such as ``experiment.time.wall``."""
