"""What is wrong with a value from outside, where it is, and what to do about it.

:func:`explained` translates pydantic's errors from one table. Our own rules raise
:class:`Invalid` or declare a :class:`Form`, with their own words.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import ErrorDetails, core_schema

Loc = tuple[str | int, ...]
FORM_RULE = "form"
"""The rule that a value has its form, and a key its name."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One error: the path of its key in the file, what is wrong there, what to do, and the rule."""

    loc: Loc
    what: str
    todo: str
    rule: str = FORM_RULE


class Invalid(ValueError):
    """Raised by a validator: what is wrong, what to do, and where below the value it is."""

    def __init__(self, what: str, todo: str, loc: Loc = ()) -> None:
        super().__init__(what)
        self.what, self.todo, self.loc = what, todo, loc


@dataclass(frozen=True, slots=True)
class Form:
    """A pattern of a text, for ``Annotated``; ``words`` has ``{}`` for the text."""

    pattern: str
    words: str
    todo: str

    def check(self, value: str) -> str:
        """Raise :class:`Invalid` where ``value`` does not have this form."""
        if re.search(self.pattern, value) is None or value.endswith("\n"):
            raise Invalid(self.words.format(value[:80]), self.todo)
        return value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}


def nearest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'memory'?``, or the names there are."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names[:12])}" + (", …" if len(names) > 12 else "")


_NUMBER = "write a number, without quotes"
_WHOLE = "write a number without a decimal point and without quotes"
_LIST = "write it as `[A, B]`"
_MAPPING = "write it as `{KEY: VALUE}`, or each key on a line of its own below"
_BOOL = "write `true` or `false`, without quotes"
_KINDS = {
    "string_type": ("text", "put the value in quotes"),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_parsing_size", "int_from_float"),
        ("a whole number", _WHOLE),
    ),
    **dict.fromkeys(("float_type", "float_parsing"), ("a number", _NUMBER)),
    "finite_number": ("a finite number", _NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), ("true or false", _BOOL)),
    **dict.fromkeys(("list_type", "tuple_type"), ("a list", _LIST)),
    **dict.fromkeys(
        ("dict_type", "model_type", "dataclass_type"), ("a mapping of keys to values", _MAPPING)
    ),
}
"""Type of pydantic's error → what the value must be, and what to do."""

_RULES = {
    "string_too_short": ("must have {min_length} or more characters", "write a longer text"),
    "string_too_long": ("is longer than {max_length} characters", "shorten it"),
    "too_short": ("has {actual_length} entries; {min_length} or more are needed", "add an entry"),
    "too_long": ("has more than {max_length} entries", "remove entries"),
    "greater_than": ("must be above {gt}, not {input}", "raise it"),
    "greater_than_equal": ("must be {ge} or more, not {input}", "raise it to {ge} or more"),
    "less_than": ("must be below {lt}, not {input}", "lower it"),
    "less_than_equal": ("must be {le} or less, not {input}", "lower it to {le} or less"),
    "string_pattern_mismatch": ("does not match the pattern {pattern}", "change it to match"),
    "missing": ("the key {key!r} is missing", "add `{key}: …`"),
}
"""Type of pydantic's error → what is wrong, and what to do, with its limits to fill in."""


def explained(
    problem: ValidationError, data: Any, schema: Callable[[], dict[str, Any]] = dict
) -> tuple[Wrong, ...]:
    """Every error of ``problem`` in ``data`` once, in plain words.

    ``schema`` makes the JSON Schema of the whole; the nearest name for an unknown key is from it.
    """
    errors = [(_in_data(error, data), error) for error in problem.errors(include_url=False)]
    unknown = {loc for loc, error in errors if error["type"] == "extra_forbidden"}
    known = {loc[:-1]: _keys_at(schema(), loc[:-1]) for loc in unknown}
    meant = {
        (*loc[:-1], name)
        for loc in unknown
        for name in difflib.get_close_matches(str(loc[-1]), known[loc[:-1]], n=1)
    }
    found: list[Wrong] = []
    for loc, error in errors:
        if error["type"] == "extra_forbidden":
            todo = nearest(str(loc[-1]), known[loc[:-1]])
            found.append(Wrong(loc, f"unknown key {loc[-1]!r}", todo))
        elif error["type"] in _KINDS:
            if not _other_branch(loc, error, errors):
                found.append(_of_another_kind(loc, errors))
        elif not (error["type"] == "missing" and loc in meant) and not (
            error["type"] == "too_short" and _below_wrong(loc, errors)  # only valid entries count
        ):
            found.append(_explained(loc, error))
    return tuple(dict.fromkeys(found))


