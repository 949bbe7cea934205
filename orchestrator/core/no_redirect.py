"""For requests that carry what only the named server may have: its answer leads to no other one."""

from __future__ import annotations

import urllib.request


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: where a server points to gets neither the key nor the message."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None
