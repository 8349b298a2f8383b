"""A conversation as Markdown. Pure. What was written by others stays text: whatever Markdown would read is escaped."""

from __future__ import annotations

import re

from ui.exporting.outline import Outline, Section

_MARKUP = re.compile(r"[\\`*_{}<>&|~#$!\[\]]|(?<=[a-zA-Z0-9]):(?=//)|(?<=www)\.|@")
_NUMBER = re.compile(r"\\\[(\d{1,3})\\\](?![(:\[])")
_LEADING = re.compile(r"^(\s*)([-+=:]|\d{1,9}(?=[.)]))")


def to_markdown(outline: Outline) -> str:
    """The file's text."""
    parts = [f"# {escaped(outline.title)}", escaped(f"{outline.facts} · {outline.note}")]
    for section in outline.sections:
        parts += _section(section, outline)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """The text in one line so that Markdown shows it as it is; ``[1]`` is left, for it leads nowhere."""
    line = " ".join(text.split())
    line = _MARKUP.sub(lambda match: "\\" + match.group(), line)
    line = _NUMBER.sub(r"[\1]", line)
    return _LEADING.sub(_harmless, line)


def _harmless(match: re.Match[str]) -> str:
    space, mark = match.groups()
    # A number that would begin a list gets its point escaped, which keeps the number readable.
    return f"{space}{mark}\\" if mark[0].isdigit() else f"{space}\\{mark}"


def _section(section: Section, outline: Outline) -> list[str]:
    parts = [f"## {escaped(section.question)}"]
    if section.heading:
        notice = f"：{escaped(section.notice)}" if section.notice else ""
        parts.append(f"> **{escaped(section.heading)}**{notice}")
    for line in section.lines:
        text = escaped("".join(stretch.text for stretch in line))
        if any(stretch.struck for stretch in line):
            text = "".join(
                _struck(stretch.text) if stretch.struck else _inner(stretch.text) for stretch in line
            )
        parts.append(text)
    if section.struck:
        parts.append(f"*{escaped(outline.unsupported)}*")
    if section.references:
        parts.append(f"**{escaped(outline.sources_label)}**")
        for reference in section.references:
            quotes = "".join(f"  \n  {escaped(f'“{quote}”')}" for quote in reference.quotes)
            parts.append(f"- [{reference.number}] {escaped(reference.place)}{quotes}")
    return parts


def _inner(text: str) -> str:
    lead = " " if text[:1].isspace() else ""
    end = " " if text[-1:].isspace() and text.strip() else ""
    return f"{lead}{escaped(text)}{end}"


def _struck(text: str) -> str:
    return f"<del>{escaped(text)}</del>" if text.strip() else text
