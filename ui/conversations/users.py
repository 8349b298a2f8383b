"""Who a visitor is: a browser that holds a random cookie. No name, no login, and no way from a folder to a cookie."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final

COOKIE: Final = "wenzheng_visitor"

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_USER = re.compile(r"[0-9a-f]{64}")
_MAX_AGE = 400 * 24 * 3600  # seconds; browsers cut longer ones to this


def user_of(cookies: Mapping[str, str]) -> str:
    """The name of the folder that belongs to a request's cookies; empty where they hold none of ours."""
    secret = cookies.get(COOKIE, "")
    return hashlib.sha256(secret.encode("ascii")).hexdigest() if _SECRET.fullmatch(secret) else ""


def is_user(name: str) -> bool:
    """Whether this is a name that `user_of` gives."""
    return _USER.fullmatch(name) is not None


def cookies_in(header: str | None) -> dict[str, str]:
    """The cookies of a request's header; none where it is malformed."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header or "").items()}
    except CookieError:
        return {}


def cookie_header(cookies: Mapping[str, str], *, secure: bool) -> str:
    """The header that gives a browser its cookie, or that lets the one it has last longer.

    :param secure: whether the page is served over https; then the cookie is never sent without it
    """
    held = cookies.get(COOKIE, "")
    secret = held if _SECRET.fullmatch(held) else secrets.token_urlsafe(32)
    end = "; Secure" if secure else ""
    return f"{COOKIE}={secret}; Max-Age={_MAX_AGE}; Path=/; HttpOnly; SameSite=Lax{end}"
