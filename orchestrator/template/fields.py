"""The types of the values in ``template.yaml``, with the texts of their errors."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from orchestrator.core.problems import Form, Invalid

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
EntryName = Annotated[
    str,
    Form(
        r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$",
        "names have up to 80 letters, digits, `_`, `.` and `-`, and begin with a letter or digit: {!r}",
        "rename it",
    ),
]
ModuleName = Annotated[
    str,
    Form(
        r"^[A-Za-z_][A-Za-z0-9_]{0,79}(\.[A-Za-z_][A-Za-z0-9_]{0,79}){0,4}$",
        "a module's name has dots between words, as after `import`: {!r}",
        "write it as the experiment imports it",
    ),
]
FilePath = Annotated[
    str,
    StringConstraints(max_length=200),
    Form(
        r"^(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*$",
        "is not the path of a file below the template's folder: {!r}",
        "write a relative path of letters, digits, `_`, `.` and `-`, such as data/train.csv",
    ),
]


def _variable(name: str) -> str:
    if re.fullmatch("AISCI_[A-Z0-9_]+", name):
        return name
    rest = re.sub(r"[^A-Z0-9_]", "_", name.upper().removeprefix("AISCI_"))[:40]
    todo = f"rename it to AISCI_{rest or 'NAME'}, also where the experiment reads it"
    if name.startswith("AISCI_"):
        raise Invalid(f"variables have upper-case letters, digits and `_`: {name[:80]}", todo)
    raise Invalid(f"variables begin with AISCI_: {name[:80]}", todo)


Setting = Annotated[str, AfterValidator(_variable)]
SettingValue = Annotated[
    str,
    Form(
        r"^[A-Za-z0-9_.,:-]{0,80}$",
        "values have up to 80 letters, digits and `_.,:-`: {!r}",
        "write a short value without other characters",
    ),
]
FiniteNumber = Annotated[float, Field(strict=True, allow_inf_nan=False)]
KnobValue = Annotated[int, Field(strict=True)] | FiniteNumber
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1, max_length=100)]
ConstantName = Annotated[
    str,
    Form(
        r"^[A-Z][A-Z0-9_]*$",
        "constants have upper-case letters, digits and `_`: {!r}",
        "rename it, here and in the file",
    ),
]
Url = Annotated[
    str,
    StringConstraints(max_length=500),
    Form(
        r"^https?://[!-~]+$",
        "is not a web address: {!r}",
        "write the whole address of the file, such as https://example.org/train.csv",
    ),
]
Sha256 = Annotated[
    str,
    Form(
        r"^[0-9a-f]{64}$",
        "is not a SHA-256 of 64 lower-case hexadecimal digits: {!r}",
        "write the output of `sha256sum FILE`",
    ),
]
