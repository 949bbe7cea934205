"""Redirects of a download: followed to public web servers alone, and never to something weaker."""

from __future__ import annotations

import urllib.request
from email.message import Message

import pytest

from orchestrator.core.errors import DataFailed
from orchestrator.machine import download
from orchestrator.template.manifest import DataFile

PUBLIC, INSIDE = "93.184.216.34", "10.0.0.7"


def followed(first: str, then: str) -> str:
    """Where a redirect from ``first`` leads."""
    file = DataFile(path="x", url=first, bytes=1, sha256="0" * 64)
    handler = download._Redirects(file)
    request = urllib.request.Request(first)
    next_one = handler.redirect_request(request, None, 302, "Found", Message(), then)
    return str(next_one.full_url)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (f"https://{PUBLIC}/a", f"https://{PUBLIC}/b"),
        (f"http://{PUBLIC}/a", f"https://{PUBLIC}/b"),
        (f"http://{INSIDE}/a", f"http://{INSIDE}:8080/b"),
    ],
)
def test_what_is_no_weaker_is_followed(first: str, then: str) -> None:
    assert followed(first, then) == then


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (f"http://{PUBLIC}/b", "from https to http"),
        (f"ftp://{PUBLIC}/b", "to ftp:"),
        ("file:///etc/passwd", "to file:"),
        ("https://127.0.0.1:48081/internal", "loopback"),
        (f"https://{INSIDE}/", "private"),
        ("https://169.254.169.254/latest/meta-data/", "metadata"),
        ("https://[::1]/", "not of IPv6's public range"),
        ("https://localhost/", "loopback"),
    ],
)
def test_what_is_weaker_or_leads_inside_is_refused_with_its_reason(then: str, why: str) -> None:
    with pytest.raises(DataFailed) as refused:
        followed(f"https://{PUBLIC}/a", then)
    assert "redirect" in refused.value.what
    assert why in refused.value.why
