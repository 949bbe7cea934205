"""The mark in a PDF's metadata that no person wrote it: XMP, which search engines and archives read.

``DigitalSourceType`` is IPTC's term for how a work came about (IPTC Photo Metadata, 2025.1): by a trained model, or
by a program that learned nothing.
"""

from __future__ import annotations

NOTE = "automated study: no person wrote or checked this text"
_KINDS = {"model": "trainedAlgorithmicMedia", "program": "algorithmicMedia"}
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<dc:format>application/pdf</dc:format>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{note}</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>aisci</xmp:CreatorTool>
<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/{kind}</Iptc4xmpExt:DigitalSourceType>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def machine_mark(author: str) -> str:
    """The XMP packet for a text by a ``model`` or a ``program``."""
    return _XMP.format(note=NOTE, kind=_KINDS.get(author, _KINDS["model"]))
