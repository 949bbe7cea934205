"""Controls of the work around experiments: papers, edits, and what ideas and runs may use."""

from __future__ import annotations

import math
from functools import partial

from orchestrator.core.host import Host
from orchestrator.core.units import number_text, rough_text, size_text, time_text
from orchestrator.policy.controls.control import Control, How, by_engine, by_host
from orchestrator.policy.policy import Policy


def _editor(policy: Policy) -> str:
    if policy.editor_on_host:
        return (
            "Aider runs as a process of yours on this host. It gets a private folder and an "
            "environment of four names, and its guard lets it write only the files of the edit; "
            "but it has your rights, and no container's limit holds it."
        )
    return (
        "Aider runs in a container of its own, with no key and no network; model calls go up its "
        "pipe to the host. Its guard refuses every file but the edit's, shells, URLs, git and "
        "linters; files come home through the harvest, changes are found by their hashes."
    )


def _editing(host: Host, policy: Policy) -> How:
    if policy.editor_on_host:
        return How("given", "the guard, in Aider's own process; nothing outside it")
    text = "the block `editor` of this policy, by the same code as experiments"
    return by_engine(text, host, policy)


def _idea(policy: Policy) -> str:
    idea = policy.idea
    return (
        f"{time_text(idea.wall)} on the clock, {time_text(idea.gpu_time)} of GPUs, "
        f"{_budget(idea.usd, idea.tokens, idea.requests)}."
    )


def _run(policy: Policy) -> str:
    run = policy.run
    gpus = "" if math.isinf(run.gpu_time) else f"{time_text(run.gpu_time)} of GPUs, "
    return (
        f"{time_text(run.wall)} on the clock, {gpus}{_budget(run.usd, run.tokens, run.requests)}; "
        f"{run.containers} containers at once, holding {size_text(run.memory)} of memory and "
        f"{size_text(run.disk)} of workspaces together."
    )


def _budget(usd: float, tokens: int, requests: int) -> str:
    return f"{number_text(usd)} US dollars, {tokens} tokens, {requests} requests to the model"


def _reserve(host: Host, policy: Policy) -> How:
    keep = policy.run
    memory = ("memory", keep.keep_free_memory, host.memory_free)
    for name, kept, there in (memory, ("disk", keep.keep_free_disk, host.disk)):
        if kept > there:
            text = f"{size_text(kept)} of {name} to keep; free are {rough_text(there)}"
            return How("missing", text)
    free = f"free now: {rough_text(host.memory_free)} of memory, {rough_text(host.disk)} of disk"
    return by_host(f"looked at before each job; {free}")


WORK = (
    Control(
        id="latex",
        title="Papers",
        keys=(),
        by="the LaTeX container's own program, within the block `latex`",
        meaning=lambda policy: (
            "LaTeX runs in a container of its own, with no shell escape, TeX's files below its folder "
            "alone, with caps on pages, file sizes and each program's time, and at most "
            f"{time_text(policy.whole.latex.time.wall)} in all."
        ),
        how=partial(
            by_engine,
            "openin_any=p, openout_any=p, -no-shell-escape; a PDF that a viewer would act on is "
            "refused; the host never opens one",
        ),
        not_stopped="A PDF or picture that exploits the program in which a person opens it. "
        "pdfTeX may embed any file of its container: the image's and the paper's own.",
    ),
    Control(
        id="editor",
        title="Edits",
        keys=("editor.process",),
        by="a container and a guard; with `editor: process`, only the guard",
        meaning=_editor,
        how=_editing,
        not_stopped="A bad edit of the editable files. With `editor: process` also: a "
        "vulnerability in Aider or its libraries, which then has your rights.",
    ),
    Control(
        id="idea",
        title="Limits of an idea",
        keys=("idea.*",),
        by="the host, from its journal",
        meaning=_idea,
        how=partial(
            by_host,
            "counted before each call, an unanswered one at the most it can have cost; what is "
            "under way is stopped when the time is over",
        ),
        not_stopped="Spending all of it on nothing. A model with no known price is counted in "
        "tokens and requests only.",
    ),
    Control(
        id="run",
        title="Limits of a run",
        keys=(
            "run.wall",
            "run.gpu_time",
            "run.budget.*",
            "run.containers",
            "run.memory",
            "run.disk",
        ),
        by="the host, from its journal and before each job",
        meaning=_run,
        how=partial(by_host, "counted by the host; a job waits until there is room"),
        not_stopped="Two runs at once: each has its own limits, and `keep_free` applies to both. What an "
        "account uses in a month: the machine's `budgets.yaml` limits that.",
    ),
    Control(
        id="reserve",
        title="Host reserve",
        keys=("run.keep_free.*",),
        by="the host, before each job",
        meaning=lambda policy: (
            f"{size_text(policy.run.keep_free_memory)} of memory and "
            f"{size_text(policy.run.keep_free_disk)} of disk stay free beyond all that a job may use."
        ),
        how=_reserve,
        not_stopped="Other programs on this machine that use the free resources after the check.",
    ),
)
