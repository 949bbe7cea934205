"""``aisci completion``: a shell's script, made from the commands themselves; it starts no program at a Tab.

Commands and options come from the command line's own tree, so that none is missing; names of templates,
policies and documents are those that ship.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from orchestrator.console import output as out
from orchestrator.console.docs import documents
from orchestrator.core.files import shipped_root
from orchestrator.template.folder import shipped_templates


@dataclass(frozen=True, slots=True)
class CommandWords:
    """What may follow ``path``: commands or names, and options; ``takes`` are options with a value."""

    path: str
    words: tuple[str, ...]
    options: tuple[str, ...]
    takes: tuple[str, ...]


def print_completion(shell: str, root: Any) -> None:
    """Print the script for ``shell``, for the command tree below ``root``."""
    out.say(_SCRIPTS[shell](tuple(_below(root, ()))))


def _below(command: Any, path: tuple[str, ...]) -> Iterator[CommandWords]:
    inner: dict[str, Any] = getattr(command, "commands", {})
    options: list[str] = ["--help"]
    takes: list[str] = []
    for one in command.params:
        names = [name for name in (*one.opts, *one.secondary_opts) if name.startswith("--")]
        options += names
        takes += [] if getattr(one, "is_flag", False) else names
    words = tuple(sorted(inner)) or _names(" ".join(path))
    yield CommandWords(" ".join(path), words, tuple(dict.fromkeys(options)), tuple(takes))
    for name, one in inner.items():
        yield from _below(one, (*path, name))


def _names(path: str) -> tuple[str, ...]:
    """The names that a command's argument may be, of those that ship."""
    if path in {"run", "template check", "template baseline", "data prepare", "survey", "novelty"}:
        return tuple(shipped_templates(shipped_root()))
    if path in {"policy show", "policy explain", "policy prove", "policy diff"}:
        return tuple(sorted(path.stem for path in (shipped_root() / "policies").glob("*.yaml")))
    shells = {"docs": tuple(documents()), "completion": tuple(_SCRIPTS)}
    runs = {"resume", "replay", "status", "logs", "open", "report", "audit", "compare"}
    return shells.get(path, ("latest",) if path in runs else ())


def _bash(tree: tuple[CommandWords, ...]) -> str:
    cases = "\n".join(
        f'        "{one.path}") words="{" ".join(one.words)}"; options="{" ".join(one.options)}";'
        f' takes=" {" ".join(one.takes)} " ;;'
        for one in tree
    )
    groups = "|".join(sorted({one.path.split()[0] for one in tree if " " in one.path}))
    return f"""\
# bash completion for aisci; for new shells, write it to ~/.local/share/bash-completion/completions/aisci
_aisci() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" path="" words options takes
    if [ "$COMP_CWORD" -gt 1 ]; then
        path="${{COMP_WORDS[1]}}"
        case "$path" in
        {groups}) if [ "$COMP_CWORD" -gt 2 ]; then path="$path ${{COMP_WORDS[2]}}"; fi ;;
        esac
    fi
    case "$path" in
{cases}
        *) return ;;
    esac
    case "$takes" in
        *" $before "*) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
    case "$word" in
        -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
        *) COMPREPLY=($(compgen -W "$words" -- "$word"))
           if [ -n "$path" ] && [ ${{#COMPREPLY[@]}} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$word")); fi ;;
    esac
}}
complete -o filenames -F _aisci aisci"""


def _zsh(tree: tuple[CommandWords, ...]) -> str:
    return (
        "# zsh completion for aisci: write it to a file, and in ~/.zshrc, after compinit: source FILE\n"
        "autoload -U +X bashcompinit && bashcompinit\n" + _bash(tree).partition("\n")[2]
    )


def _fish(tree: tuple[CommandWords, ...]) -> str:
    lines = [
        "# fish completion for aisci: `aisci completion fish > ~/.config/fish/completions/aisci.fish`",
        "complete -c aisci -e",
    ]
    inner = {one.path: set(one.words) for one in tree}
    for one in tree:
        seen = [f"__fish_seen_subcommand_from {word}" for word in one.path.split()]
        if not one.path or (
            " " not in one.path and any(p.startswith(f"{one.path} ") for p in inner)
        ):
            words = " ".join(one.words)
            nothing = f"not __fish_seen_subcommand_from {words}" if words else "true"
            lines.append(
                f"complete -c aisci -f -n '{'; and '.join([*seen, nothing])}' -a '{words}'"
            )
        elif one.words:
            lines.append(f"complete -c aisci -n '{'; and '.join(seen)}' -a '{' '.join(one.words)}'")
        for option in one.options:
            value = " -r" if option in one.takes else ""
            when = "; and ".join(seen) or "__fish_use_subcommand"
            lines.append(f"complete -c aisci -n '{when}' -l {option[2:]}{value}")
    return "\n".join(lines)


_SCRIPTS: dict[str, Callable[[tuple[CommandWords, ...]], str]] = {
    "bash": _bash, "zsh": _zsh, "fish": _fish,
}  # fmt: skip
