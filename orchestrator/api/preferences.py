"""The settings that hold where a command is given no option, each with the place that it comes from.

A setting comes from the first of these that has it: the environment (``AISCI_MODEL``), ``aisci.toml`` in the
working folder, ``config.toml`` in the user's configuration, the program's default. An option beats them all.
A secret is never a setting. The folder's file, which may be anybody's, starts no program, sends nothing and
shows no folder to containers: it may not set ``notify``, ``authority`` or ``data``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import BadFile, UserError
from orchestrator.core.files import config_home
from orchestrator.core.places import Problem
from orchestrator.core.secrets import secret_name, secret_value
from orchestrator.core.strict_toml import Flat, TomlValue, read_flat_toml

FOLDER_FILE = "aisci.toml"
_DEFAULT = "default"
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A setting: its default, its type, its smallest and largest value, and what it is."""

    default: Flat | None
    kind: type[str | int | float | bool] = str
    least: int = 0
    most: float = float("inf")
    about: str


PREFERENCES: dict[str, Preference] = {
    "model": Preference(default="builtin/sweep", about="who has the ideas and writes"),
    "edit_model": Preference(default=None, about="another model for the code of experiments"),
    "review_model": Preference(default=None, about="another model for critique and review"),
    "effort": Preference(default=None, about="how much models think: LEVEL or ROLE=LEVEL"),
    "price": Preference(default=None, about="of the model beside it: IN,OUT in US dollars"),
    "max_usd": Preference(default=None, kind=float, about="stop at this cost in US dollars"),
    "policy": Preference(default=None, about="what containers may use; else the largest that fits"),
    "scale": Preference(default="full", about="the template's scale"),
    "ideas": Preference(
        default=None, kind=int, least=1, most=100, about="how many ideas to pursue"
    ),
    "parallel": Preference(default=None, kind=int, least=1, most=64, about="ideas in flight"),
    "gpus": Preference(default="all", about="GPUs of this machine that a run may use"),
    "engine": Preference(default="none", about="where papers are searched for"),
    "data": Preference(default=None, about="a folder whose sub-folders become /data/NAME"),
    "skip_novelty": Preference(default=False, kind=bool, about="judge no idea's novelty"),
    "no_review": Preference(default=False, kind=bool, about="leave out the review"),
    "no_paper": Preference(default=False, kind=bool, about="leave out the paper"),
    "reviews": Preference(default=1, kind=int, least=1, most=9, about="reviewers of each paper"),
    "reflections": Preference(
        default=1, kind=int, most=5, about="how often a reviewer looks at its review again"
    ),
    "improve": Preference(
        default=0, kind=int, most=5, about="how often a paper is improved by its reviews"
    ),
    "results": Preference(default="results", about="the folder of results"),
    "authority": Preference(default=None, about="who stamps the time of signatures: an address"),
    "notify": Preference(default=None, about="a command or an address that is told how a run ends"),
}
"""Each setting by its name, which is its option's with underscores."""
_NOT_OF_A_FOLDER = {
    "notify": "it starts a program or sends what a run says",
    "authority": "it sends the hash of a signature to an address",
    "data": "it shows a folder of yours to containers",
}
SCALES = ("smoke", "short", "full")
"""The scales of shipped templates; another template may have others."""
_TYPO = 0.85  # how alike a name is to one of them that was meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A setting's value and its origin: a variable, a file with a line, or ``default``."""

    key: str
    value: Flat | None
    origin: str
    level: int  # 0: default, 1: user, 2: folder, 3: environment


def user_file() -> Path:
    """``$XDG_CONFIG_HOME/aisci/config.toml``."""
    return config_home() / "config.toml"


