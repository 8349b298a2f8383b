"""The language of the page for one visitor: what was chosen on it, else what the browser asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast, get_args

from ui.conversations.users import cookies_in
from ui.texts import Language, LanguageSetting, choose_language

COOKIE: Final = "wenzheng_language"
"""Set by the page's script when a language is chosen; holds a `Language`."""


def language_of(headers: Mapping[str, str], setting: LanguageSetting = "auto") -> Language:
    """The language for a request with these headers (names in lower case, or a mapping that ignores case)."""
    chosen = cookies_in(headers.get("cookie")).get(COOKIE, "")
    if chosen in get_args(Language):
        return cast("Language", chosen)
    return choose_language(headers.get("accept-language"), setting)
