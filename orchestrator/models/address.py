"""The address of a server of the user's own, from the environment: checked before any request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from orchestrator.core.errors import UserError
from orchestrator.core.secrets import without_user


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """An address, and the variable that holds it."""

    variable: str
    address: str

    @property
    def bare(self) -> str:
        """As records have it: without user, password, query and fragment, which can hold a key."""
        parts = urlsplit(self.address)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))[:200]

    def __str__(self) -> str:
        """Without the user and password that it may hold."""
        return f"{self.variable}={without_user(self.address)[:200]}"


def server_address(provider: str, environ: Mapping[str, str]) -> ServerAddress | None:
    """The server that ``provider``'s models are asked at; None for the vendor's own.

    Raises :class:`UserError` for an address that no request could reach.
    """
    prefix = provider.upper().replace("-", "_")
    for variable in (f"{prefix}_API_BASE", f"{prefix}_BASE_URL"):
        if address := environ.get(variable):
            found = ServerAddress(variable, address)
            _require_usable(found)
            return found
    return None


def _require_usable(server: ServerAddress) -> None:
    address = server.address
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or address != address.strip():
        raise UserError(
            f"{server.variable} is not the address of a server",
            where=str(server),
            why="an address begins with http:// or https://, then the host: http://localhost:8000/v1",
            todo="correct the variable, or unset it to ask the vendor",
        )
