"""What a model, a tree or an instruction may try on the editor; data for the attack tests."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from tests.contracts.editor import block
from tests.support.places import ROOT

SECRET = "s3cret-b7f0"
MARKER = "marker"
Step = tuple[str, ...]
Answer = str | tuple[tuple[Step, ...], str]
TREE: tuple[Step, ...] = (
    ("write", "tree/experiment.py", "x = 1\n"),
    ("write", "tree/readme.md", "read me\n"),
    ("write", "tree/plot.py", f"# {SECRET}\nprint(1)\n"),
    ("write", "outside/victim.txt", f"{SECRET}\nkeep\n"),
)
_PROBE = (ROOT / "sandbox/probes/helpers/editing.py").read_text()
STOCK = next(
    ast.literal_eval(node.value)
    for node in ast.parse(_PROBE).body
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "STOCK"
)
"""Unguarded Aider, as the editor's probes use it: that file runs in a container, so it is parsed."""
GOOD = block("experiment.py", "x = 1\n", "x = 3\n")
TOUCH = "touch BASE/marker"
RUNS = f"import pathlib\npathlib.Path('BASE/{MARKER}').touch()\n"


@dataclass(frozen=True)
class Attack:
    """What is laid out, what is asked, and what the model replies.

    A reply may be (steps, text): the steps are done while the worker waits for the text.
    """

    name: str
    bite: str = ""  # what stock Aider, in the container, is seen to do
    replies: tuple[Answer, ...] = (GOOD,)
    steps: tuple[Step, ...] = ()
    instruction: str = "Set x to 3."
    editable: tuple[str, ...] = ("experiment.py", "notes.txt")
    readable: tuple[str, ...] = ("readme.md",)
    new_files: dict[str, object] | None = None  # what the host lets an edit make
    error: str = ""  # what the host sends instead of a reply, once there is none left
    ends: str = "done"
    applied: bool = True  # the one permitted change is made in the end
    fresh: bool = False  # aims at the worker's start, so it gets a Python of its own


def writing(path: str) -> tuple[str, ...]:
    """Replies that overwrite, append to, and misquote (to be shown the true lines) one file."""
    return (
        block(path, "keep\n", "gone\n"),
        block(path, "", "more\n"),
        block(path, "kept\nkeeps\n", "gone\n"),
        GOOD,
    )


