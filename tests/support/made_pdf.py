"""PDFs of a few lines, written by hand: no library that reads PDFs is on the host."""

from __future__ import annotations


def made_pdf(*pages: str, title: str = "", trailer: str = "") -> bytes:
    """A PDF with these pages, each given by its operators (``/F1`` is Helvetica)."""
    kids = " ".join(f"{5 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids.encode(), len(pages)),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Title(%s)>>" % title.encode(),
    ]
    for number, shown in enumerate(page.encode() for page in pages):
        objects += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R>>>>>>" % (6 + 2 * number),
            b"<</Length %d>>stream\n%s\nendstream" % (len(shown), shown),
        ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % at for at in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    end = b"trailer<</Size %d/Root 1 0 R/Info 4 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, trailer.encode(), len(out),
    )  # fmt: skip
    return out + head + table + end
