"""What guards every request, whatever the page: host, size, origin, forms, headers, cookies.

Each guard is pure ASGI, so that nothing is buffered that need not be. Sources: OWASP ASVS 5.0 (3.3 cookies, 3.4
headers, 3.5 request origin) and the design's table of controls.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk import known_browsers

__all__ = [
    "CONTENT_SECURITY_POLICY",
    "FORM_BYTES",
    "BodyCap",
    "Cookies",
    "HostCheck",
    "Hosts",
    "SecurityHeaders",
    "form_token",
    "is_form_token",
    "is_same_origin",
]

FORM_BYTES = 1_000_000
"""Most bytes of one request body."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
"""Nothing from elsewhere, nothing inline: a tracking pixel in a post must not learn where the monitors sit."""

_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-robots-tag": "noindex, nofollow",
}


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class SecurityHeaders:
    """Puts the same headers on every answer, errors included; a page is never stored unless its own answer says so."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = dict(_HEADERS)
        if https:
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class HostCheck:
    """Refuses a request that names another host than ours: DNS rebinding ends here."""

    def __init__(self, app: ASGIApp, *, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            if len(named) != 1 or named[0] not in self._hosts:
                refusal = PlainTextResponse("This desk does not answer under that name.\n", status_code=400)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class BodyCap:
    """Answers 413 for a body beyond the cap: at once when the length is declared, else when the bytes pass it."""

    def __init__(self, app: ASGIApp, *, most_bytes: int = FORM_BYTES) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = PlainTextResponse(f"A form holds at most {self._most_bytes} bytes.\n", status_code=413)
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isascii() or not declared.isdigit() or int(declared[:20]) > self._most_bytes:
            await refusal(scope, receive, send)
            return
        seen = 0
        too_large = False
        started = False

        async def counted_receive() -> Message:
            nonlocal seen, too_large
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self._most_bytes:
                    too_large = True
                    return {"type": "http.disconnect"}
            return message

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if too_large and not started:
                return
            started = True
            await send(message)

        try:
            await self._app(scope, counted_receive, guarded_send)
        except Exception:
            if not too_large or started:
                raise
        if too_large and not started:
            await refusal(scope, receive, send)


class Hosts:
    """The `Host` values that belong to a base URL. A loopback desk may be reached by each name of the loopback, and
    port 0 in the URL (the system chose one) stands for any port."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        own = parts.hostname or ""
        self._names = _LOOPBACK if own in _LOOPBACK else frozenset({own})
        self._default_port = 443 if parts.scheme == "https" else 80
        self._port = self._default_port if parts.port is None else parts.port

    def __contains__(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            port = parts.port or self._default_port
        except ValueError:
            return False
        if parts.netloc != host or "@" in host:
            return False
        return (parts.hostname or "") in self._names and self._port in (0, port)


def is_same_origin(request: Request, *, hosts: Hosts) -> bool:
    """Whether a state-changing request comes from a page of this desk.

    Browsers say so themselves in `Sec-Fetch-Site`, which no page can forge; where it is missing, `Origin` must be ours.
    Neither of them is a refusal, since every browser since 2020 sends one with a form.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", ""))
    return (
        origin.scheme in ("http", "https") and origin.netloc == request.headers.get("host") and origin.netloc in hosts
    )


class Cookies:
    """The desk's three cookies: the session, before it the secret that a sign-in form is bound to, and after it what
    says that somebody has signed in with this browser before (`desk.known_browsers`).

    With https all carry the `__Host-` prefix, which ties them to this host and path; plain http exists for the
    loopback only, where browsers refuse that prefix.
    """

    def __init__(self, *, https: bool) -> None:
        prefix = "__Host-" if https else ""
        self._https = https
        self.session = f"{prefix}hustings-session"
        self.guest = f"{prefix}hustings-guest"
        self.browser = f"{prefix}hustings-browser"

    def set_session(self, response: Response, token: str) -> None:
        self._set(response, self.session, token)
        self._clear(response, self.guest)

    def set_guest(self, response: Response, secret: str) -> None:
        self._set(response, self.guest, secret)

    def set_browser(self, response: Response, secret: str) -> None:
        """It outlives the session, the browser's end and the sign-out."""
        self._set(response, self.browser, secret, lasts=known_browsers.LASTS)

    def clear_session(self, response: Response) -> None:
        self._clear(response, self.session)

    def _set(self, response: Response, name: str, value: str, *, lasts: timedelta | None = None) -> None:
        max_age = None if lasts is None else int(lasts.total_seconds())
        response.set_cookie(name, value, max_age=max_age, path="/", httponly=True, secure=self._https, samesite="lax")

    def _clear(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", httponly=True, secure=self._https, samesite="lax")


def form_token(secret: str) -> str:
    """A fresh token that proves knowledge of `secret` (the session's or the guest's cookie).

    It differs from form to form: a mask and the masked digest, so that compressing a page does not give it away
    (the BREACH attack)."""
    digest = _form_digest(secret)
    mask = secrets.token_bytes(len(digest))
    return base64.urlsafe_b64encode(mask + bytes(a ^ b for a, b in zip(mask, digest, strict=True))).decode()


def is_form_token(token: str, secret: str) -> bool:
    """Whether `token` was made by `form_token` for this `secret`."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        return False
    digest = _form_digest(secret)
    if not secret or len(raw) != 2 * len(digest):
        return False
    mask, masked = raw[: len(digest)], raw[len(digest) :]
    return hmac.compare_digest(bytes(a ^ b for a, b in zip(mask, masked, strict=True)), digest)


def _form_digest(secret: str) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=24, person=b"hustings-form").digest()
