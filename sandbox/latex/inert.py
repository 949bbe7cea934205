"""python3 inert.py made.pdf paper.pdf: copy a PDF if nothing in it acts; print why if something does.

Runs inside the LaTeX container. Prints ``{"pages": how many, "refused": reason or ""}`` as its last
line, and writes ``paper.pdf`` only where nothing is refused.

The PDF is judged by its objects and their keys, never as text: a name may be spelled in many ways,
and a string may look like a name. Every part that a viewer acts on has a list of the keys that it
may have; all else is refused. The copy is MuPDF's own writing of the objects that it read, so that
no other viewer can read the file in another way (a key given twice, an older revision, an object
that no table lists). The copy is what is judged.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pymupdf
from mark import machine_mark
from pymupdf import mupdf

ADDRESS = re.compile(r"(?:https?://|mailto:)[\x21-\x7e]+", re.IGNORECASE)
MOST_OBJECTS = 200_000
DEPTH = 50  # of containers within one object

# What each part may have, PDF 32000-1: a key with the part that its value is, or "" for a value
# that no viewer acts on. Resources and contents only draw; SWEPT holds what no object may have.
PARTS: dict[str, dict[str, str]] = {
    "trailer": {"Root": "catalog"}
    | dict.fromkeys(("Info", "ID", "Size", "Type", "W", "Index", "Filter", "DecodeParms"), "")
    | dict.fromkeys(("Length",), ""),
    "catalog": {
        "Pages": "page",
        "Names": "list of names",
        "Dests": "places",
        "Outlines": "outline",
        "OpenAction": "place or action",
    }
    | dict.fromkeys(("Type", "Version", "PageLabels", "PageLayout", "PageMode", "Lang"), "")
    | dict.fromkeys(("ViewerPreferences", "Metadata"), ""),
    "page": {"Kids": "page", "Annots": "annotation"}
    | dict.fromkeys(("Type", "Count", "Parent", "Resources", "MediaBox", "CropBox", "Rotate"), "")
    | dict.fromkeys(("BleedBox", "TrimBox", "ArtBox", "Contents", "Group", "Tabs", "UserUnit"), ""),
    "list of names": {"Dests": "tree"},
    "tree": {"Kids": "tree", "Names": "place", "Limits": ""},
    "outline": {"First": "outline", "Next": "outline", "Dest": "place", "A": "action"}
    | dict.fromkeys(("Type", "Title", "Parent", "Prev", "Last", "Count", "C", "F"), ""),
    "annotation": {"A": "action", "Dest": "place"}
    | dict.fromkeys(("Type", "Subtype", "Rect", "Border", "BS", "C", "H", "F", "P", "NM"), "")
    | dict.fromkeys(("Contents", "M", "QuadPoints"), ""),
    "action": {"D": "place", "Next": "action"} | dict.fromkeys(("Type", "S", "URI", "IsMap"), ""),
    "place": {"D": "place"},
}
# What no object of a paper has, wherever it stands: scripts, files, forms, media, other documents.
SWEPT = frozenset({
    "AA", "AF", "AcroForm", "Alternates", "Collection", "EF", "FFilter", "FDecodeParms", "JS", "OPI",
    "Ref", "RichMediaContent", "RichMediaSettings", "UF", "XFA", "3DD",
})  # fmt: skip
DRAWN = {"Image", "Form"}  # XObjects; a PostScript one is a program


class Refused(Exception):
    """Why this is no paper."""


def main(made: Path, paper: Path) -> None:
    # MuPDF prints its remarks on stdout.
    pymupdf.TOOLS.mupdf_display_errors(on=False)
    pymupdf.TOOLS.mupdf_display_warnings(on=False)
    pages, refused = 0, ""
    try:
        pages = copy(made, paper)
        judge(paper)
    except Refused as error:
        refused = str(error)
    except (RuntimeError, ValueError, TypeError, RecursionError) as error:  # MuPDF's, of any kind
        refused = f"it cannot be judged: {type(error).__name__}: {error}"[:300]
    if refused:
        paper.unlink(missing_ok=True)
    print("\n" + json.dumps({"pages": pages, "refused": refused}))


def copy(made: Path, paper: Path) -> int:
    """Write the objects that can be reached, with the mark that no person wrote the text, in place of metadata
    of the PDF's own; return the number of pages.
    """
    with pymupdf.open(made, filetype="pdf") as document:
        if document.is_repaired:
            raise Refused("it cannot be judged: its table of objects is damaged")
        if document.is_encrypted or document.needs_pass:
            raise Refused("it cannot be judged: it is encrypted")
        if document.version_count > 1:
            raise Refused("it cannot be judged: it holds more than one revision")
        if not document.page_count:
            raise Refused("it cannot be judged: no page of it can be read")
        if document.xref_length() > MOST_OBJECTS:
            raise Refused(f"it cannot be judged: it has more than {MOST_OBJECTS} objects")
        document.set_xml_metadata(machine_mark(os.environ.get("AISCI_AUTHOR", "model")))
        document.save(paper, garbage=3, deflate=True, no_new_id=True, use_objstms=True)
        return int(document.page_count)


def judge(paper: Path) -> None:
    """Raise Refused for the first thing that a viewer would act on."""
    document = mupdf.pdf_open_document(str(paper))
    for number in range(1, mupdf.pdf_xref_len(document)):
        sweep(mupdf.pdf_load_object(document, number), number)
    waiting = [("trailer", mupdf.pdf_trailer(document))]
    seen: set[tuple[str, int]] = set()
    while waiting:
        part, value = waiting.pop()
        if mupdf.pdf_is_indirect(value):
            at = (part, mupdf.pdf_to_num(value))
            if at in seen:
                continue
            seen.add(at)
            value = mupdf.pdf_resolve_indirect(value)
        waiting += parts_of(part, value)


def parts_of(part: str, value: mupdf.PdfObj) -> list[tuple[str, mupdf.PdfObj]]:
    """Judge one part; return the parts in it, each with its kind."""
    if mupdf.pdf_is_array(value):  # of pages, of links; or a place: [page /XYZ …]
        each = "place" if part == "place or action" else part
        items = (mupdf.pdf_array_get(value, at) for at in range(mupdf.pdf_array_len(value)))
        return [(each, item) for item in items if each != "place" or kind_of(item) != "Page"]
    if not mupdf.pdf_is_dict(value):
        if part in {"place", "place or action", "tree"} or mupdf.pdf_is_null(value):
            return []  # the name of a place, or a number in one
        raise Refused(f"what should be {article(part)} is something else")
    pairs = entries(value)
    if part == "places":
        return [("place", item) for item in pairs.values()]
    part = "action" if part == "place or action" else part
    check(part, pairs)
    return [(PARTS[part][key], item) for key, item in pairs.items() if PARTS[part][key]]


def kind_of(item: mupdf.PdfObj) -> str:
    """The /Type of a dictionary; pages are reached by their own tree."""
    return name(mupdf.pdf_dict_gets(item, "Type")) if mupdf.pdf_is_dict(item) else ""


def check(part: str, pairs: dict[str, mupdf.PdfObj]) -> None:
    """Refuse a key that the part may not have, and what its values say."""
    for key in pairs:
        if key not in PARTS[part]:
            raise Refused(f"{article(part)} has /{key}")
    if part == "annotation" and (kind := name(pairs.get("Subtype"))) != "Link":
        raise Refused(f"an annotation is no link: /{kind}")
    if part == "action":
        if (kind := name(pairs.get("S"))) not in {"GoTo", "URI"}:
            raise Refused(f"an action leads neither to a place nor to an address: /{kind}")
        address = mupdf.pdf_to_text_string(pairs["URI"]) if "URI" in pairs else ""
        if (kind == "URI" or address) and not ADDRESS.fullmatch(address):
            raise Refused(f"a link leads to no http(s) or mailto address: {address[:80]!r}")


def sweep(value: mupdf.PdfObj, number: int, depth: int = 0) -> None:
    """Refuse what no object may have, in an object and in the containers written in it."""
    if depth > DEPTH:
        raise Refused("it cannot be judged: an object is nested too deeply")
    if mupdf.pdf_is_indirect(value):
        if depth:
            return  # an object of its own
        value = mupdf.pdf_resolve_indirect(value)
    if mupdf.pdf_is_array(value):
        for at in range(mupdf.pdf_array_len(value)):
            sweep(mupdf.pdf_array_get(value, at), number, depth + 1)
    elif mupdf.pdf_is_dict(value):
        pairs = entries(value)
        check_any(pairs, number)
        document = mupdf.pdf_get_bound_document(value)
        if not depth and mupdf.pdf_obj_num_is_stream(document, number):
            check_stream(pairs, number)
        for item in pairs.values():
            sweep(item, number, depth + 1)


def check_any(pairs: dict[str, mupdf.PdfObj], number: int) -> None:
    found, kind = sorted(SWEPT & set(pairs)), name(pairs.get("Type"))
    if found or kind in {"Filespec", "EmbeddedFile", "F"}:
        raise Refused(f"object {number} has /{found[0] if found else kind}")


def check_stream(pairs: dict[str, mupdf.PdfObj], number: int) -> None:
    if "F" in pairs:
        raise Refused(f"object {number} takes its contents from another file")
    if name(pairs.get("Type")) == "XObject" and name(pairs.get("Subtype")) not in DRAWN:
        raise Refused(f"object {number} is neither a picture nor a form")


def entries(value: mupdf.PdfObj) -> dict[str, mupdf.PdfObj]:
    """The keys and values of a dictionary; names are as they are meant, however spelled."""
    return {
        mupdf.pdf_to_name(mupdf.pdf_dict_get_key(value, at)): mupdf.pdf_dict_get_val(value, at)
        for at in range(mupdf.pdf_dict_len(value))
    }


def name(value: mupdf.PdfObj | None) -> str:
    return "" if value is None else str(mupdf.pdf_to_name(value))


def article(part: str) -> str:
    if part in {"trailer", "catalog"}:
        return f"the {part}"
    return f"{'an' if part[0] in 'ao' else 'a'} {part}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
