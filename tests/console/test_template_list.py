"""`aisci template list` says what a person chooses by: whether a GPU is needed, and how long each scale takes."""

from __future__ import annotations

import pytest

from orchestrator.console import output as out
from orchestrator.console.template_list import list_templates
from orchestrator.core.files import shipped_root
from orchestrator.template.folder import shipped_templates


def test_each_template_has_its_gpu_and_every_scales_time_on_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out, "width", lambda: 80)
    list_templates(as_json=False)
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["template", "GPU", *["time", "of", "one", "experiment,", "by", "scale"]]
    names = shipped_templates(shipped_root())
    for name, line in zip(names, lines, strict=False):
        template, gpu, times = line.split(None, 2)
        assert (template, gpu in {"no", "optional", "yes"}) == (name, True)
        assert [one.split()[0] for one in times.split(", ")] == ["smoke", "short", "full"]
    assert max(map(len, lines)) <= 80