def row(wrong: Wrong) -> str:
    """``a.b: must be …; write …`` for a file without positions."""
    key = ".".join(str(part) for part in wrong.loc)
    return (f"{key}: " if key else "") + f"{wrong.what}; {wrong.todo}"


def _explained(loc: Loc, error: ErrorDetails) -> Wrong:
    """An error that is not about the kind of the value."""
    context = error.get("ctx", {})
    if isinstance(raised := context.get("error"), Invalid):
        return Wrong((*loc, *raised.loc), raised.what, raised.todo)
    if error["type"] == "literal_error":
        choices = re.sub(r" or (?=[^,]*$)", ", ", context["expected"].replace("'", "")).split(", ")
        given = _shown(error["input"])
        if len(choices) == 1:
            return Wrong(loc, f"must be {choices[0]}, not {given}", f"write {choices[0]}")
        what = f"{given} is not one of: {', '.join(choices)}"
        close = difflib.get_close_matches(str(error["input"]), choices, n=1)
        todo = f"did you mean {close[0]!r}?" if close else "write one of these words"
        return Wrong(loc, what, todo)
    if error["type"] == "string_too_short" and not error["input"]:
        return Wrong(loc, "must not be empty", "write a text, or remove the key")
    if error["type"] not in _RULES:
        plain = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        return Wrong(loc, plain, "change the value")
    what, todo = _RULES[error["type"]]
    limits = {key: f"{x:g}" if isinstance(x, float) else x for key, x in context.items()}
    fill = {"key": loc[-1] if loc else "", "input": _shown(error["input"]), **limits}
    return Wrong(loc, what.format_map(fill), todo.format_map(fill))


def _of_another_kind(loc: Loc, errors: list[tuple[Loc, ErrorDetails]]) -> Wrong:
    """One error for all the kinds that the value at ``loc`` may have and does not."""
    here = [error for at, error in errors if at == loc and error["type"] in _KINDS]
    kinds = dict(_KINDS[error["type"]] for error in here)
    if "a number" in kinds:
        kinds.pop("a whole number", None)
    what = f"must be {' or '.join(kinds)}, not {_shown(here[0]['input'])}"
    return Wrong(loc, what, ", or ".join(dict.fromkeys(kinds.values())))


def _other_branch(loc: Loc, error: ErrorDetails, errors: list[tuple[Loc, ErrorDetails]]) -> bool:
    """Whether another form of the value fits better: it has errors below, or a broken rule here."""
    if _of_key(error):
        return False
    rules = [other for at, other in errors if at == loc and other["type"] not in _KINDS]
    return _below_wrong(loc, errors) or not all(_of_key(other) for other in rules)


def _below_wrong(loc: Loc, errors: list[tuple[Loc, ErrorDetails]]) -> bool:
    return any(len(at) > len(loc) and at[: len(loc)] == loc for at, _ in errors)


def _of_key(error: ErrorDetails) -> bool:
    return error["loc"][-1:] == ("[key]",)


def _shown(value: Any) -> str:
    """A value as its file writes it, short."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    short = text if len(text) <= 40 else f"{text[:40]}…"
    return repr(short) if isinstance(value, str) else short


def _in_data(error: ErrorDetails, data: Any) -> Loc:
    """pydantic's path without the parts that name a branch of a union or a key's own check."""
    known: Loc = ()
    here: Any = data
    for part in error["loc"]:
        inside = isinstance(here, Mapping) and part in here
        if isinstance(here, list | tuple):
            inside = isinstance(part, int) and part < len(here)
        if inside:
            known, here = (*known, part), here[part]
    return (*known, error["loc"][-1]) if error["type"] == "missing" else known


def _keys_at(schema: dict[str, Any], loc: Loc) -> list[str]:
    """The keys that ``schema`` knows below ``loc``, as far as types tell."""
    at: Any = schema
    for part in loc:
        at = _below(at, part, schema)
    return sorted(_resolved(at, schema).get("properties", {}))


def _resolved(at: Any, schema: Any) -> Any:
    while True:
        if "$ref" in at:
            at = schema["$defs"][at["$ref"].rsplit("/", 1)[-1]]
        elif "anyOf" in at:
            branches = [one for one in at["anyOf"] if one.get("type") != "null"]
            at = next((one for one in branches if one.get("type") != "string"), {})
        else:
            return at


def _below(at: Any, part: str | int, schema: Any) -> Any:
    at = _resolved(at, schema)
    if isinstance(part, int):
        return at.get("items", {})
    of_pattern: Any = next(iter(at.get("patternProperties", {}).values()), {})
    return at.get("properties", {}).get(part) or at.get("additionalProperties") or of_pattern
