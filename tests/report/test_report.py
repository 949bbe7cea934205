"""The report: one page from the journal alone, in which nothing that a model wrote can act."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import differences, open_journal
from orchestrator.core.errors import BadJournal
from orchestrator.core.job import JobResult, Verdict
from orchestrator.core.sanitize import plain, plain_line
from orchestrator.core.tree import Tree
from orchestrator.policy.runtimes import departures
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import IdeaPaths
from orchestrator.report import idea_report, read_run, run_report
from orchestrator.report.containers import settings_tables
from orchestrator.report.html import join, picture, text
from orchestrator.report.measured import against, is_within
from orchestrator.report.page import bar, duration, size
from orchestrator.report.reading import read_idea
from tests.support.report_rig import PNG, Recorded, box, finished

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\" onmouseover='x' &amp; "
    "\x1b[31mred\x1b[0m \u202etxt.exe \u2066 \u200b\x00\x07 ]]> --> </style></title></svg>"
)
ALLOWED = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "div",
        "header",
        "footer",
        "section",
        "nav",
        "a",
        "p",
        "h1",
        "h2",
        "h3",
        "dl",
        "dt",
        "dd",
        "small",
        "span",
        "strong",
        "code",
        "pre",
        "ul",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
        "img",
        "details",
        "summary",
        "svg",
        "rect",
        "line",
        "circle",
    ]
)


class Tags(HTMLParser):
    """Every tag of a page with its attributes; and whether each that opens also closes."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page_of(known: Recorded) -> str:
    return idea_report(known.journal, read_run(known.run))


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page_of(finished(tmp_path_factory.mktemp("calm")))


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> str:
    known = finished(tmp_path_factory.mktemp("attacked"), HOSTILE)
    known.fail()
    return page_of(known)


def test_hostile_text_brings_no_tag_and_no_attribute_of_its_own(calm: str, attacked: str) -> None:
    for tag, attributes in Tags(attacked).found:
        assert tag in ALLOWED
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    calm_tags = {tag for tag, _ in Tags(calm).found}
    assert {tag for tag, _ in Tags(attacked).found} <= calm_tags | {"strong"}


def test_every_element_that_opens_closes(calm: str, attacked: str) -> None:
    assert Tags(calm).open == []
    assert Tags(attacked).open == []


