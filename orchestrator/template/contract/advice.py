"""What to do about a program that failed in its container, from its verdict and last output."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.core.job import JobResult, Verdict
from orchestrator.core.units import GIB, MIB
from orchestrator.template.baseline import output_tail
from orchestrator.template.template import Template

_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
_FILE = re.compile(r"FileNotFoundError: .*?['\"](.{1,300}?)['\"]\s*$", re.MULTILINE)
_CUDA = re.compile(
    r"not compiled with CUDA|No CUDA GPUs|no NVIDIA driver|CUDA driver|CUDA device"
    r"|AssertionError:? .*cuda",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"name resolution|Name or service not known|URLError|ConnectionError|Network is unreachable"
    r"|Max retries exceeded|couldn't connect|Can't load|Error downloading"
)
_WORDS = (
    (
        r"not JSON compliant|cannot convert float NaN",
        "a number is NaN or infinite, which no result may be: correct what diverges, or leave it out",
    ),
    (
        r"TypeError: Object of type \w+ is not JSON serializable",
        "give plain numbers, such as float(x) of an array or a tensor with one element",
    ),
    (
        r"ValueError: there are no numbers: give those of one seed",
        'nothing was appended: FOUND.append({"accuracy": accuracy}) once for each seed',
    ),
    (
        r"in summarise\n(?:.*\n)*(?:KeyError|TypeError|AttributeError): ",
        'FOUND has one dictionary of numbers for each seed, of the same names: FOUND.append({"accuracy": 0.9})',
    ),
    (
        r"EOFError: EOF when reading a line",
        "nobody answers input() in a run: set the value in the code",
    ),
)
"""What mends a failure, by what its last output says."""
_MEMORY = re.compile(r"MemoryError|Cannot allocate memory|can't allocate memory|not enough memory")
_SIMPLE = {
    Verdict.OUT_OF_STORAGE: "write less: storage.workspace of the policy limits it",
    Verdict.OUT_OF_PIDS: "start fewer processes and threads",
    Verdict.LOG_FLOOD: "print less: a line for each evaluation, not for each step; or raise `logs` "
    "in the policy's block `experiment`",
    Verdict.INTERRUPTED: "run it again",
}


UNKNOWN_CAUSE = "correct the cause that its last output names"
"""The advice where the output says nothing that is known here."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """What was run: ``scale`` of ``template``, in a container with or without GPUs, of so many bytes of ``memory``
    (0: not known).
    """

    template: Template
    scale: str
    gpus: int = 0
    memory: int = 0

    @property
    def smaller(self) -> tuple[str, ...]:
        """The scales that take less time than this one, as far as the manifest says."""
        scales = self.template.manifest.scales
        most = scales[self.scale].minutes
        known = {name: one.minutes for name, one in scales.items() if one.minutes is not None}
        return tuple(name for name, one in known.items() if most is None or one < most)


def what_to_do(result: JobResult, tried: Attempted) -> str:
    """One sentence for a person; the end of the output stands beside it."""
    if result.verdict in _SIMPLE:
        return _SIMPLE[result.verdict]
    if result.verdict in (Verdict.TIMED_OUT, Verdict.OUT_OF_CPU_TIME):
        key = "wall" if result.verdict is Verdict.TIMED_OUT else "cpu"
        return f"use a policy with a longer experiment.time.{key}{_or_smaller(tried)}"
    if result.verdict is Verdict.OUT_OF_GPU_MEMORY:
        return f"use a policy with more gpus.memory{_or_smaller(tried)}"
    output = output_tail(result)
    if result.verdict is Verdict.OUT_OF_MEMORY or _MEMORY.search(output):
        return f"{_used(result, tried)}use a policy with a larger experiment.resources.memory{_or_smaller(tried)}"
    return _by_its_words(output, tried)


def _used(result: JobResult, tried: Attempted) -> str:
    peak = result.attestation.peaks.memory
    return f"it used {_size(peak)} of {_size(tried.memory)}: " if peak and tried.memory else ""


def _size(amount: int) -> str:
    return f"{amount / GIB:.3g} GiB" if amount >= GIB else f"{amount / MIB:.0f} MiB"


def _or_smaller(tried: Attempted) -> str:
    if tried.smaller:
        return f", or --scale {' or '.join(tried.smaller)}"
    return ", or have the experiment do less"


def _by_its_words(output: str, tried: Attempted) -> str:
    template = tried.template
    if module := _last(_MODULE, output):
        if template.inferred:
            return (
                f"the image lacks {module}: `aisci template adopt {template.argument}` drafts a "
                "template.yaml, whose `packages` and `lock` add it"
            )
        return (
            f"the image lacks {module}: add it to `packages` and `lock` of template.yaml, then: "
            f"aisci images build {template.argument}"
        )
    if not tried.gpus and _CUDA.search(output):
        return (
            "the policy gives no GPU: use one that does, with `gpu: required` in template.yaml, or "
            'choose the device in the code: "cuda" if torch.cuda.is_available() else "cpu"'
        )
    if _NETWORK.search(output):
        return (
            "experiments have no network: name the data under `data:` of template.yaml, or give it "
            "with --data DIR, and read it from /data/NAME"
        )
    if path := _last(_FILE, output):
        return (
            f"nothing is at {path!r} in the container: put a small file into the template, or give "
            "a folder of data sets with --data DIR, each read from /data/NAME"
        )
    return next((cure for words, cure in _WORDS if re.search(words, output)), UNKNOWN_CAUSE)


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    return str(found[-1]) if found else ""
