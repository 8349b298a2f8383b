"""A conversation as a file to take away: Markdown, one HTML page, or a Word document, its citations written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Format = Literal["md", "html", "docx"]

FORMATS: Final[Mapping[Format, str]] = {"md": "Markdown", "html": "HTML", "docx": "Word"}
"""The kinds of file, with the names under which the page offers them."""
