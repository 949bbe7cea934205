"""A failed program is told how it ended, its last words, and what mends such a failure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.core.job import Attestation, JobResult, Peaks, Verdict
from orchestrator.core.tree import Tree
from orchestrator.template.contract.advice import Attempted, what_to_do
from orchestrator.template.contract.measured import finishes
from orchestrator.template.template import load_template
from tests.support.places import DATA

PLAIN = Attempted(load_template(f"{DATA}/plain_template/", shipped_root()), "full")
QUICK = Attempted(load_template(f"{DATA}/quick/", shipped_root()), "full")


def ended(verdict: Verdict, stderr: str = "", *, stdout: str = "", code: int = 1) -> JobResult:
    attestation = Attestation(
        container="c", image="i", policy="p", engine="e", kernel="k", runtime="runc", storage="s",
        asked=(), inspected=(), seen=(), hit=(), peaks=Peaks(), verdict=verdict, exit_code=code,
    )  # fmt: skip
    return JobResult(stdout=stdout, stderr=stderr, files=Tree(), attestation=attestation)


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("ModuleNotFoundError: No module named 'npeet'", "the image lacks npeet: `aisci template adopt"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '../../../data/a b.txt'", "--data DIR"),
        ("AssertionError: Torch not compiled with CUDA enabled", "the policy gives no GPU"),
        ('AssertionError: Device set to cuda, but it is "cpu"', "the policy gives no GPU"),
        ("RuntimeError: Found no NVIDIA driver on your system.", "the policy gives no GPU"),
        ("numpy.core._exceptions._ArrayMemoryError: Unable to allocate\nMemoryError", "memory"),
        ("urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>", "no network"),
        ("ValueError: Out of range float values are not JSON compliant: nan", "NaN or infinite"),
        ("TypeError: Object of type ndarray is not JSON serializable", "float(x)"),
        ("ValueError: there are no numbers: give those of one seed at least", "nothing was appended"),
        ('  File "common.py", line 34, in summarise\n    x = y\nKeyError: 0', "one dictionary of numbers"),
        ("EOFError: EOF when reading a line", "nobody answers input()"),
        ('  File "a.py", line 4, in other\nKeyError: 0', "its last output names"),
        ("ValueError: no such luck", "its last output names"),
    ],
)  # fmt: skip
def test_the_advice_fits_the_last_words(words: str, advice: str) -> None:
    assert advice in what_to_do(ended(Verdict.FAILED, f"Traceback:\n{words}\n"), PLAIN)


def test_out_of_memory_says_what_was_used_of_which_limit() -> None:
    result = ended(Verdict.OUT_OF_MEMORY)
    peaks = replace(result.attestation, peaks=Peaks(memory=3 << 30))
    tried = replace(PLAIN, memory=3 << 30)
    advice = what_to_do(replace(result, attestation=peaks), tried)
    assert advice.startswith(
        "it used 3 GiB of 3 GiB: use a policy with a larger experiment.resources.memory"
    )
    assert what_to_do(result, tried).startswith("use a policy")


def test_a_path_is_named_with_a_message_that_holds_quotes() -> None:
    words = (
        "FileNotFoundError: [Errno 2] No such file or directory: '../../../data/text8/train.bin'"
    )
    assert "'../../../data/text8/train.bin'" in what_to_do(ended(Verdict.FAILED, words), PLAIN)


def test_a_template_with_a_manifest_is_sent_to_its_own_lines() -> None:
    words = "ModuleNotFoundError: No module named 'npeet.sub'"
    advice = what_to_do(ended(Verdict.FAILED, words), QUICK)
    assert "add it to `packages` and `lock`" in advice
    assert "aisci images build" in advice


def test_a_container_with_a_gpu_is_not_told_to_get_one() -> None:
    result = ended(Verdict.FAILED, "RuntimeError: CUDA driver error: an illegal access")
    assert "gives no GPU" not in what_to_do(result, replace(PLAIN, gpus=1))


@pytest.mark.parametrize(
    ("verdict", "key"),
    [
        (Verdict.TIMED_OUT, "experiment.time.wall"),
        (Verdict.OUT_OF_CPU_TIME, "experiment.time.cpu"),
        (Verdict.OUT_OF_MEMORY, "experiment.resources.memory"),
    ],
)
def test_a_limit_is_named_and_a_smaller_scale_only_where_there_is_one(
    verdict: Verdict, key: str
) -> None:
    alone = what_to_do(ended(verdict), PLAIN)
    assert key in alone
    assert "--scale" not in alone
    manifest = QUICK.template.manifest
    full = manifest.scales["full"].model_copy(update={"minutes": 60.0})
    scaled = manifest.model_copy(update={"scales": {**manifest.scales, "full": full}})
    tried = Attempted(replace(QUICK.template, manifest=scaled), "full")
    assert "or --scale smoke" in what_to_do(ended(verdict), tried)
    assert "--scale" not in what_to_do(ended(verdict), replace(tried, scale="smoke"))


def test_the_end_of_the_output_and_the_signal_are_told() -> None:
    long = "\n".join(f"step {i}" for i in range(2000))
    result = ended(Verdict.FAILED, stdout=long + "\nSegmentation fault", code=139)
    (finding,) = finishes(result, PLAIN).findings
    assert "failed (exit code 139, killed by signal 11)" in finding.what
    assert finding.what.endswith("| Segmentation fault")
