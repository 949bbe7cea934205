"""Stock Aider, less everything that reaches beyond the named files.

Aider is made for a person at a terminal: it opens URLs, runs linters, shell blocks and git
with that person's rights, and follows symbolic links. Here each of these is closed, and
every byte that it reads or writes passes :class:`GuardIO`. Two kinds of trouble are kept
apart:

- the *model* asks for what it may not have (a path that is not editable): a ``ValueError``,
  which Aider sends back to the model as a reason to try again;
- the *world* is not as it should be (no reply, a link where a file was, a full disk): a
  :class:`Broken`, which no ``except Exception`` inside Aider can swallow.

Not covered: a parent folder that another process swaps while a file is being opened. So the
tree is this worker's own, and never shared with a running experiment.

Longer than 250 lines: what is guarded against is one list of Aider's ways out, and is read as one.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypedDict

# Without GitPython, whose import alone runs `git`, Aider has no way to any repository.
sys.modules["git"] = None  # type: ignore[assignment]  # Python's own mark for "cannot be imported"

from aider.coders import base_coder  # noqa: E402  # after the line above
from aider.coders.editblock_coder import EditBlockCoder  # noqa: E402
from aider.io import InputOutput  # noqa: E402
from aider.models import Model  # noqa: E402
from edit_prompts import with_our_rules  # noqa: E402
from line_form import in_form_of, plain_text  # noqa: E402
from progress import Block, Progress  # noqa: E402

Complete = Callable[[list[dict[str, str]], float], tuple[str, int, int]]
"""Messages and temperature in; text, prompt tokens and completion tokens out."""


DOCUMENTS = (".txt", ".md")
"""Files that no code needs: an edit without its blocks for them is still a whole one."""


class Broken(BaseException):
    """The edit cannot go on. No ``Exception``, so that Aider cannot swallow it."""


class NoProviderErrors:
    """In place of Aider's list of provider errors: this process has no provider, nor its library."""

    def exceptions_tuple(self) -> tuple[type[BaseException], ...]:
        """Nothing to catch; what goes wrong with a model is :class:`Broken`."""
        return ()


base_coder.LiteLLMExceptions = NoProviderErrors


class NewFiles(TypedDict):
    """The files that an edit may make: a pattern of their names, how many, bytes of each."""

    name: str
    most: int
    bytes: int


class Ordered(set[str]):
    """A set that is walked in sorted order, so that a prompt does not follow the hash seed."""

    def __iter__(self) -> Iterator[str]:
        """The members, sorted."""
        return iter(sorted(super().__iter__()))


class GuardIO(InputOutput):  # type: ignore[misc]  # aider ships no types
    """Reads only the named files, writes only the editable ones, says nothing, asks nobody."""

    def __init__(self, root: str, editable: Sequence[str], readable: Sequence[str]) -> None:
        self.base = root
        self.writable = {f"{root}/{name}" for name in editable}
        self.readable = self.writable | {f"{root}/{name}" for name in readable}
        self.last_error, self.most = "", dict[str, int]()
        super().__init__(yes=False, pretty=False, fancy_input=False, input=io.StringIO())

    def check(self, filename: str, allowed: set[str]) -> str:
        """The path, if it is a named, plain, singly linked file below real folders."""
        path = str(filename)
        shown = os.path.relpath(path, self.base)
        if path not in allowed:
            raise Broken(f"{shown!r} is not a file that this edit names")
        if os.path.realpath(path) != path:
            raise Broken(f"{shown!r} is a symbolic link, or lies behind one")
        try:
            found = os.lstat(path)
        except OSError as error:
            raise Broken(f"{shown!r} cannot be read: {error.strerror}") from error
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise Broken(f"{shown!r} is not a plain file with one name")
        return path

    def prepare(self) -> None:
        """Check every named file and make the editable ones that are new, before Aider looks."""
        for path in sorted(self.writable):
            if not os.path.lexists(path):
                self.create(path)
        for path in sorted(self.readable):
            self.check(path, self.readable)

    def create(self, path: str) -> None:
        """An empty file in real folders; never through a link."""
        folder = Path(path).parent
        if os.path.realpath(folder) != str(folder):
            raise Broken(f"{os.path.relpath(path, self.base)!r} lies behind a symbolic link")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644))
        except OSError as error:
            raise Broken(f"{path!r} cannot be made: {error.strerror}") from error

    def admit(self, path: str, most: int) -> None:
        """Make a new file that the edit may write, of ``most`` bytes."""
        self.create(path)
        self.writable.add(path)
        self.readable.add(path)
        self.most[path] = most

    def _bytes(self, path: str) -> bytes:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read()

    def read_text(self, filename: str, silent: bool = False) -> str | None:  # noqa: FBT001, FBT002, ARG002  # aider's signature
        """The file's text in plain lines; None if it is not UTF-8: it stays out of the prompt."""
        path = self.check(filename, self.readable)
        try:
            return plain_text(self._bytes(path))
        except UnicodeDecodeError:
            if path in self.writable:
                raise Broken(f"{os.path.relpath(path, self.base)!r} is not UTF-8 text") from None
            return None
        except OSError as error:
            raise Broken(f"{os.path.relpath(path, self.base)!r}: {error.strerror}") from error

    def write_text(self, filename: str, content: str, *_: Any, **__: Any) -> None:
        """Replace the whole file at once, in its own form; a reader sees the old text or the new.
        A ValueError is for the model: a lone surrogate, or a new file that is too large.
        """
        path = self.check(filename, self.writable)
        fresh = f"{path}.being-written"
        try:
            data = in_form_of(self._bytes(path), content)
            if len(data) > self.most.get(path, len(data)):
                name = os.path.relpath(path, self.base)
                raise ValueError(f"{name!r} may have {self.most[path]} bytes, not {len(data)}.")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(fresh).replace(path)
        except OSError as error:
            raise Broken(f"{os.path.relpath(path, self.base)!r}: {error.strerror}") from error

    def confirm_ask(self, *_: Any, **__: Any) -> bool:
        """No, whatever the question."""
        return False

    def offer_url(self, *_: Any, **__: Any) -> bool:
        """Nothing is opened."""
        return False

    def tool_error(self, message: object = "", *_: Any, **__: Any) -> None:
        """Kept for :meth:`GuardCoder.apply_updates`, which must know what Aider swallows."""
        self.last_error = str(message)

    def _quiet(self, *_: Any, **__: Any) -> None:
        """Nothing is shown and no history is kept."""

    tool_output = tool_warning = assistant_output = user_input = _quiet
    ai_output = append_chat_history = log_llm_history = rule = print = _quiet


