"""What Aider tells the model about edits: our rules, in place of its own examples and persona."""

from __future__ import annotations

from pathlib import Path

from aider.coders.editblock_prompts import EditBlockPrompts


class EditPrompts(EditBlockPrompts):  # type: ignore[misc]  # aider ships no types
    """The form of an edit, told once; no examples, no shell, no questions."""

    main_system = (Path(__file__).parent / "edit_prompt.md").read_text("utf-8")
    system_reminder = ""
    example_messages: tuple[dict[str, str], ...] = ()
    files_content_prefix = "The files that you may edit, as they are now:\n"
    files_content_assistant_reply = "I change these files alone."
    files_no_full_files = "No file may be edited."
    read_only_files_prefix = "Files to read, which cannot be edited:\n"
