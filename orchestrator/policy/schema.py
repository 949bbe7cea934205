"""The keys of a policy: each with its unit and one line of description.

This is a whole policy, after inheritance, where no key may be missing; ``document.py`` has the form
that a person writes. Unknown keys are refused in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.core.units import Size, Time
from orchestrator.policy.exceptions import Exceeds
from orchestrator.policy.model_rules import NO_RULES, ModelRules
from orchestrator.policy.values import (
    ANY_AGE,
    Count,
    CountOrNone,
    Cpus,
    Description,
    Dollars,
    Env,
    Image,
    ImageAge,
    KeyName,
    Network,
    Runtime,
    Seccomp,
    TimeOrAny,
    User,
    Version,
)


class Strict(BaseModel):
    """Frozen, no unknown keys, no silent conversion of a value to another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Resources(Strict):
    """What one container may use while it runs: CPUs, bytes of memory, processes, files."""

    cpus: Cpus = Field(description="CPUs at most; fractions are possible.")
    memory: Size = Field(description="Memory, with no swap on top. It includes /tmp and /dev/shm.")
    pids: Count = Field(description="Processes and threads at once; stops a fork bomb.")
    shm: Size = Field(description="Shared memory in /dev/shm, counted inside memory.")
    open_files: Count = Field(description="Open files of one process.")


class GpuSettings(Strict):
    """Whole GPUs by count; their memory is sampled, and overuse is killed."""

    count: CountOrNone = Field(description="Whole GPUs.")
    memory: Size = Field(description="Memory on each GPU; 0B where there is none.")
    enforce: Literal["watched"] = Field(
        description="`watched`: sampled, and killed above the limit; it can be exceeded between two samples."
    )


class Times(Strict):
    """Seconds: wall time, CPU time, and the time between TERM and KILL."""

    wall: Time = Field(description="Wall time, from start to kill.")
    cpu: Time = Field(description="CPU time of all processes on all CPUs together.")
    grace: Time = Field(description="Time between TERM and KILL.")


class Storage(Strict):
    """Bytes and inodes that a container may write: workspace, /tmp, and one file."""

    workspace: Size = Field(description="A hard quota on the working folder.")
    tmp: Size = Field(description="The folder /tmp, counted inside memory.")
    inodes: Count = Field(description="Files and folders, in the workspace and in /tmp each.")
    file: Size = Field(description="The largest single file.")


class HarvestSettings(Strict):
    """The most that is copied out of one container."""

    files: Count = Field(description="Files that are copied out.")
    bytes: Size = Field(description="Bytes that are copied out, together.")
    file: Size = Field(description="The largest single file that is copied out.")
    depth: Count = Field(description="Levels of folders.")


class Container(Strict):
    """One kind of container: every control that its program runs under."""

    image: Image = Field(
        description="An image that `aisci images list` prints; its id is recorded and checked at each start."
    )
    image_age: ImageAge = Field(
        default=ANY_AGE,
        exclude_if=lambda age: age == ANY_AGE,  # a policy without a bound keeps its hash
        description="An older image is refused before a run, such as `30d`; or `any`.",
    )
    runtime: Runtime = Field(
        description="runc, or runsc (gVisor): a separate kernel between program and host."
    )
    user: User = Field(description="Numeric user and group; never root.")
    env: Env = Field(
        description="The variables that the program gets; no other variable of yours is passed on."
    )
    resources: Resources = Field(description="What it may use while it runs.")
    gpus: GpuSettings = Field(description="Whole GPUs by count.")
    time: Times = Field(description="How long it may run.")
    storage: Storage = Field(description="What it may write.")
    network: Network = Field(
        description="`none`: only the loopback interface. Or the full names of the hosts that it may reach over HTTPS."
    )
    seccomp: Seccomp = Field(
        description="The filter for system calls: `default` (aisci's own), or the file of a profile."
    )
    logs: Size = Field(description="Bytes of output; a job that writes more is ended.")
    data: Literal["read-only", "none"] = Field(
        description="`read-only`: staged data sets below /data. Or `none`."
    )
    harvest: HarvestSettings = Field(description="The most that is copied out.")


class EditorContainer(Container):
    """The editor's container; ``process`` runs the editor on the host, under its own guard only."""

    process: bool = Field(
        default=False,
        description="true: Aider runs on the host with your rights, under its own guard only.",
    )


class BudgetLimits(Strict):
    """The most that model calls may cost: US dollars, tokens, requests."""

    usd: Dollars = Field(description="US dollars for model calls.")
    tokens: CountOrNone = Field(description="Tokens, of prompts and completions.")
    requests: CountOrNone = Field(description="Model calls.")


class IdeaBudget(Strict):
    """What one idea may use, from its first model call to its review."""

    wall: Time = Field(description="Wall time, from its first model call to its review.")
    gpu_time: Time = Field(description="GPUs × time.")
    budget: BudgetLimits = Field(description="The cost of model calls.")


class KeepFree(Strict):
    """What stays free on the host."""

    disk: Size = Field(description="Disk that stays free in addition to what a job may use.")
    memory: Size = Field(description="Memory that stays free in addition to what a job may use.")


class RunBudget(Strict):
    """What all ideas of a run may use together."""

    wall: Time = Field(description="Wall time, all ideas together.")
    gpu_time: TimeOrAny = Field(
        default=ANY_AGE,
        exclude_if=lambda most: most == ANY_AGE,  # a policy without this limit keeps its hash
        description="GPUs × time, all ideas together; or `any`: only each idea has a limit.",
    )
    budget: BudgetLimits = Field(description="The cost of model calls.")
    containers: Count = Field(
        description="Jobs at the same time, those of your other runs counted; further jobs wait."
    )
    memory: Size = Field(description="Memory of all running jobs together.")
    disk: Size = Field(description="Workspaces of all running jobs together.")
    keep_free: KeepFree = Field(description="What stays free on the host.")


class WholePolicy(Strict):
    """A policy after inheritance, with every key."""

    version: Version = Field(description="The version of the policy format.")
    name: KeyName = Field(description="Its name in records and messages.")
    description: Description = Field(description="One line of description.")
    exceeds: Exceeds = Field(
        default={},
        exclude_if=lambda reasons: not reasons,  # a policy without `exceeds` keeps its hash
        description="Settings that allow more than the parent does, each with the reason; or with reason, approver and last day.",
    )
    experiment: Container = Field(description="The container of the model's code.")
    latex: Container = Field(description="The container that compiles papers.")
    editor: EditorContainer = Field(
        description="The container of Aider, the editor; or the word `process`."
    )
    model: ModelRules = Field(
        default=NO_RULES,
        exclude_if=lambda rules: rules == NO_RULES,  # a policy without the block keeps its hash
        description="Which models may be asked, and what of a failed attempt is told them.",
    )
    idea: IdeaBudget = Field(description="What one idea may use.")
    run: RunBudget = Field(description="What all ideas of a run may use together.")


BLOCKS = ("experiment", "latex", "editor")
"""The keys of a policy that contain a container, and that a file may have without the others."""


def _leaves(model: type[BaseModel], at: str = "") -> Iterator[str]:
    for key, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _leaves(kind, f"{at}{key}.")
        else:
            yield at + key


DESCRIPTIVE = ("version", "name", "description", "exceeds")
"""Keys that describe a policy and allow nothing."""

SETTINGS = tuple(key for key in _leaves(WholePolicy) if key not in DESCRIPTIVE)
"""Every other key of a policy with its dots, such as ``experiment.time.wall``."""