class GuardModel(Model):  # type: ignore[misc]  # aider ships no types
    """Aider's model, with the host at the other end of a pipe instead of a provider."""

    def __init__(self, complete: Complete) -> None:
        self._complete = complete
        super().__init__("host")
        self.edit_format, self.streaming = "diff", False

    def get_model_info(self, model: str) -> dict[str, object]:  # noqa: ARG002  # aider's signature
        """Nothing known, so nothing is fetched; the host knows limits and prices."""
        return {}

    def validate_environment(self) -> dict[str, object]:
        """No key is wanted here."""
        return {"keys_in_environment": True, "missing_keys": []}

    def token_count(self, messages: object) -> int:
        """A rough count; the true one is the host's."""
        return len(str(messages)) // 4

    def send_completion(
        self, messages: list[dict[str, str]], *_: Any, temperature: float | None = None
    ) -> tuple[Any, Any]:
        """Ask the host; the answer in the shape that Aider takes from a provider."""
        text, sent, received = self._complete(messages, temperature or 0.0)
        said = SimpleNamespace(content=text.replace("\r\n", "\n"))
        choice = SimpleNamespace(message=said, finish_reason="stop")
        usage = SimpleNamespace(prompt_tokens=sent, completion_tokens=received)
        return hashlib.sha256(), SimpleNamespace(choices=[choice], usage=usage)


