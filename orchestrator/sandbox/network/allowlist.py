"""What the allow-list permits: host names, CONNECT requests and addresses, judged as values.

Nothing here resolves, connects or raises on hostile input; ``proxy.py`` acts on the result. A
name is compared byte for byte with the policy's entry: each host has one spelling, so no two
parsers can read one request differently.

Sources: RFC 9110 section 9.3.6 (CONNECT), RFC 9112 section 3 (one Host), the IANA registries of
special-purpose IPv4 and IPv6 addresses (RFC 6890 and its additions).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

PORT = 443
MAX_HEAD = 8 << 10  # bytes of a request's head
_MOST_LINES = 64  # header lines of one

# Last labels that many resolvers take for an IPv4 address: 127.0.22, 1.0x7f, 2130706433.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_REQUEST = re.compile(rb"CONNECT ([^ ]{1,512}) HTTP/1\.([01])")
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_FORBIDDEN = {b"content-length", b"transfer-encoding", b"upgrade"}  # a CONNECT has no body

_NOT_PUBLIC = {
    ipaddress.ip_network(network): why
    for why, networks in (
        ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16"),
        ("loopback", "127.0.0.0/8"),
        ("link-local, where clouds keep their metadata", "169.254.0.0/16"),
        ("a cloud's own service for its machines", "168.63.129.16/32"),
        ("shared by a carrier's customers", "100.64.0.0/10"),
        (
            "for documentation",
            "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
        ),
        ("for benchmarks", "198.18.0.0/15"),
        ("set aside for protocols", "192.0.0.0/24"),
        ("set aside for protocols, Teredo among them", "2001::/23"),
        ("a 6to4 relay", "192.88.99.0/24"),
        ("6to4, an IPv4 address within", "2002::/16"),
        ("multicast", "224.0.0.0/4"),
        ("reserved", "240.0.0.0/4"),
        ("this network", "0.0.0.0/8"),
    )
    for network in networks.split()
}
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """A request to the proxy, judged: refused where ``why`` says so. ``target`` is hostile text."""

    target: str
    status: int = 200
    why: str = ""


def split_head(data: bytes) -> tuple[bytes, bytes] | None:
    """A request's head and the bytes after it; None while the head is incomplete."""
    head, end, rest = data.partition(b"\r\n\r\n")
    return (head, rest) if end else None


def is_not_connect(data: bytes) -> bool:
    """Whether the first bytes already show that this is not a CONNECT request."""
    return not data.startswith(b"CONNECT "[: len(data)])


def judge_request(head: bytes, allowed: tuple[str, ...]) -> ConnectRequest:
    """Whether a head (without its empty line) asks for one of ``allowed``, as ``host:443``."""
    first, *lines = head.split(b"\r\n")
    words = first.split(b" ")
    target = (words[1] if len(words) > 1 else first)[:512].decode("latin-1")
    if any((byte < 0x20 and byte != 0x09) or byte > 0x7E for byte in b"".join((first, *lines))):
        return ConnectRequest(
            target, 400, "a control character, or one beyond ASCII, in the request"
        )
    request = _REQUEST.fullmatch(first)
    if request is None:
        return ConnectRequest(target, 405, "not a CONNECT request, and nothing else is served")
    why = _why_target(target, allowed)
    if why:
        return ConnectRequest(target, 403, why)
    why = _why_headers(lines, target, host_needed=request[2] == b"1")
    return ConnectRequest(target, 400, why) if why else ConnectRequest(target)


def _why_target(target: str, allowed: tuple[str, ...]) -> str:
    """Why this is not an entry of the list; each common disguise is named."""
    host, colon, port = target.rpartition(":")
    last = host.rstrip(".").rpartition(".")[2]
    signs = (
        ("@" in target, "user information before the host"),
        (not colon or port != str(PORT), f"only port {PORT} is served"),
        (host.count(":") > 1 or "[" in host or _NUMBER.fullmatch(last) is not None,
         "an IP address; hosts are allowed by name alone"),
        (host.endswith("."), "a dot after the host's name"),
        (host != host.lower(), "not in lower case, as the allow-list is"),
        (target not in allowed, "not in the allow-list"),
    )  # fmt: skip
    return next((why for sign, why in signs if sign), "")


def _why_headers(lines: list[bytes], target: str, *, host_needed: bool) -> str:
    """Why these are not the headers of a plain CONNECT to ``target``."""
    if len(lines) > _MOST_LINES:
        return f"more than {_MOST_LINES} header lines"
    parted = [line.partition(b":") for line in lines]
    if not all(colon and _FIELD.fullmatch(name) for name, colon, _ in parted):
        return "a line that is no header"
    headers = [(name.lower(), value.strip(b" \t")) for name, _, value in parted]
    if any(name in _FORBIDDEN for name, _ in headers):
        return "a CONNECT that announces a body or another protocol"
    hosts = [value.decode("ascii") for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (host_needed and not hosts):
        return "not exactly one Host header"
    if hosts and hosts[0] not in (target, target.rpartition(":")[0]):
        return "a Host header that names another host"
    return ""


def why_not_public(address: str) -> str:
    """Why ``address`` is not a public address of the Internet; empty where it is.

    The table supplements ``is_global``, because older Pythons know fewer of these networks.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "no address"
    if isinstance(ip, ipaddress.IPv6Address) and (ip.scope_id or ip not in _GLOBAL_V6):
        return "not of IPv6's public range"  # loopback, unique local, NAT64, IPv4-mapped and others
    for network, why in _NOT_PUBLIC.items():
        if ip.version == network.version and ip in network:
            return why
    return "" if ip.is_global and not ip.is_multicast and not ip.is_reserved else "special"
