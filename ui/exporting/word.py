"""A conversation as a Word document, in Word's own styles, so that an office can give it its own look."""

from __future__ import annotations

import io
from typing import Any

from ui.exporting.outline import Outline, Section

_FONT = "Microsoft YaHei"


def to_docx(outline: Outline) -> bytes:
    """The file's bytes."""
    import docx
    from docx.oxml.ns import qn

    document = docx.Document()
    for style in ("Normal", "Title", "Heading 1", "Heading 2"):
        # The font for Han characters has a place of its own beside the one for Latin letters.
        fonts = document.styles[style].element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), _FONT)
        for theme in ("w:eastAsiaTheme",):
            fonts.attrib.pop(qn(theme), None)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = outline.title[:255], "", ""
    properties.language = outline.tag
    document.add_heading(outline.title, level=0)
    document.add_paragraph(f"{outline.facts} · {outline.note}")
    for section in outline.sections:
        _write(document, section, outline)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _write(document: Any, section: Section, outline: Outline) -> None:
    document.add_heading(section.question, level=1)
    if section.heading:
        paragraph = document.add_paragraph(style="Intense Quote")
        paragraph.add_run(section.heading).bold = True
        if section.notice:
            paragraph.add_run(f"：{section.notice}")
    for line in section.lines:
        paragraph = document.add_paragraph()
        for stretch in line:
            paragraph.add_run(stretch.text).font.strike = True if stretch.struck else None
    if section.struck:
        document.add_paragraph().add_run(outline.unsupported).italic = True
    if section.references:
        document.add_heading(outline.sources_label, level=2)
        for reference in section.references:
            document.add_paragraph(f"[{reference.number}] {reference.place}")
            for quote in reference.quotes:
                document.add_paragraph(quote, style="Quote")
