"""What the port ``Editor`` promises, for every implementation to pass.

A module that wants an editor checked makes a subclass of :class:`EditorContract` with a
fixture ``bench``; the fixtures decide what is real.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import EditRequest
from orchestrator.core.errors import (
    BadReply,
    BudgetSpent,
    CutReply,
    EditorFailed,
    EmptyReply,
    ModelBusy,
    ModelFailed,
)
from orchestrator.core.job import Limits
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.protocols import Blobs, Editor
from orchestrator.core.tree import Tree
from orchestrator.record.absent import absent
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal
from orchestrator.record.ports import Ports
from tests.support.memory_blobs import MemoryBlobs

GIB = 1 << 30

LIMITS = Limits(
    image="aisci-editor",
    runtime="runc",
    user="65534:65534",
    cpus=1.0,
    memory=GIB,
    pids=64,
    shm=1 << 20,
    open_files=256,
    wall=120.0,
    cpu_time=120.0,
    grace=2.0,
    workspace=64 << 20,
    tmp=64 << 20,
    inodes=10_000,
    file=16 << 20,
    logs=1 << 20,
    harvest_files=100,
    harvest_bytes=16 << 20,
    harvest_file=8 << 20,
    harvest_depth=6,
)

BEFORE = {"experiment.py": b"x = 1\ny = 2\n", "plot.py": b"print(1)\n", "data.md": b"facts\n"}


def block(path: str, search: str, replacement: str) -> str:
    """One SEARCH/REPLACE block as a model writes it."""
    return f"{path}\n```\n<<<<<<< SEARCH\n{search}=======\n{replacement}>>>>>>> REPLACE\n```\n"


GOOD = block("experiment.py", "x = 1\n", "x = 3\n")


@dataclass
class Replies:
    """A model that answers from a list and keeps what it was asked; past its end it fails."""

    texts: list[str]
    cut: int = 0  # of the texts, the first, which end at the limit of tokens
    name: str = "scripted"
    asks: list[Ask] = field(default_factory=list)
    on_ask: Callable[[int], None] | None = None

    def ceiling(self, ask: Ask) -> Usage:  # noqa: ARG002  # the port's signature
        return Usage()

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:  # noqa: ARG002  # as above
        self.asks.append(ask)
        if self.on_ask is not None:
            self.on_ask(len(self.asks))
        if not self.texts:
            raise ModelBusy("the vendor is busy", where="scripted")
        finish = "length" if len(self.asks) <= self.cut else "stop"
        return Reply(self.texts.pop(0), Usage(10, 5), self.name, finish)

    @property
    def prompt(self) -> str:
        """Every word that was ever sent to this model."""
        return "\n".join(message.content for ask in self.asks for message in ask.messages)


@dataclass
class Bench:
    """An editor that will write ``wanted``, with the store and the model that it works with."""

    make: Callable[[Blobs, Mapping[str, bytes]], tuple[Editor, Replies]]
    blobs: Blobs = field(default_factory=MemoryBlobs)

    def request(self, **changes: object) -> EditRequest:
        files = Tree.of({path: self.blobs.put(data) for path, data in BEFORE.items()})
        request = EditRequest(
            scope="idea-1/run_1/attempt_1",
            purpose="experiments.edit",
            instruction="Set x to 3.",
            files=files,
            editable=("experiment.py", "notes.txt"),
            readable=("data.md",),
            limits=LIMITS,
        )
        return replace(request, **changes)  # type: ignore[arg-type]  # the fields' own types

    def text(self, tree: Tree, path: str) -> bytes | None:
        sha256 = tree.get(path)
        return None if sha256 is None else self.blobs.get(sha256)


class EditorContract:
    """Every test here holds for every editor."""

    def test_an_edit_returns_the_whole_tree_with_its_change(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\ny = 2\n"})
        edit = editor.edit(bench.request(), model, FOREVER)
        assert bench.text(edit.files, "experiment.py") == b"x = 3\ny = 2\n"
        assert edit.files.paths() == ("data.md", "experiment.py", "plot.py")
        assert edit.changed == ("experiment.py",)
        assert edit.why_not == ""
        assert edit.refused == ()

    @pytest.mark.parametrize("path", ["notes.txt", "latex/sections/method.tex"])
    def test_a_new_file_that_is_named_editable_may_be_made(self, bench: Bench, path: str) -> None:
        editor, model = bench.make(bench.blobs, {path: b"it works\n"})
        edit = editor.edit(bench.request(editable=("experiment.py", path)), model, FOREVER)
        assert bench.text(edit.files, path) == b"it works\n"
        assert edit.changed == (path,)

    @pytest.mark.parametrize("path", ["plot.py", "data.md", "other.py"])
    def test_only_editable_files_change_and_others_are_named_as_refused(
        self, bench: Bench, path: str
    ) -> None:
        request = bench.request()
        editor, model = bench.make(bench.blobs, {path: b"print(2)\n"})
        edit = editor.edit(request, model, FOREVER)
        assert edit.files == request.files
        assert edit.changed == ()
        assert path in edit.refused
        assert edit.why_not

    def test_an_edit_that_changes_nothing_says_why_and_adds_no_empty_file(
        self, bench: Bench
    ) -> None:
        request = bench.request()
        editor, model = bench.make(bench.blobs, {})
        edit = editor.edit(request, model, FOREVER)
        assert edit.files == request.files
        assert edit.changed == ()
        assert edit.why_not

    def test_with_no_time_left_nothing_is_edited(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\ny = 2\n"})
        with pytest.raises(BudgetSpent, match=r"run\.wall") as caught:
            editor.edit(bench.request(), model, Deadline.after(0.0, "run.wall"))
        assert caught.value.transient
        assert model.asks == []

    def test_equal_requests_give_equal_edits(self, bench: Bench) -> None:
        edits = []
        for _ in range(2):
            editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\ny = 2\n"})
            edits.append(replace(editor.edit(bench.request(), model, FOREVER), attestation=None))
        assert edits[0] == edits[1]

    def test_a_readable_file_that_is_not_there_is_an_error(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {})
        with pytest.raises(EditorFailed, match=r"missing: .*missing\.md"):
            editor.edit(bench.request(readable=("missing.md",)), model, FOREVER)

    @pytest.mark.parametrize("nothing", [{"instruction": " \n"}, {"editable": ()}])
    def test_a_request_that_asks_for_nothing_is_an_error(
        self, bench: Bench, nothing: dict[str, object]
    ) -> None:
        """Aider, asked nothing, would sit down and wait for a person to type."""
        editor, model = bench.make(bench.blobs, {})
        with pytest.raises(EditorFailed, match="needs an instruction"):
            editor.edit(bench.request(**nothing), model, FOREVER)

    @pytest.mark.parametrize("path", ["../x.py", "/x.py", "a/../../x.py", "a//b", "a\nb", ""])
    def test_a_request_that_names_a_foul_path_is_an_error(self, bench: Bench, path: str) -> None:
        editor, model = bench.make(bench.blobs, {})
        with pytest.raises(EditorFailed, match="not a plain relative path"):
            editor.edit(bench.request(editable=(path,)), model, FOREVER)


class TalkingEditorContract(EditorContract):
    """What is promised further by an editor that asks the model itself."""

    def test_the_form_of_an_edit_is_told_once_without_examples_or_questions(
        self, bench: Bench
    ) -> None:
        editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\ny = 2\n"})
        editor.edit(bench.request(), model, FOREVER)
        assert model.prompt.count("<<<<<<< SEARCH") == 1
        assert not [word for word in ("flask", "ask questions", "shell") if word in model.prompt]
        assert len(model.prompt) < 3000

    def test_editable_and_readable_files_are_shown_and_no_others(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\ny = 2\n"})
        editor.edit(bench.request(), model, FOREVER)
        assert "x = 1\ny = 2" in model.prompt
        assert "facts" in model.prompt
        assert "print(1)" not in model.prompt
        assert [ask.purpose for ask in model.asks] == ["experiments.edit"]

    def test_a_model_that_fails_is_the_models_own_error(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {})
        model.texts.clear()
        with pytest.raises(ModelFailed) as caught:
            editor.edit(bench.request(), model, FOREVER)
        assert type(caught.value) is ModelBusy
        assert len(model.asks) == 1

    def test_nothing_of_a_reply_that_was_cut_is_applied_and_there_is_more_room_for_the_next(
        self, bench: Bench
    ) -> None:
        editor, model = bench.make(bench.blobs, {})
        whole = block("experiment.py", "x = 1\n", "x = 9\n")
        model.texts[:], model.cut = [whole, "", block("experiment.py", "y = 2\n", "y = 5\n")], 1
        edit = editor.edit(bench.request(), model, FOREVER)
        assert bench.text(edit.files, "experiment.py") == b"x = 1\ny = 5\n"
        assert [ask.max_tokens // model.asks[0].max_tokens for ask in model.asks] == [1, 2, 2]
        assert "cut off after 5 tokens" in model.asks[1].messages[-1].content
        assert edit.turns == 1

    @pytest.mark.parametrize(("cut", "kind"), [(9, CutReply), (0, EmptyReply)])
    def test_a_model_that_never_gives_a_whole_reply_is_an_error_of_that_kind(
        self, bench: Bench, cut: int, kind: type[BadReply]
    ) -> None:
        editor, model = bench.make(bench.blobs, {})
        model.texts[:], model.cut = [" "] * 9, cut
        with pytest.raises(kind):
            editor.edit(bench.request(), model, FOREVER)
        assert len(model.asks) == 3

    @pytest.mark.parametrize("end", ["</think>\n", ""])
    def test_a_draft_in_a_models_reasoning_is_not_applied(
        self, bench: Bench, tmp_path: Path, end: str
    ) -> None:
        editor, model = bench.make(bench.blobs, {})
        draft = "<think>\n" + block("experiment.py", "x = 1\n", "x = 9\n")
        answer = block("experiment.py", "x = 1\n", "x = 3\n")
        model.texts[:] = [draft + end + answer, answer]
        edges = replace(absent(model.name), model=model, editor=editor)
        journal = Journal(tmp_path / "journal.jsonl", bench.blobs)
        edit = Ports(edges, journal, bench.blobs, JournalBudget(), "idea").edit(bench.request())
        assert bench.text(edit.files, "experiment.py") == b"x = 3\ny = 2\n"
        assert len(model.asks) == (1 if end else 2)
        assert "x = 9" in (tmp_path / "journal.jsonl").read_text()
        assert "x = 9" not in edit.reply

    def test_an_edit_under_way_ends_with_the_ideas_time(self, bench: Bench) -> None:
        """Here it is over while the model thinks, which the fake does in no hurry."""
        editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\ny = 2\n"})
        within = Deadline.after(10.0, "idea.wall")
        model.on_ask = lambda _: time.sleep(within.left + 0.5)
        with pytest.raises(BudgetSpent, match=r"idea\.wall"):
            editor.edit(bench.request(), model, within)

    def test_the_wall_clock_stands_still_while_the_model_thinks(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\ny = 2\n"})
        model.on_ask = lambda _: time.sleep(16)
        edit = editor.edit(bench.request(limits=replace(LIMITS, wall=15.0)), model, FOREVER)
        assert edit.changed == ("experiment.py",)
        if edit.attestation is not None:
            assert edit.attestation.peaks.wall < 15.0

    def test_a_block_that_matches_nothing_is_tried_again_with_the_reason(
        self, bench: Bench
    ) -> None:
        editor, model = bench.make(bench.blobs, {})
        model.texts[:] = [
            block("experiment.py", "z = 1\n", "z = 3\n"),
            block("experiment.py", "x = 1\n", "x = 3\n"),
        ]
        edit = editor.edit(bench.request(), model, FOREVER)
        assert edit.turns == len(model.asks) == 2
        assert "failed to exactly match" in model.asks[1].messages[-1].content
        assert edit.changed == ("experiment.py",)
        assert edit.why_not == ""

    def test_a_block_that_never_matches_ends_after_four_replies_and_says_so(
        self, bench: Bench
    ) -> None:
        editor, model = bench.make(bench.blobs, {})
        model.texts[:] = [block("experiment.py", "z = 1\n", "z = 3\n")] * 9
        edit = editor.edit(bench.request(), model, FOREVER)
        assert edit.turns == len(model.asks) == 4
        assert edit.changed == ()
        assert "failed to match" in edit.why_not

    def test_an_edit_that_was_applied_in_part_is_taken_back_and_says_why(
        self, bench: Bench
    ) -> None:
        editor, model = bench.make(bench.blobs, {})
        never = block("experiment.py", "z = 1\n", "z = 3\n")
        model.texts[:] = [GOOD + never, never, never, never]
        request = bench.request()
        edit = editor.edit(request, model, FOREVER)
        assert edit.files == request.files
        assert edit.changed == ()
        assert "failed to match" in edit.why_not

    def test_a_failed_block_that_is_not_sent_again_takes_the_whole_edit_back(
        self, bench: Bench
    ) -> None:
        editor, model = bench.make(bench.blobs, {})
        model.texts[:] = [GOOD + block("experiment.py", "z = 1\n", "z = 3\n"), "I am done."]
        request = bench.request()
        edit = editor.edit(request, model, FOREVER)
        assert edit.files == request.files
        assert "z = 3" in edit.why_not, "the first reason is kept"
        assert "not sent again" in edit.why_not, "beside the last one"

    def test_a_block_that_is_repaired_in_a_later_reply_makes_the_edit_whole(
        self, bench: Bench
    ) -> None:
        editor, model = bench.make(bench.blobs, {})
        repaired = block("experiment.py", "y = 2\n", "y = 4\n")
        model.texts[:] = [
            "First.\n" + GOOD + block("experiment.py", "y = 1\n", "y = 4\n"),
            "Second.\n" + GOOD + repaired,  # the good one is sent again, though it is applied
        ]
        edit = editor.edit(bench.request(), model, FOREVER)
        assert bench.text(edit.files, "experiment.py") == b"x = 3\ny = 4\n"
        assert (edit.why_not, edit.turns) == ("", 2)
        assert "First." in edit.reply, "the text of every reply is kept"
        assert "Second." in edit.reply

    def test_every_block_that_failed_has_to_be_sent_again(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {})
        wrong = [block("experiment.py", f"{name} = 9\n", f"{name} = 3\n") for name in "xy"]
        model.texts[:] = ["".join(wrong), GOOD, block("experiment.py", "y = 2\n", "y = 3\n")]
        edit = editor.edit(bench.request(), model, FOREVER)
        assert "y = 3" in model.asks[2].messages[-1].content
        assert bench.text(edit.files, "experiment.py") == b"x = 3\ny = 3\n"
        assert edit.why_not == ""

    def test_the_text_of_all_replies_is_bounded(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {})
        model.texts[:] = ["RUN: a\n" + "x" * 100_000]
        edit = editor.edit(bench.request(), model, FOREVER)
        assert len(edit.reply) == 64 << 10
        assert edit.reply.startswith("RUN: a")

    def test_blocks_for_a_known_document_are_refused_and_the_others_are_applied(
        self, bench: Bench
    ) -> None:
        editor, model = bench.make(bench.blobs, {})
        model.texts[:] = [block("data.md", "facts\n", "mine\n") + GOOD]
        edit = editor.edit(bench.request(), model, FOREVER)
        assert (edit.changed, edit.refused, edit.turns) == (("experiment.py",), ("data.md",), 1)
        assert bench.text(edit.files, "data.md") == b"facts\n"
        assert edit.why_not == ""

    @pytest.mark.parametrize("path", ["plot.py", "helper.py"])
    def test_code_that_may_not_be_edited_refuses_the_whole_reply_and_the_reason_is_kept(
        self, bench: Bench, path: str
    ) -> None:
        """Without that code, the permitted blocks would be half an edit."""
        editor, model = bench.make(bench.blobs, {})
        model.texts[:] = [GOOD + block(path, "", "print(2)\n"), "Then I cannot."]
        request = bench.request()
        edit = editor.edit(request, model, FOREVER)
        assert edit.files == request.files
        assert edit.refused == (path,)
        assert f"Refused: ['{path}']" in edit.why_not

    def test_new_python_files_are_made_where_the_request_allows_them(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {})
        helper = block("helper.py", "", "z = 1\n")
        model.texts[:] = [
            helper + block("experiment.py", "w = 1\n", "from helper import z\n"),
            block("experiment.py", "x = 1\n", "from helper import z\n")
            + block("helper.py", "z = 1\n", "z = 2\n"),
        ]
        edit = editor.edit(bench.request(new_files=True), model, FOREVER)
        assert edit.changed == ("experiment.py", "helper.py")
        assert bench.text(edit.files, "helper.py") == b"z = 2\n"
        assert (edit.refused, edit.why_not) == ((), "")

    @pytest.mark.parametrize(
        "path", ["plot.py", "Helper.py", "run_1.py", "lib/helper.py", "helper.txt", "../h.py"]
    )
    def test_a_new_file_of_another_name_is_refused(self, bench: Bench, path: str) -> None:
        editor, model = bench.make(bench.blobs, {})
        model.texts[:] = [block(path, "", "z = 1\n") + GOOD, "Then I cannot."]
        request = bench.request(new_files=True)
        edit = editor.edit(request, model, FOREVER)
        assert edit.files == request.files
        assert edit.refused == (path,)

    def test_new_files_are_few_and_small(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {})
        many = [block(f"part_{number}.py", "", "z = 1\n") for number in range(9)]
        large = block("large.py", "", f"z = '{'x' * (64 << 10)}'\n")
        model.texts[:] = ["".join(many), large, "".join(many[:7]), "It cannot be smaller."]
        edit = editor.edit(bench.request(new_files=True), model, FOREVER)
        asked = [ask.messages[-1].content for ask in model.asks]
        assert "up to 8 new files" in asked[1]
        assert "large.py" in asked[2]
        assert "65536 bytes" in asked[2]
        assert "large.py" in asked[3], "it still waits"
        assert edit.changed == (), "it was not sent again"

    def test_line_ends_marks_and_a_missing_last_newline_are_the_files_own(
        self, bench: Bench
    ) -> None:
        editor, model = bench.make(bench.blobs, {})
        texts = {
            "crlf.py": (b"x = 1\r\ny = 2\r\n", b"x = 3\r\nz = 4\r\ny = 2\r\n"),
            "mark.py": (b"\xef\xbb\xbfx = 1\ny = 2\n", b"\xef\xbb\xbfx = 3\nz = 4\ny = 2\n"),
            "open.py": (b"x = 1\ny = 2", b"x = 3\nz = 4\ny = 2"),
            "mixed.py": (b"x = 1\ny = 2\r\nw = 1\n", b"x = 3\nz = 4\ny = 2\r\nw = 1\n"),
        }
        files = Tree.of({path: bench.blobs.put(before) for path, (before, _) in texts.items()})
        change = ("x = 1\n", "x = 3\nz = 4\n")
        model.texts[:] = [
            "".join(block(path, *change) for path in texts if path != "open.py")
            + block("open.py", *change).replace("\n", "\r\n")
        ]
        request = bench.request(files=files, editable=tuple(texts), readable=())
        edit = editor.edit(request, model, FOREVER)
        assert edit.why_not == ""
        assert {path: bench.text(edit.files, path) for path in texts} == {
            path: after for path, (_, after) in texts.items()
        }
        assert "\r" not in model.prompt
        assert "\ufeff" not in model.prompt

    def test_prompts_do_not_follow_the_hash_seed_or_the_machine(self, bench: Bench) -> None:
        models = []
        for _ in range(2):
            editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\ny = 2\n"})
            editable = ("experiment.py", "plot.py", "data.md", "notes.txt", "a.py", "b.py")
            editor.edit(bench.request(editable=editable, readable=()), model, FOREVER)
            models.append(model)
        assert models[0].asks == models[1].asks
        assert "Platform" not in models[0].prompt
        assert "Current date" not in models[0].prompt

    def test_hostile_text_in_a_reply_is_only_text(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {})
        odd = "\x1b[31m\u2028\u202e \ud800 {'a'} {{b}} %s \\ \x00é"
        model.texts[:] = [block("experiment.py", "x = 1\n", f"x = '''{odd}'''\n")]
        edit = editor.edit(bench.request(), model, FOREVER)
        written = bench.text(edit.files, "experiment.py")
        assert written is not None
        assert "é" in written.decode()

    def test_an_error_inside_aider_is_an_error_here_and_not_a_silent_no_op(
        self, bench: Bench
    ) -> None:
        """An empty block for an empty file makes Aider fail, and stock Aider go on silently."""
        editor, model = bench.make(bench.blobs, {})
        model.texts[:] = [block("notes.txt", "", "")]
        with pytest.raises(EditorFailed, match="gave up") as caught:
            editor.edit(bench.request(), model, FOREVER)
        assert "could not apply" in caught.value.why
