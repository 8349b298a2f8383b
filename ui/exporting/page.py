"""A conversation as one HTML page that needs nothing else and runs nothing. Pure; everything is escaped."""

from __future__ import annotations

from html import escape
from typing import Final

from ui.exporting.outline import Outline, Section

_STYLE: Final = (
    "body{max-width:44em;margin:2em auto;padding:0 1em;font-family:'Noto Sans CJK SC','Microsoft YaHei',"
    "'PingFang SC',sans-serif;line-height:1.75}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;"
    "padding-top:1em;border-top:1px solid}.notice{padding-left:1em;border-left:3px solid}"
    "ol.sources{padding-left:0;list-style:none;font-size:.9em}ol.sources>li{margin:.5em 0}"
    "blockquote{margin:.2em 0 .2em 2em}*{overflow-wrap:anywhere}@media print{body{margin:0}}"
)


def to_html(outline: Outline) -> str:
    """The file's text."""
    sections = "".join(
        _section(section, number, outline) for number, section in enumerate(outline.sections, 1)
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(outline.tag)}"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(outline.title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(outline.title)}</h1><p>{escape(outline.facts)} · {escape(outline.note)}</p>{sections}"
        "</body></html>\n"
    )


def _section(section: Section, number: int, outline: Outline) -> str:
    parts = [f"<section><h2>{escape(section.question)}</h2>"]
    if section.heading:
        notice = f"：{escape(section.notice)}" if section.notice else ""
        parts.append(f'<p class="notice"><strong>{escape(section.heading)}</strong>{notice}</p>')
    for line in section.lines:
        inner = "".join(
            f"<del>{escape(stretch.text)}</del>" if stretch.struck else escape(stretch.text)
            for stretch in line
        )
        parts.append(f"<p>{inner}</p>")
    if section.struck:
        parts.append(f"<p><em>{escape(outline.unsupported)}</em></p>")
    if section.references:
        items = "".join(
            f'<li id="s{number}-{reference.number}">[{reference.number}] {escape(reference.place)}'
            + "".join(f"<blockquote>{escape(quote)}</blockquote>" for quote in reference.quotes)
            + "</li>"
            for reference in section.references
        )
        parts.append(f'<h3>{escape(outline.sources_label)}</h3><ol class="sources">{items}</ol>')
    return "".join(parts) + "</section>"
