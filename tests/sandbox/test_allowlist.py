"""What the allow-list lets through: one spelling of each host, and public addresses alone."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.policy.values import why_not_set
from orchestrator.sandbox.network.allowlist import (
    MAX_HEAD,
    is_not_connect,
    judge_request,
    split_head,
    why_not_public,
)

ALLOWED = ("api.example.org:443", "files.example.org:443")


def why(target: str, *headers: str, version: str = "1.0", method: str = "CONNECT") -> str:
    head = "\r\n".join([f"{method} {target} HTTP/{version}", *headers])
    return judge_request(head.encode("latin-1"), ALLOWED).why


@pytest.mark.parametrize(
    "head",
    [
        "CONNECT api.example.org:443 HTTP/1.0",
        "CONNECT api.example.org:443 HTTP/1.1\r\nHost: api.example.org:443",
        "CONNECT api.example.org:443 HTTP/1.1\r\nhost:api.example.org\r\nUser-Agent: x y",
        "CONNECT files.example.org:443 HTTP/1.1\r\nHost: files.example.org\r\nProxy-Connection: a",
    ],
)
def test_the_requests_that_clients_make_for_an_allowed_host_are_let_through(head: str) -> None:
    assert judge_request(head.encode(), ALLOWED).why == ""


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("evil.example.org:443", "not in the allow-list"),
        ("xapi.example.org:443", "not in the allow-list"),
        ("example.org:443", "not in the allow-list"),
        ("api.example.org.evil.org:443", "not in the allow-list"),
        ("api.example.org:22", "only port 443"),
        ("api.example.org:0443", "only port 443"),
        ("api.example.org", "only port 443"),
        ("api.example.org:", "only port 443"),
        ("api.example.org:443:22", "only port 443"),
        ("api.example.org.:443", "a dot after"),
        ("API.example.org:443", "not in lower case"),
        ("https://api.example.org:443", "not in the allow-list"),
        ("user@api.example.org:443", "user information"),
        ("api.example.org:443@evil.org:443", "user information"),
        ("93.184.216.34:443", "an IP address"),
        ("93.184.216.34.:443", "an IP address"),
        ("1572395042:443", "an IP address"),
        ("0x5db8d822:443", "an IP address"),
        ("0135.0270.0330.042:443", "an IP address"),
        ("93.12113954:443", "an IP address"),
        ("127.1:443", "an IP address"),
        ("[::1]:443", "an IP address"),
        ("::1:443", "an IP address"),
        ("[::ffff:93.184.216.34]:443", "an IP address"),
        ("[2606:2800:220:1::34]:443", "an IP address"),
        ("api.example.org%00.evil.org:443", "not in the allow-list"),
        ("api.example.org\x00.evil.org:443", "a control character"),
        ("evil.org\x00.api.example.org:443", "a control character"),
        ("api.example.org\x7f:443", "a control character"),
        ("api.example.org\xad:443", "beyond ASCII"),
        ("\xe4pi.example.org:443", "beyond ASCII"),
        ("*:443", "not in the allow-list"),
        ("*.example.org:443", "not in the allow-list"),
        ("/:443", "not in the allow-list"),
    ],
)
def test_every_other_spelling_of_a_target_is_refused_and_the_disguise_named(
    target: str, reason: str
) -> None:
    assert reason in why(target)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ((), "one Host header"),
        (("Host: evil.example.org:443",), "another host"),
        (("Host: files.example.org:443",), "another host"),
        (("Host: api.example.org:22",), "another host"),
        (("Host: api.example.org", "Host: evil.example.org"), "one Host header"),
        (("Host : api.example.org",), "no header"),
        ((" Host: api.example.org",), "no header"),
        (("Host: api.example.org", " evil.org"), "no header"),
        (("Host: api.example.org", "no colon"), "no header"),
        (("Host: api.example.org", "Content-Length: 5"), "announces a body"),
        (("Host: api.example.org", "transfer-encoding: chunked"), "announces a body"),
        (("Host: api.example.org", "Upgrade: h2c"), "announces a body"),
        (("Host: api.example.org", "X: a\nHost: evil.org"), "a control character"),
        (("Host: api.example.org", "X: a\rHost: evil.org"), "a control character"),
        (("Host: api.example.org", *["X: y"] * 64), "header lines"),
    ],
)
def test_headers_that_two_parsers_could_read_differently_are_refused(
    headers: tuple[str, ...], reason: str
) -> None:
    assert reason in why("api.example.org:443", *headers, version="1.1")


@pytest.mark.parametrize("method", ["GET", "POST", "connect", "CONNECT ", "OPTIONS", ""])
def test_nothing_but_connect_is_served(method: str) -> None:
    assert "not a CONNECT" in why("api.example.org:443", method=method)
    assert "not a CONNECT" in why("http://api.example.org/", method=method)
    assert is_not_connect(f"{method} x".encode()) is (method != "CONNECT ")


@pytest.mark.parametrize("version", ["0.9", "2.0", "1.10", "1.1 x"])
def test_other_versions_of_http_are_refused(version: str) -> None:
    assert "not a CONNECT" in why("api.example.org:443", version=version)


@given(st.binary(max_size=300) | st.text(max_size=80).map(str.encode))
def test_any_bytes_are_judged_and_only_an_entry_of_the_list_passes(data: bytes) -> None:
    is_not_connect(data)
    parts = split_head(data)
    assert parts is None or b"\r\n\r\n".join(parts) == data
    for head in (data, b"CONNECT " + data + b" HTTP/1.0", b"CONNECT " + data):
        request = judge_request(head, ALLOWED)
        assert (request.status == 200) is (not request.why)
        if not request.why:
            assert request.target in ALLOWED
            assert head.startswith(b"CONNECT " + request.target.encode() + b" HTTP/1.")


def test_a_head_of_many_spaces_takes_no_long_thought() -> None:
    line = "X: " + "a" + " " * (MAX_HEAD - 100) + "a"
    assert why("api.example.org:443", line) == ""


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:2800:220:1::34", "8.8.8.8"])
def test_public_addresses_are_dialled(address: str) -> None:
    assert why_not_public(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.0.1"),
        *("168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8"),
        *("192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.1.1"),
        *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
        "255.255.255.255",
        *("::", "::1", "::ffff:93.184.216.34", "::ffff:10.0.0.1", "::93.184.216.34"),
        *("64:ff9b::5db8:d822", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:1:2::3"),
        *("2001:10::1", "2001:20::1", "2001:db8::1", "2002:5db8:d822::1", "3fff::1"),
        *("5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
        *("2606:2800:220:1::34%eth0", "", "api.example.org", "93.184.216.34:443", "1572395042"),
        *("0x5d.0xb8.0xd8.0x22", "093.184.216.034", "93.184.216.34\x00"),
    ],
)
def test_every_other_address_is_refused(address: str) -> None:
    assert why_not_public(address)


@given(st.ip_addresses())
def test_no_address_is_public_that_the_standard_library_knows_to_be_special(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not why_not_public(str(address)):
        special = (
            *(address.is_multicast, address.is_reserved, address.is_private),
            *(address.is_link_local, address.is_loopback, address.is_unspecified),
        )
        assert address.is_global
        assert not any(special)
        if isinstance(address, ipaddress.IPv6Address):
            assert (address.ipv4_mapped, address.sixtofour, address.teredo) == (None, None, None)


def test_proxy_variables_are_the_allow_lists_own_and_nobodys_concern_without_one() -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "No_Proxy", "ALL_PROXY", "http_proxy"):
        assert why_not_set(name, ALLOWED)
        assert not why_not_set(name, ())
    assert why_not_set("LD_PRELOAD", ())
