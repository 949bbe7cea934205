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
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# Without GitPython, whose import alone runs `git`, Aider has no way to any repository.
sys.modules["git"] = None  # type: ignore[assignment]  # Python's own mark for "cannot be imported"

from aider.coders import base_coder  # noqa: E402  # after the line above
from aider.coders.editblock_coder import EditBlockCoder  # noqa: E402
from aider.io import InputOutput  # noqa: E402
from aider.models import Model  # noqa: E402

Complete = Callable[[list[dict[str, str]], float], tuple[str, int, int]]
"""Messages and temperature in; text, prompt tokens and completion tokens out."""


class Broken(BaseException):
    """The edit cannot go on. No ``Exception``, so that Aider cannot swallow it."""


class NoProviderErrors:
    """In place of Aider's list of provider errors: this process has no provider, nor its library."""

    def exceptions_tuple(self) -> tuple[type[BaseException], ...]:
        """Nothing to catch; what goes wrong with a model is :class:`Broken`."""
        return ()


base_coder.LiteLLMExceptions = NoProviderErrors


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
        self.last_error = ""
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
                self._create(path)
        for path in sorted(self.readable):
            self.check(path, self.readable)

    def _create(self, path: str) -> None:
        """An empty file in real folders; never through a link."""
        folder = Path(path).parent
        if os.path.realpath(folder) != str(folder):
            raise Broken(f"{os.path.relpath(path, self.base)!r} lies behind a symbolic link")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644))
        except OSError as error:
            raise Broken(f"{path!r} cannot be made: {error.strerror}") from error

    def read_text(self, filename: str, silent: bool = False) -> str | None:  # noqa: FBT001, FBT002, ARG002  # aider's signature
        """The file's text; None where it is no UTF-8 text, which keeps it out of the prompt."""
        path = self.check(filename, self.readable)
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            with open(handle, encoding="utf-8") as file:  # noqa: PTH123  # a descriptor, not a path
                return file.read()
        except UnicodeDecodeError:
            if path in self.writable:
                raise Broken(f"{os.path.relpath(path, self.base)!r} is not UTF-8 text") from None
            return None
        except OSError as error:
            raise Broken(f"{os.path.relpath(path, self.base)!r}: {error.strerror}") from error

    def write_text(self, filename: str, content: str, *_: Any, **__: Any) -> None:
        """Replace the whole file at once; a reader sees the old text or the new."""
        path = self.check(filename, self.writable)
        data = content.encode()  # a lone surrogate is a ValueError: the model may try again
        fresh = f"{path}.being-written"
        try:
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
        choice = SimpleNamespace(message=SimpleNamespace(content=text), finish_reason="stop")
        usage = SimpleNamespace(prompt_tokens=sent, completion_tokens=received)
        return hashlib.sha256(), SimpleNamespace(choices=[choice], usage=usage)


class GuardCoder(EditBlockCoder):  # type: ignore[misc]  # aider ships no types
    """SEARCH/REPLACE edits to the named files, and nothing else that Aider can do."""

    def __init__(
        self, root: str, editable: Sequence[str], readable: Sequence[str], complete: Complete
    ) -> None:
        files = GuardIO(root, editable, readable)
        files.prepare()
        self.editable, self.refused = frozenset(editable), set[str]()
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

    def get_edits(self, mode: str = "update") -> list[tuple[str, str, str]]:  # noqa: ARG002  # aider's signature
        """The reply's edit blocks, before any file is touched; one foul path refuses them all."""
        edits: list[tuple[str, str, str]] = super().get_edits()
        self.shell_commands.clear()
        foul = {path for path, _, _ in edits} - self.editable
        if foul:
            self.refused |= foul
            raise ValueError(
                f"Refused: {sorted(foul)}. No edit of this reply was applied. The only files "
                f"that may be edited or created are {sorted(self.editable)}."
            )
        return edits

    def apply_updates(self) -> set[str]:
        """Apply the reply's edits; an error that Aider neither raises nor sends back is raised."""
        self.io.last_error = ""
        edited: set[str] = super().apply_updates()
        if self.io.last_error and not self.reflected_message:
            raise Broken(f"Aider could not apply the reply: {self.io.last_error}")
        return edited

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
