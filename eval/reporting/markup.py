"""HTML from untrusted text: escaping, tables, and a page that may load and run nothing but what it carries. Pure."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import re
from collections.abc import Sequence
from pathlib import Path

from eval.reporting.shapes import Language
from eval.storage import encodable

_ASSETS = Path(__file__).parent / "assets"
_TAG = re.compile("<[^>]*>")
# Control characters that HTML forbids, and the marks that turn the direction of the text around them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def escape(text: object) -> str:
    """Text as it may stand in an element or between the quotes of an attribute."""
    return html.escape(_FORBIDDEN.sub("\ufffd", encodable(str(text))), quote=True)


def breakable(name: str) -> str:
    """A name such as ``citation_recall``, escaped, that may go on in the next line after an underscore."""
    return escape(name).replace("_", "_<wbr>")


@functools.cache
def asset(name: str) -> str:
    """The text of a style sheet or script that lies beside this module."""
    return (_ASSETS / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def digest(text: str) -> str:
    """The source expression by which a Content-Security-Policy allows exactly this inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], label: str, classes: str = "") -> str:
    """A table of cells that are HTML already, in a box that scrolls sideways where the screen is narrow.

    The first cell of each row is its heading; ``label`` is the table's name for screen readers, plain text. With
    "stacked" among the ``classes``, a row becomes a block on a narrow screen, each cell under its column's name.
    """
    head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    names = ["" for _ in header]
    if "stacked" in classes.split():
        names = [f' data-label="{_TAG.sub("", cell)}"' for cell in header]
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        f"{''.join(f'<td{name}>{cell}</td>' for name, cell in zip(names[1:], row[1:], strict=True))}</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">'
        f'<table class="{classes}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def document(title: str, body: str, language: Language) -> str:
    """A whole page around ``body``, which is HTML already; ``title`` is plain text.

    The policy allows the page's own style sheet and script by their hash and nothing else, from nowhere.
    """
    style, script = asset("page.css"), asset("page.js")
    policy = (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        f'<!doctype html>\n<html lang="{"zh-Hans" if language == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )
