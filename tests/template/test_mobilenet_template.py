"""templates/mobilenetV3: the network is the published one, and images are read as CIFAR-10 has them."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("mobilenetV3", shipped_root())

BEGIN = """
import experiment as e, numpy as np, torch
from pathlib import Path
def refused(act):
    try:
        act()
    except SystemExit as error:
        return str(error)
"""
TRUTHS: dict[str, str] = {}  # short programs, which share a container
FILES: dict[str, bytes] = {}


@pytest.fixture(scope="module")
def truths() -> Any:
    return rig.answers(TEMPLATE, BEGIN, TRUTHS, FILES)


TRUTHS["published"] = """
answer = {}
for width in (1.0, 0.75):
    model = e.MobileNetV3(width=width)
    found = e.costs(model, 3, 224)
    answer[width] = [sum(p.numel() for p in model.parameters()), sum(found["parameters"]), sum(found["multiply_adds"])]
found = e.costs(e.MobileNetV3(), 3, 224)
answer["block 5"] = {kind: [sum(a for p, k, a in zip(found["part"], found["kind"], found[key]) if (p, k) == ("block 5", kind))
                     for key in ("parameters", "multiply_adds")] for kind in ("expand", "filter", "gate", "project")}
"""


@pytest.mark.engine
def test_the_network_has_the_published_numbers_of_parameters_and_multiply_adds(truths: Any) -> None:
    """Howard et al. (2019) state 2.5 and 2.0 million parameters, 56 and 44 million multiply-adds;

    implementations in use have 2,542,856 parameters at width 1 and 2.042 million at 0.75.
    """
    told = truths["published"]
    assert told["1.0"][0] == told["1.0"][1] == 2_542_856
    assert told["1.0"][2] / 1e6 == pytest.approx(56.5, abs=0.1)
    assert told["0.75"][0] == told["0.75"][1] == pytest.approx(2.042e6, abs=500)
    assert told["0.75"][2] / 1e6 == pytest.approx(43.4, abs=0.1)
    places = 14 * 14  # 40 channels, widened to 240, a kernel of 5, a gate with 64 in its middle
    assert told["block 5"] == {
        "expand": [40 * 240 + 2 * 240, 40 * 240 * places],
        "filter": [25 * 240 + 2 * 240, 25 * 240 * places],
        "gate": [240 * 64 + 64 + 64 * 240 + 240, 2 * 240 * 64],
        "project": [240 * 40 + 2 * 40, 240 * 40 * places],
    }


TRUTHS["bends"] = """
x = torch.linspace(-5, 5, 101, dtype=torch.double)
answer = {"x": x.tolist()}
for e.ACTIVATION in (0, 2, 1):
    answer[e.ACTIVATION] = e.HSwish()(x).tolist()
torch.manual_seed(0)
gate = e.Gate(16).double()
image = torch.randn(3, 16, 4, 5, dtype=torch.double)
w1, b1, w2, b2 = (p.detach().numpy() for p in gate.parameters())
means = image.numpy().mean(axis=(2, 3))
weights = np.clip((np.maximum(means @ w1.T + b1, 0) @ w2.T + b2 + 3) / 6, 0, 1)
answer["gate"] = float(np.abs(gate(image).detach().numpy() - image.numpy() * weights[:, :, None, None]).max())
answer["middle"] = list(w1.shape)
"""


@pytest.mark.engine
def test_h_swish_and_the_gates_are_what_the_paper_writes(truths: Any) -> None:
    told = truths["bends"]
    for x, relu, hard, soft in zip(told["x"], told["0"], told["1"], told["2"], strict=True):
        assert relu == max(x, 0)
        assert hard == pytest.approx(x * min(max(x + 3, 0), 6) / 6, abs=1e-12)
        assert abs(hard - soft) < 0.15  # it stands for swish
    assert told["1"] != told["0"]
    assert told["gate"] < 1e-12
    assert told["middle"] == [8, 16]


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def image(label: int, red: int, green: int, blue: int) -> bytes:
    """A record of CIFAR-10: the first row of its red plane counts up."""
    return bytes([label, *range(32), *[red] * 992, *[green] * 1024, *[blue] * 1024])


NAMES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
CONTENT = {name: image(i, 200 + i, 100 + i, i) * 2 for i, name in enumerate(NAMES)}
FILES["real/cifar10/cifar-10-binary.tar.gz"] = archive(CONTENT)
FILES["cut/cifar10/cifar-10-binary.tar.gz"] = archive(dict.fromkeys(NAMES, b"x" * 3000))
TRUTHS["format"] = """
known, test = e.cifar10(Path("real"))
first, last = known.images[0], test.images[-1]
answer = {"labels": [known.labels.tolist(), test.labels.tolist()], "shape": list(known.images.shape),
          "row": first[0, 0].tolist(), "planes": first[:, 1:].reshape(3, -1).T.tolist()[0], "last": last[:, 1, 0].tolist(),
          "nothing": refused(lambda: e.cifar10(Path("nowhere"))), "cut": refused(lambda: e.cifar10(Path("cut")))}
made = Path("made"); made.mkdir(); e.make(made, per_file=50)
known, test = e.cifar10(made)
answer["made"] = [len(known.labels), len(test.labels), len(set(known.labels.tolist()))]
again = e.split(e.SCALES["full"], 1337, Path("real"))
answer["left"] = {name: len(part.labels) for name, part in vars(again).items()}
"""


@pytest.mark.engine
def test_images_are_read_from_the_archive_that_is_downloaded_and_its_lack_has_a_cure(
    truths: Any,
) -> None:
    told = truths["format"]
    assert told["labels"] == [[0, 0, 1, 1, 2, 2, 3, 3, 4, 4], [5, 5]]
    assert told["shape"] == [10, 3, 32, 32]
    assert told["row"] == list(range(32))
    assert (told["planes"], told["last"]) == ([200, 100, 0], [205, 105, 5])
    assert "aisci data prepare mobilenetV3" in told["nothing"]
    assert "not the version for Python" in told["cut"]
    assert told["made"] == [250, 50, 10]
    (staged,) = [data for data in TEMPLATE.manifest.data if data.source == "download"]
    assert [f"{staged.name}/{file.path}" for file in staged.files] == [
        "cifar10/cifar-10-binary.tar.gz"
    ]


@pytest.mark.engine
def test_an_image_that_occurs_twice_is_not_trained_on_if_it_also_chooses(truths: Any) -> None:
    """Each image is in its file twice: the one that validates takes its double out of training."""
    left = truths["format"]["left"]
    assert (left["validation"], left["test"]) == (1, 2)
    assert left["known"] == 8


TRUTHS["moves"] = """
source = torch.Generator().manual_seed(0)
image = torch.arange(1, 65.0).reshape(1, 1, 8, 8).repeat(400, 1, 1, 1)
e.SHIFT = 0.0
still = e.moved(image, source, mirror=False)
flipped = e.moved(image, source, mirror=True)
e.SHIFT = 0.125
shifted = e.moved(image, source, mirror=False)
answer = {"still": bool((still == image).all()), "kinds": len({one.numpy().tobytes() for one in shifted}),
          "inside": bool((shifted[:, :, 1:-1, 1:-1] > 0).all()),
          "flips": sorted({tuple(one[0, 0].tolist()) for one in flipped})}
"""


@pytest.mark.engine
def test_training_images_move_by_at_most_their_share_and_only_some_are_mirrored(
    truths: Any,
) -> None:
    told = truths["moves"]
    assert told["still"]
    assert told["kinds"] == 9  # one pixel each way
    assert told["inside"]
    assert told["flips"] == [list(range(1, 9)), list(range(8, 0, -1))]