def test_control_characters_and_direction_marks_are_shown_not_sent(attacked: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", attacked)
    assert "\\x1b[31m" in attacked
    assert "\\u202e" in attacked


def test_the_page_loads_nothing_and_its_policy_forbids_what_is_not_in_it(attacked: str) -> None:
    tags = Tags(attacked).found
    policies = [a["content"] for t, a in tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert policies[0] is not None
    assert policies[0].startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policies[0]
    for tag, attributes in tags:
        assert tag not in {"script", "link", "iframe", "object", "base", "form"}
        assert (attributes.get("src") or "data:image/png;base64,").startswith(
            "data:image/png;base64,"
        )
        href = attributes.get("href") or "#top"
        assert re.fullmatch(r"#\w+|[a-z0-9_]+\.pdf", href)


def test_a_page_is_the_same_bytes_each_time_it_is_made(tmp_path: Path) -> None:
    known = finished(tmp_path)
    read = open_journal(IdeaPaths(known.place))
    run = Journal(known.run.path, known.shared, Mode.REPLAY)
    assert page_of(known) == idea_report(read, read_run(run)) == page_of(known)


def test_changes_are_judged_by_direction_and_standard_error(calm: str) -> None:
    better, worse, within = (
        re.search(pattern, calm)
        for pattern in (
            r'0\.5 ± 0\.1<small class="better">↓ −0\.5 \(−50\.0%\)',
            r'0\.2 ± 0\.1<small class="worse">↓ −0\.3 \(−60\.0%\)',
            r'class="num within">1\.05 ± 0\.1<small>↑ \+0\.05 \(\+5\.0%\), within two errors',
        )
    )
    assert better
    assert worse
    assert within


@pytest.mark.parametrize(
    ("base", "value", "told"),
    [
        ((2.0, 0.1), (3.0, 0.1), "↑ +1 (+50.0%)"),
        ((-0.1, 0.1), (-0.7, 0.1), "↓ −0.6"),
        ((0.03, 0.1), (-0.2, 0.1), "↓ −0.23"),
        ((0.001, 0.1), (2.0, 0.1), "↑ +2"),
    ],
)
def test_a_share_of_a_value_below_zero_or_near_it_is_not_told(
    base: tuple[float, float], value: tuple[float, float], told: str
) -> None:
    assert f">{told}<" in str(against(base, value, "better"))


@pytest.mark.parametrize(
    ("base", "value", "within"),
    [
        ((1.0, 0.1), (1.1, 0.1), True),
        ((1.0, 0.1), (1.2, 0.1), False),
        ((1.0, None), (1.0001, 0.1), False),
        ((1.0, 0.0), (1.0, 0.0), True),
    ],
)
def test_within_is_no_larger_than_the_error_of_the_difference(
    base: tuple[float, float | None], value: tuple[float, float | None], *, within: bool
) -> None:
    assert is_within(base, value) is within


def test_every_part_of_a_finished_idea_is_there(calm: str) -> None:
    for anchor in [
        "idea",
        "results",
        "figures",
        "changes",
        "paper",
        "numbers",
        "review",
        "cost",
        "containers",
        "calls",
        "record",
    ]:
        assert f'<section id="{anchor}">' in calm
    assert "-RATE = 1" in calm
    assert "+RATE = 2" in calm
    assert "1 of 2 numbers resolve to nothing" in calm
    assert "</code> Loss plain words<details>" in calm
    assert "Drawn and not shown: 1" in calm
    assert "<li>flaw plain words</li>" in calm
    assert "Runs proposed beside the baseline: 4." in calm
    assert "$0.50" in calm
    assert "ModelBusy" in calm


def test_a_failed_idea_says_where_and_why_and_keeps_its_runs(tmp_path: Path) -> None:
    known = Recorded(tmp_path, "the disk went away")
    known.attempt(1, source=b"RATE = 2\n", loss=0.5, accuracy=0.2)
    known.fail()
    page = page_of(known)
    assert "The stage “plots” failed: IdeaFailed" in page
    assert "the disk went away" in page
    assert "turned the disk went away" in page


def test_a_call_without_an_answer_is_charged_at_its_most(tmp_path: Path) -> None:
    known = Recorded(tmp_path)
    known.attempt(1, source=b"RATE = 2\n", loss=0.5, accuracy=0.2)
    lines = known.journal.path.read_bytes().splitlines(keepends=True)
    answer = next(
        i for i, raw in enumerate(lines) if b'"kind":"answered"' in raw and b'"port":"model"' in raw
    )
    known.journal.path.write_bytes(b"".join(lines[:answer]))
    cut = open_journal(IdeaPaths(known.place))
    assert "1 requests have no recorded answer" in idea_report(cut, read_run(known.run))


def test_containers_show_what_was_asked_seen_used_and_refused(calm: str) -> None:
    for words in ("NoNewPrivs", "a symbolic link", "256 MiB", "3 GiB", "quota by", "loop"):
        assert words in calm
    assert "differs" not in calm


def test_what_a_job_asked_of_the_network_is_shown_with_what_became_of_it(calm: str) -> None:
    for words in ("1 allowed, 41 refused", "93.184.216.34", "refused × 40", "2 KiB"):
        assert words in calm
    assert "connections refused: 41" in calm  # beside the container's name, before it is unfolded


def test_the_count_of_containers_says_that_the_shared_baselines_is_not_in_it(calm: str) -> None:
    assert "besides the shared baseline" in calm


class UnderGvisor(Recorded):
    """A run whose jobs ran under gVisor."""

    def ended(self, verdict: Verdict = Verdict.FINISHED) -> dict[str, Any]:
        seen = (("Uid", "65534 65534"), ("limit memory", "9"))
        known = super().ended(verdict)
        return known | {"attestation": replace(known["attestation"], runtime="runsc", seen=seen)}


def test_under_gvisor_a_page_says_what_is_held_otherwise_and_what_was_read_of_gvisor_itself(
    tmp_path: Path, calm: str
) -> None:
    page = page_of(UnderGvisor(tmp_path))
    assert page.count("differ from runc") == 1
    for one in departures("runsc"):
        assert all(text(words) in page for words in (one.control, one.instead, one.holds))
    assert page.count(text("the runtime's own")) == 1, "Uid alone"
    assert "held otherwise" not in calm
    assert text("the runtime's own") not in calm


def test_edits_that_were_made_on_the_host_are_said_to_have_had_no_container(
    tmp_path: Path, calm: str
) -> None:
    known = Recorded(tmp_path)
    known.attempt(1, source=b"RATE = 2\n", loss=0.5, accuracy=0.2, inside=False)
    assert "edits without a container: 1" in page_of(known)
    assert "in no container" not in calm


def test_a_long_setting_is_folded_and_stands_whole_below() -> None:
    program = "import <os>\n" + "x = 1\n" * 200
    text = str(join(settings_tables(box(asked=(("Entrypoint", program),)))))
    assert text.count("<summary>import &lt;os&gt;") == 1
    assert "x = 1\n" * 200 in text


def test_a_setting_that_the_engine_did_not_keep_is_marked() -> None:
    found = settings_tables(box(inspected=(("Memory", "1"), ("NetworkMode", "host"))))
    assert str(join(found)).count("differs") == 2


def test_a_blob_that_was_changed_stops_the_report(tmp_path: Path) -> None:
    known = finished(tmp_path)
    sha256 = known.blobs.put(PNG)
    known.blobs.path(sha256).write_bytes(b"\x89PNG\r\n\x1a\nother")
    with pytest.raises(BadJournal, match="was changed"):
        page_of(known)


def test_only_bytes_that_begin_like_a_png_and_are_not_too_many_are_embedded() -> None:
    assert 'src="data:image/png;base64,' in picture(PNG, "a")
    assert "not shown" in picture(b"<svg onload=alert(1)>", "a")
    assert "not shown" in picture(PNG + bytes(5 * 2**20), "a")


def test_a_page_carries_no_more_pictures_than_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = finished(tmp_path)
    monkeypatch.setattr("orchestrator.report.paper._MAX_BYTES", 10)
    page = page_of(known)
    assert "data:image" not in page.partition("<body>")[2]
    assert "1 more figures are in the idea&#x27;s folder." in page
    assert "1 more pages are in the PDF." in page


def test_the_runs_page_names_each_idea_and_links_to_it(tmp_path: Path) -> None:
    known = finished(tmp_path, HOSTILE)
    page = run_report(known.run, [open_journal(IdeaPaths(known.place))])
    tags = Tags(page)
    assert tags.open == []
    assert ("a", {"href": "toy_idea/report.html"}) in tags.found
    assert "script" not in {tag for tag, _ in tags.found}


def test_the_runs_page_shows_the_best_of_each_idea_beside_the_baseline_with_its_direction(
    quick_run: Path,
) -> None:
    (place,) = (path.parent for path in quick_run.glob("*/journal.jsonl"))
    journal, run = open_journal(IdeaPaths(place)), open_journal(IdeaPaths(quick_run))
    facts = read_idea(journal, read_run(run))
    page = run_report(run, [journal])
    assert Tags(page).open == []
    shown = page.partition("Results side by side")[2].partition("</table>")[0]
    (dataset, data), *_ = facts.results[0][1].datasets.items()
    metric = next(
        one
        for one in (facts.manifest.headline if facts.manifest else ())
        if facts.metrics[one].direction != "none"
    )
    side = min if facts.metrics[metric].direction == "lower" else max
    best = side(results.datasets[dataset].means[metric] for run, results in facts.results if run)
    assert metric in shown
    assert f">{data.means[metric]:.4g}" in shown
    assert f">{best:.4g}" in shown
    assert place.name in shown


def test_a_replay_is_compared_byte_for_byte(tmp_path: Path) -> None:
    made, recorded = tmp_path / "made", tmp_path / "recorded"
    for folder in (made, recorded):
        (folder / "in").mkdir(parents=True)
        (folder / "in" / "same.txt").write_text("same")
    (made / "other.txt").write_text("new")
    (made / "extra.txt").write_text("extra")
    (recorded / "other.txt").write_text("old")
    assert differences(made, recorded) == (["in/same.txt"], ["extra.txt", "other.txt"])


def test_amounts_are_said_for_people() -> None:
    assert [size(512), size(3 * 2**30)] == ["512 B", "3 GiB"]
    assert [duration(4.04), duration(125), duration(3725)] == ["4.0 s", "2 min 05 s", "1 h 02 min"]
    assert bar(1, 0) is None
    assert 'class="full"' in str(bar(99, 100))
    assert 'class="fill"' in str(bar(50, 100))


def test_plain_text_keeps_words_and_shows_what_would_act() -> None:
    assert plain("naïve – größer\n\t日本") == "naïve – größer\n\t日本"
    assert plain("a\x1b]0;evil\x07\r") == "a\\x1b]0;evil\\x07\\r"
    assert plain_line("two\nlines \ud800") == "two lines \\ud800"
    assert plain("x" * 30, limit=10) == "xxxxxxxxxx… (20 characters more)"
    assert "\\u0301" in plain("e" + "\u0301" * 40)


@pytest.mark.program
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")
def test_a_real_browser_runs_nothing_of_a_hostile_page(tmp_path: Path, attacked: str) -> None:
    """With scripts allowed by the browser, a title set by the page's text would show in the DOM."""
    path = tmp_path / "report.html"
    path.write_text(attacked.replace("alert(1)", "document.title='owned'"))
    dumped = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync"),
            *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"file://{path}"),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    assert "<title>owned" not in dumped
    assert "<title>Title " in dumped


def test_verdicts_other_than_finished_are_marked_as_bad(tmp_path: Path) -> None:
    known = Recorded(tmp_path)
    scope = f"{known.scope}/experiments/run_1/attempt_1"
    known.job(known.journal, scope, JobResult(**known.ended(Verdict.TIMED_OUT), files=Tree()))
    assert '<span class="pill bad">timed out</span>' in page_of(known)