def settings_held(environ: Mapping[str, str], folder: Path = Path()) -> tuple[Held, ...]:
    """Every setting as it holds here. Raises :class:`BadFile` and :class:`UserError`."""
    held = {
        key: Held(key=key, value=one.default, origin=_DEFAULT, level=0)
        for key, one in PREFERENCES.items()
    }
    for level, path in ((1, user_file()), (2, folder / FOLDER_FILE)):
        for key, found in _read(path, of_folder=level == 2).items():
            at = f"{found.place.file}:{found.place.line}"
            held[key] = Held(key=key, value=found.value, origin=at, level=level)
    for key, one in PREFERENCES.items():
        name = variable_of(key)
        if text := environ.get(name, ""):
            value = _from_text(one, text, name)
            held[key] = Held(key=key, value=value, origin=name, level=3)
    if held["price"].level < held["model"].level:  # it is another model's
        held["price"] = Held(key="price", value=None, origin=_DEFAULT, level=0)
    return tuple(held.values())


def variable_of(key: str) -> str:
    """``AISCI_MAX_USD``: the environment's name of a setting."""
    return f"AISCI_{key.upper()}"


def _read(path: Path, *, of_folder: bool) -> dict[str, TomlValue]:
    found = read_flat_toml(path)
    wrong = [problem for key, one in found.items() if (problem := _wrong(key, one, of_folder))]
    if wrong:
        raise BadFile.listing(str(path), wrong)
    return found


def _wrong(key: str, found: TomlValue, of_folder: bool) -> Problem | None:  # noqa: FBT001 - which file it is
    """What is wrong with a line; the value of a key that may be a secret is not repeated."""
    from orchestrator.core.problems import FORM_RULE, nearest  # noqa: PLC0415 - takes pydantic, for an error

    what, todo = "", ""
    value, known = found.value, PREFERENCES.get(key)
    if (secret_name(key) and known is None) or (isinstance(value, str) and secret_value(value)):
        what = f"{key!r} looks like a secret, which is no setting"
        todo = "remove it here; keys belong in the environment, such as OPENAI_API_KEY"
    elif known is None:
        close = nearest(key, PREFERENCES)
        what = f"there is no setting {key!r}"
        todo = close if close.startswith("did") else f"known: {', '.join(PREFERENCES)}"
    elif of_folder and key in _NOT_OF_A_FOLDER:
        what = f"{key!r} may not be set by a folder's file"
        todo = f"{_NOT_OF_A_FOLDER[key]}: set it in {user_file()}, if you want it"
    elif value is None or not _fits(known, value):
        what, todo = f"{key!r} is not {_kind(known)}", f"write {_example(key, known)}"
    elif key == "scale" and (meant := _scale_meant(str(value))):
        what, todo = f"there is no scale {value!r}", f"did you mean {meant!r}?"
    return Problem(found.place, what, todo, FORM_RULE) if what else None


def _scale_meant(value: str) -> str:
    """The scale that a name was to be, where it is none and letters of one are missing; a template's own
    name is no error.
    """
    if value in SCALES:
        return ""
    from difflib import get_close_matches  # noqa: PLC0415 - for an error alone

    close = get_close_matches(value, SCALES, n=1, cutoff=_TYPO)
    return close[0] if close and len(value) <= len(close[0]) else ""


def _fits(known: Preference, value: Flat) -> bool:
    if known.kind is bool:
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(
        value, (int, float) if known.kind is float else known.kind
    ):
        return False
    return (
        value != ""
        if isinstance(value, str)
        else (known.least <= value <= known.most and value < float("inf"))
    )


def _kind(known: Preference) -> str:
    if known.kind is str:
        return "a text on one line"
    if known.kind is bool:
        return "true or false"
    name = "a whole number" if known.kind is int else "a number"
    last = f" to {known.most}" if known.most < float("inf") else ""
    return f"{name} from {known.least}{last}"


def _example(key: str, known: Preference) -> str:
    if known.kind is bool:
        return f"{key} = true"
    return f'{key} = "…"' if known.kind is str else f"{key} = {max(2, known.least)}"


def _from_text(known: Preference, text: str, name: str) -> Flat:
    try:
        value: Flat = _TRUTHS[text.lower()] if known.kind is bool else known.kind(text)
        if not secret_value(text) and _fits(known, value):
            return value
    except (ValueError, KeyError):
        pass
    shown = "" if secret_value(text) or known.kind is str else f" {text[:40]!r}"
    raise UserError(
        f"the variable's value{shown} is not {_kind(known)}",
        where=name,
        todo=f"set it to another value, or `unset {name}`",
    )