ATTACKS = (
    # --- paths
    Attack(
        "a path above the tree", "changed: outside/victim.txt", writing("../outside/victim.txt")
    ),
    Attack("an absolute path", "changed: outside/victim.txt", writing("BASE/outside/victim.txt")),
    Attack(
        "a new file above the tree", "changed: new.txt", (block("../new.txt", "", "new\n"), GOOD)
    ),
    Attack(
        "new folders above the tree", "changed: a/b/c.txt", (block("../a/b/c.txt", "", "x\n"), GOOD)
    ),
    Attack("a path that leaves and comes back", "leaked", writing("../tree/plot.py")),
    Attack(
        "a home folder's path", "changed: tree/~/.bashrc", (block("~/.bashrc", "", "x\n"), GOOD)
    ),
    Attack(
        "a file that is not in the chat",
        "changed: tree/plot.py",
        (block("plot.py", "print(1)\n", "2\n"), GOOD),
    ),
    Attack(
        "a new file that nobody named",
        "changed: tree/other.py",
        (block("other.py", "", "x\n"), GOOD),
    ),
    Attack(
        "a read-only file",
        "changed: tree/readme.md",
        (block("readme.md", "read me\n", "mine\n"), GOOD),
    ),
    Attack(
        "good and foul blocks in one reply",
        "changed: new.txt",
        (GOOD + block("../new.txt", "", "x\n"), "Then I cannot."),
        applied=False,
    ),
    Attack(
        "new files where none may be, though some may be made",
        "changed: tree/lib/new.py",
        (
            block("lib/new.py", "", "x\n"),
            block("../new.py", "", "x\n"),
            block("plot.py", "", "x\n"),
            GOOD,
        ),
        new_files={"name": "[a-z]+[.]py", "most": 8, "bytes": 100},
    ),
    Attack(
        "a new file in a link's place",
        "changed: outside/victim.txt",
        (block("new.py", "", "x\n"), GOOD),
        ends="failed",
        steps=(("symlink", "tree/new.py", "../outside/victim.txt"),),
        new_files={"name": "[a-z]+[.]py", "most": 8, "bytes": 100},
    ),
    Attack("a file called python", "changed: tree/python", (block("python", "", "x\n"), GOOD)),
    Attack(
        "a name that a reply mentions", "", ("See `plot.py` and plot.py for more.",), applied=False
    ),
    Attack("a name that the instruction mentions", instruction="Look at plot.py, then set x."),
    # --- commands
    Attack("a shell block", "", (f"```bash\n{TOUCH}\n```\n{GOOD}",)),
    Attack(
        "a shell block with a foul block",
        "changed: n",
        (f"```sh\n{TOUCH}\n```\n" + block("../n", "", "x\n"), GOOD),
    ),
    Attack("an instruction that starts with !", "changed: marker", instruction=f"!{TOUCH}"),
    Attack("an instruction that starts with /run", "changed: marker", instruction=f"/run {TOUCH}"),
    Attack("an instruction that adds a file", instruction="/read-only BASE/outside/victim.txt"),
    # --- URLs
    Attack(
        "a URL in the instruction",
        "seen: socket.getaddrinfo",
        instruction="Read https://example.org/x?a=1 and set x.",
    ),
    Attack("a URL in a reply", "", ("See https://example.org/ and http://127.0.0.1:9/.\n" + GOOD,)),
    Attack(
        "a URL in a provider's error", "", (), error="401: see https://example.org/", ends="failed"
    ),
    # --- links
    Attack(
        "a symbolic link in an editable file's place",
        "leaked",
        (),
        ends="failed",
        steps=(("symlink", "tree/experiment.py", "../outside/victim.txt"),),
    ),
    Attack(
        "an absolute symbolic link",
        "leaked",
        (),
        ends="failed",
        steps=(("symlink", "tree/experiment.py", "BASE/outside/victim.txt"),),
    ),
    Attack(
        "a dangling symbolic link",
        "changed: outside/new.txt",
        (),
        ends="failed",
        steps=(("symlink", "tree/notes.txt", "../outside/new.txt"),),
    ),
    Attack(
        "a linked folder",
        "leaked",
        (),
        ends="failed",
        editable=("sub/victim.txt",),
        steps=(("symlink", "tree/sub", "../outside"),),
    ),
    Attack(
        "a new file in a linked folder",
        "changed: outside/new.txt",
        (),
        ends="failed",
        editable=("sub/new.txt",),
        steps=(("symlink", "tree/sub", "../outside"),),
    ),
    Attack(
        "a symbolic link in a readable file's place",
        "leaked",
        (),
        ends="failed",
        steps=(("symlink", "tree/readme.md", "../outside/victim.txt"),),
    ),
    Attack(
        "a second name for a file outside",
        "leaked",
        (),
        ends="failed",
        steps=(("link", "tree/experiment.py", "outside/victim.txt"),),
    ),
    Attack(
        "a FIFO in a file's place", "", (), ends="failed", steps=(("fifo", "tree/experiment.py"),)
    ),
    Attack(
        "a symbolic link swapped in between two turns",
        "leaked",
        ends="failed",
        replies=(
            "I will think first.\n" + block("experiment.py", "nothing\n", "x\n"),
            (
                (("symlink", "tree/experiment.py", "../outside/victim.txt"),),
                block("experiment.py", "keep\n", "gone\n"),
            ),
        ),
    ),
    Attack(
        "a second name swapped in between two turns",
        "leaked",
        ends="failed",
        replies=(
            block("experiment.py", "nothing\n", "x\n"),
            (
                (("link", "tree/experiment.py", "outside/victim.txt"),),
                block("experiment.py", "keep\n", "gone\n"),
            ),
        ),
    ),
    Attack(
        "a readable file swapped for a link between two turns",
        "leaked",
        ends="failed",
        replies=(
            (
                (("symlink", "tree/readme.md", "../outside/victim.txt"),),
                block("experiment.py", "nothing\n", "x\n"),
            ),
            GOOD,
        ),
    ),
    # --- what lies in the tree
    Attack(
        "a linter that lies in the tree",
        "changed: marker",
        steps=(("write", "tree/flake8.py", RUNS), ("write", "tree/pyflakes.py", RUNS)),
    ),
    Attack(
        "a linter that the reply makes",
        "changed: marker",
        (block("flake8.py", "", RUNS) + GOOD, GOOD),
    ),
    Attack(
        "a linter that the edit may make",
        "changed: marker",
        (block("flake8.py", "", RUNS) + GOOD,),
        editable=("experiment.py", "flake8.py"),
    ),
    Attack(
        "modules of Aider's and Python's names",
        "changed: marker",
        fresh=True,
        steps=tuple(
            ("write", f"tree/{name}", RUNS)
            for name in (
                "guard.py",
                "aider.py",
                "litellm.py",
                "ast.py",
                "json.py",
                "sitecustomize.py",
                "usercustomize.py",
                "aider/__init__.py",
            )
        ),
    ),
    Attack(
        "Aider's own settings",
        fresh=True,
        steps=(
            ("write", "tree/.aider.conf.yml", f"test-cmd: {TOUCH}\nauto-test: true\nyes: true\n"),
            (
                "write",
                "tree/.env",
                f"AIDER_TEST_CMD='{TOUCH}'\nAIDER_AUTO_TEST=true\nOPENAI_API_BASE=http://[::1]:9\n",
            ),
            ("write", "tree/.aider.model.settings.yml", "- name: host\n  use_temperature: 2\n"),
            ("write", "tree/.aiderignore", "experiment.py\n"),
        ),
    ),
    # --- git
    Attack(
        "git hooks and settings in the tree",
        fresh=True,
        steps=(
            ("write", "tree/.git/HEAD", "ref: refs/heads/main\n"),
            ("write", "tree/.git/config", f'[core]\n\tfsmonitor = "{TOUCH}"\n'),
            ("write", "tree/.git/objects/keep", ""),
            ("write", "tree/.git/refs/keep", ""),
            *(
                ("script", f"tree/.git/hooks/{name}", f"#!/bin/sh\n{TOUCH}\n")
                for name in ("pre-commit", "post-commit", "prepare-commit-msg", "commit-msg")
            ),
        ),
    ),
    Attack(
        "git settings that the reply writes",
        "changed: tree/.git/config",
        (
            block(".git/config", "", f'[core]\n\tfsmonitor = "{TOUCH}"\n'),
            block(".git/hooks/pre-commit", "", f"#!/bin/sh\n{TOUCH}\n"),
            GOOD,
        ),
    ),
    Attack(
        "an outer repository",
        "changed: tree/outer.txt",
        (block("outer.txt", "keep\n", "gone\n"), GOOD),
        steps=(
            ("write", ".git/HEAD", "ref: refs/heads/main\n"),
            ("write", ".git/objects/keep", ""),
            ("write", ".git/config", f'[core]\n\tfsmonitor = "{TOUCH}"\n'),
            ("write", ".git/refs/keep", ""),
            ("write", "outer.txt", f"{SECRET}\nkeep\n"),
        ),
    ),
    # --- what only the prompt would show
    Attack(
        "a map of the other files",
        steps=(("write", "tree/lib/helper.py", f"def helper():\n    return '{SECRET}'\n"),),
    ),
)
