"""One POST to a webhook, with an end in sight whatever the other side does."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from bgce_migrate import __version__

if TYPE_CHECKING:
    import urllib.request

_HEADERS = {"Content-Type": "application/json; charset=utf-8", "User-Agent": f"bgce-migrate/{__version__}"}


def post(url: str, body: bytes, timeout: float) -> str | None:
    """Send it once; why that did not work, in words that hold nothing of the URL, or None.

    Redirects are not followed: whoever is behind one was not named.

    Args:
        timeout: seconds in all. A name's lookup has no limit of its own and a slow answer may come byte by byte, so
            a thread waits for them, and is left behind.
    """
    if not url.startswith(("https://", "http://")):
        return "is not an address that begins with https:// or http://"
    said: list[str | None] = []
    thread = threading.Thread(target=lambda: said.append(_post(url, body, timeout)), daemon=True)
    thread.start()
    thread.join(timeout)
    return said[0] if said else f"did not answer within {timeout:g} s"


def _post(url: str, body: bytes, timeout: float) -> str | None:
    import http.client
    import socket
    import ssl
    import urllib.error
    import urllib.request

    try:
        request = urllib.request.Request(url, body, _HEADERS, method="POST")
        with urllib.request.build_opener(_stays()).open(request, timeout=timeout):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return _answered(error.code)
    # What these errors say may hold the address; which of them it is may be told.
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return f"did not answer within {timeout:g} s"
        for kind, words in (
            (ssl.SSLCertVerificationError, "has a certificate that is not accepted"),
            (ssl.SSLError, "does not speak TLS as it should"),
            (socket.gaierror, "has a name that cannot be looked up"),
            (ConnectionRefusedError, "refuses connections"),
            (OSError, "is not reached"),
        ):
            if isinstance(reason, kind):
                return words
        return "gave an answer that is no HTTP" if isinstance(error, http.client.HTTPException) else "is no address"


def _answered(code: int) -> str:
    if 300 <= code < 400:
        return f"answered {code}: redirects are not followed"
    phrase = HTTPStatus(code).phrase if code in {status.value for status in HTTPStatus} else ""
    return f"answered {code} {phrase}".strip()


def _stays() -> urllib.request.HTTPRedirectHandler:
    """Takes a redirect for an error."""
    import urllib.request

    class Stays(urllib.request.HTTPRedirectHandler):
        """Follows nothing."""

        def redirect_request(self, *_: object, **__: object) -> None:
            """None: an error with the redirect's code."""

    return Stays()