class GuardCoder(EditBlockCoder):  # type: ignore[misc]  # aider ships no types
    """SEARCH/REPLACE edits to the named files, and nothing else that Aider can do."""

    reflected_message: str | None
    gpt_prompts = with_our_rules(EditBlockCoder.gpt_prompts)

    def __init__(
        self,
        root: str,
        editable: Sequence[str],
        readable: Sequence[str],
        complete: Complete,
        known: Sequence[str] = (),
        new_files: NewFiles | None = None,
    ) -> None:
        files = GuardIO(root, editable, readable)
        files.prepare()
        self.editable, self.refused = set(editable), set[str]()
        self.known, self.new_files = {*known, *readable}, new_files
        self.progress = Progress()
        super().__init__(
            main_model=GuardModel(complete),
            io=files,
            fnames=sorted(files.writable),
            use_git=False,
            stream=False,
            map_tokens=0,
            auto_lint=False,
            auto_test=False,
            suggest_shell_commands=False,
            detect_urls=False,
            analytics=SimpleNamespace(event=self._event),
        )
        self.root = root
        self.abs_fnames = Ordered(files.writable)
        self.abs_read_only_fnames = Ordered(files.readable - files.writable)

    def _event(self, name: str, **about: object) -> None:
        """Aider tells its analytics, which this stands in for, what it is about to swallow."""
        if name == "message_send_exception":
            raise Broken(f"Aider failed while it asked the model: {about.get('exception')}")

    def get_edits(self, mode: str = "update") -> list[Block]:  # noqa: ARG002  # aider's signature
        """The reply's blocks, less those that are applied already, before any file is touched.

        A path that may not be edited refuses the whole reply; a known document only its own blocks.
        """
        try:
            edits: list[Block] = super().get_edits()
        except ValueError as error:
            self.progress.unread()
            again = "No block of this reply was applied. Send all of them again."
            raise ValueError(f"{error.args[0]}\n{again}") from error
        self.shell_commands.clear()
        paths = {path for path, _, _ in edits}
        foul = {path for path in paths - self.editable if not self._may_be_new(path)}
        new = paths - self.editable - foul
        self.refused |= foul
        spoilt = {path for path in foul if path not in self.known or not path.endswith(DOCUMENTS)}
        over = self.new_files is not None and len({*self.io.most, *new}) > self.new_files["most"]
        if spoilt or over or (foul and foul == paths):
            self.progress.unread()
            raise ValueError(
                f"Refused: {sorted(foul or new)}. No edit of this reply was applied. {self._rule()}"
            )
        for path in sorted(new):
            assert self.new_files is not None
            self.io.admit(self.abs_root_path(path), self.new_files["bytes"])
            self.editable.add(path)
            self.abs_fnames.add(self.abs_root_path(path))
        return [one for one in edits if one[0] not in foul and one not in self.progress.applied]

    def _may_be_new(self, path: str) -> bool:
        new = self.new_files
        return new is not None and path not in self.known and bool(re.fullmatch(new["name"], path))

    def _rule(self) -> str:
        named = sorted(self.editable - {os.path.relpath(path, self.root) for path in self.io.most})
        rule = f"The only files that may be edited or created are {named}"
        new = self.new_files
        return (
            f"{rule}, and up to {new['most']} new files named {new['name']}." if new else f"{rule}."
        )

    def apply_edits(self, edits: list[Block], dry_run: bool = False) -> list[Block] | None:  # noqa: FBT001, FBT002  # aider's signature
        """Apply each block that matches. Raises ValueError, for the model, if another is left."""
        if dry_run:
            return edits
        passed, left, tried = list[Block](), edits, -1
        while left and len(left) != tried:  # a block may match only after one that stands below it
            again, tried = list[Block](), len(left)
            for one in left:
                (passed if self._applies(one) else again).append(one)
            left = again
        self.progress.settle(passed, left)
        if not left:
            return None
        try:
            super().apply_edits(left)
        except ValueError as error:
            if not passed:
                raise
            kept = f"The other {len(passed)} of this reply's blocks were applied. Do not send them again."
            raise ValueError(f"{error.args[0]}\n{kept}") from error
        return None

    def _applies(self, block: Block) -> bool:
        try:
            super().apply_edits([block])
        except ValueError:
            return False
        return True

    def apply_updates(self) -> set[str]:
        """Apply the reply's edits; an error that Aider neither raises nor sends back is raised."""
        self.io.last_error, before = "", len(self.progress.applied)
        edited: set[str] = super().apply_updates()
        if self.io.last_error and not self.reflected_message:
            raise Broken(f"Aider could not apply the reply: {self.io.last_error}")
        if not self.reflected_message and len(self.progress.applied) > before:
            self.reflected_message = self.progress.missing(self._stands) or None
        self.progress.trouble(self.reflected_message or "")
        return edited

    def _stands(self, block: Block) -> bool:
        path, _, lines = block
        text = self.io.read_text(self.abs_root_path(path)) if path in self.editable else None
        return bool(lines.strip()) and lines in (text or "")

    def why_not(self, turns: int) -> str:
        """Why the edit is not whole after ``turns`` replies; empty where it is."""
        return self.progress.why_not(turns, self.reflected_message)

    def allowed_to_edit(self, path: str) -> bool:
        """Only what the host named."""
        return path in self.editable

    def abs_root_path(self, path: str) -> str:
        """Below the root by its name alone; Aider's own follows links and remembers them."""
        return os.path.normpath(Path(self.root) / path)

    def get_abs_fnames_content(self) -> Iterator[tuple[str, str]]:
        """Each editable file in a fixed order; none is ever dropped from the chat."""
        for path in self.abs_fnames:
            yield path, self.io.read_text(path)

    def get_platform_info(self) -> str:
        """No kernel, shell or date: a prompt must not depend on the machine."""
        return ""

    def get_user_language(self) -> None:
        """No locale either."""

    def summarize_start(self) -> None:
        """No second chat with the model, which nobody asked for or counts."""

    def run_shell_commands(self) -> str:
        """None is run."""
        return ""

    def check_for_urls(self, inp: str) -> str:
        """None is fetched."""
        return inp

    def check_for_file_mentions(self, content: str) -> None:
        """A file's name in a reply adds no file."""

    def lint_edited(self, fnames: object) -> str:  # noqa: ARG002  # aider's signature
        """A linter would run code that lies in the tree."""
        return ""
