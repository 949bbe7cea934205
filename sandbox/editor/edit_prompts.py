"""What Aider tells the model about edits: our rules, in place of its own examples and persona."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any


def with_our_rules(prompts: Any) -> Any:
    """Aider's prompts with the form of an edit told once; no examples, no shell, no questions."""
    ours = copy.copy(prompts)
    ours.main_system = (Path(__file__).parent / "edit_prompt.md").read_text("utf-8")
    ours.system_reminder = ""
    ours.example_messages = []
    ours.files_content_prefix = "The files that you may edit, as they are now:\n"
    ours.files_content_assistant_reply = "I change these files alone."
    ours.files_no_full_files = "No file may be edited."
    ours.read_only_files_prefix = "Files to read, which cannot be edited:\n"
    return ours
