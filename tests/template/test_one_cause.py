"""One cause is one finding, with its cure; what is named so nowhere else in the check is not told twice."""

from __future__ import annotations

import json
import re

import pytest

from orchestrator.core.errors import BadTemplate
from orchestrator.core.files import shipped_root
from orchestrator.core.job import Attestation, JobResult, Peaks, Verdict
from orchestrator.core.tree import Tree
from orchestrator.template.contract import code, measured
from orchestrator.template.contract.advice import Attempted, what_to_do
from orchestrator.template.contract.files import OPAQUE_TODO
from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.contract.measured import MeasuredRun
from orchestrator.template.template import Template, from_files, load_template
from tests.support.places import DATA

QUICK = load_template(f"{DATA}/quick/", shipped_root())


def changed(path: str, *pairs: tuple[str, str]) -> Template:
    text = QUICK.text(path)
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return from_files({**QUICK.files, path: text.encode()}, "quick", "./quick")


def declared(template: Template, *names: str) -> tuple[RuleFinding, ...]:
    data = {"line": {"means": dict.fromkeys(names, 1.0)}}
    run = MeasuredRun.of(json.dumps(data).encode())
    trained = measured.trained(template, "smoke", run.results)
    return (*measured.declared(template, run).findings, *trained.findings)


def test_metrics_that_all_differ_by_mean_are_one_finding_and_no_other_rule_repeats_it() -> None:
    template = changed("template.yaml", ("_loss_mean", "_loss"))
    (finding,) = declared(template, "final_loss_mean", "initial_loss_mean")
    assert finding.what == "the run reports each of final_loss, initial_loss with `_mean` behind it"
    assert finding.where == "template.yaml: metrics"


def test_one_metric_of_another_name_is_one_finding_with_the_name_that_was_meant() -> None:
    (finding,) = declared(QUICK, "final_los_mean", "initial_loss_mean")
    assert "'final_los_mean', not declared" in finding.what
    assert finding.todo.startswith("did you mean final_los_mean?")


def test_metrics_that_are_not_alike_are_told_apart() -> None:
    found = declared(QUICK, "accuracy", "initial_loss_mean")
    assert [one.what for one in found] == [
        "the run reports 'accuracy', not declared",
        "no data set has the declared metric 'final_loss_mean'",
    ]


def test_a_package_by_the_name_it_is_installed_by_is_one_finding_with_its_module() -> None:
    template = changed("template.yaml", ("[matplotlib]", "[matplotlib, scikit-learn]"))
    source = b"import sklearn\n" + template.files["experiment.py"]
    template = from_files({**template.files, "experiment.py": source}, "quick", "./quick")
    (finding,) = code.packages(template)
    assert finding.todo == "write sklearn in place of scikit-learn"


def test_a_knob_that_the_code_does_not_have_may_be_taken_out() -> None:
    template = changed("experiment.py", ("STEP_SIZE", "RATE"))
    (finding,) = code.knobs_on_one_line(template)
    assert "write `STEP_SIZE = 0.1` once" in finding.todo
    assert finding.todo.endswith("or take the knob step_size out of template.yaml")


def test_a_saved_model_need_not_be_saved() -> None:
    assert OPAQUE_TODO.startswith("do not save it, or write JSON or CSV")


def ended(words: str) -> JobResult:
    attestation = Attestation(
        container="c", image="i", policy="p", engine="e", kernel="k", runtime="runc", storage="s",
        asked=(), inspected=(), seen=(), hit=(), peaks=Peaks(), verdict=Verdict.FAILED, exit_code=1,
    )  # fmt: skip
    return JobResult(stdout="", stderr=words, files=Tree(), attestation=attestation)


def failed(words: str) -> str:
    return what_to_do(ended(words), Attempted(QUICK, "smoke"))


@pytest.mark.parametrize(
    "last",
    [
        "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
        "socket.gaierror: [Errno -3] Temporary failure in name resolution",
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded",
        "RuntimeError: Error downloading train-images-idx3-ubyte.gz",
        "OSError: We couldn't connect to 'https://huggingface.co' to load this file",
    ],
)
def test_a_download_is_told_that_there_is_no_network_and_where_data_is_named(last: str) -> None:
    said = failed(f"Traceback (most recent call last):\n  File 'experiment.py'\n{last}\n")
    assert said.startswith("experiments have no network: name the data under `data:`")
    assert "--data DIR" in said


def test_of_a_known_cause_the_programs_own_line_and_the_last_are_shown() -> None:
    """A library's forty calls between the two tell nobody anything."""
    place = "/workspace/results/template/idea/experiment.py"
    inner = "".join(
        f'  File "/usr/lib/python3.11/lib{i}.py", line 9, in f\n    f()\n' for i in range(40)
    )
    words = (
        f'Traceback (most recent call last):\n  File "{place}", line 25, in measure\n'
        f"    fetch_openml('mnist_784')\n{inner}"
    )
    end = "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>"
    (finding,) = measured.finishes(ended(f"{words}{end}\n"), Attempted(QUICK, "smoke")).findings
    assert finding.what.splitlines()[1:] == [
        "      | experiment.py:25: fetch_openml('mnist_784')",
        f"      | {end}",
    ]
    (finding,) = measured.finishes(
        ended(f"{words}ValueError: no luck\n"), Attempted(QUICK, "smoke")
    ).findings
    assert len(finding.what.splitlines()) == 13


def test_cuda_without_a_gpu_is_told_the_key_and_the_policy() -> None:
    said = failed("AssertionError: Torch not compiled with CUDA enabled\n")
    assert "the policy gives no GPU" in said
    assert "`gpu: required`" in said


def test_a_mistyped_key_and_a_variable_of_another_name_are_told_at_their_places() -> None:
    text = QUICK.text("template.yaml").replace("AISCI_SCALE: smoke", "EPOCHS: '3'", 1)
    text = re.sub("minutes:", "minuts:", text, count=1)
    with pytest.raises(BadTemplate) as error:
        from_files({**QUICK.files, "template.yaml": text.encode()}, "quick", "./quick")
    found = {(one.what, one.todo) for one in error.value.problems}
    assert ("unknown key 'minuts'", "did you mean 'minutes'?") in found
    assert "variables begin with AISCI_: EPOCHS" in {what for what, _ in found}
