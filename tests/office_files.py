"""Makes small files of every format that is read, with invented content."""

from __future__ import annotations

import email.message
import email.policy
import io
import shutil
import zipfile
from pathlib import Path

TITLE = "鹿汀区老旧小区改造方案"
LINES = (
    "区住建局局长田禾表示，二〇二六年将改造老旧小区28个，惠及居民1.2万户。",
    "The housing bureau will renew 28 estates before October 2026.",
    "咨询电话：0600-66102733。",
)
TABLE = (("小区", "户数", "完成时间"), ("春江里", "320", "2026年6月"), ("芦湾苑", "210", "2026年9月"))
FORMATS = (
    ".txt",
    ".md",
    ".csv",
    ".html",
    ".mhtml",
    ".pdf",
    ".docx",
    ".doc",
    ".pptx",
    ".xlsx",
    ".odt",
    ".rtf",
    ".eml",
    ".epub",
    ".zip",
    ".png",
    ".tiff",
)


def write_sample(folder: Path, suffix: str) -> Path:
    """Write a file of that format and return its path."""
    path = folder / f"sample{suffix}"
    data = _MAKERS[suffix]()
    path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    return path


def _text() -> str:
    return "\n".join((TITLE, *LINES))


def _markdown() -> str:
    rows = "\n".join("| " + " | ".join(row) + " |" for row in (TABLE[0], ("---",) * 3, *TABLE[1:]))
    return f"# {TITLE}\n\n{LINES[0]}\n\n- {LINES[1]}\n- {LINES[2]}\n\n{rows}\n"


def _csv() -> bytes:
    lines = [",".join(row) for row in TABLE] + ["鹿汀家园,28,2026年12月"]
    return ("\r\n".join(lines) + "\r\n").encode("gb18030")


def _html() -> str:
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in TABLE)
    body = "".join(f"<p>{line}</p>" for line in LINES * 3)
    return (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{TITLE}</title></head><body><nav>首页 新闻</nav>"
        f"<article><h1>{TITLE}</h1>{body}<table>{rows}</table></article><footer>版权所有</footer></body></html>"
    )


def _message(content: str, subtype: str, subject: str) -> email.message.EmailMessage:
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = subject
    message["From"] = "田禾 <th@luting.example>"
    message["Date"] = "Mon, 05 Jan 2026 09:00:00 +0800"
    message.set_content(content, subtype=subtype)
    return message


def _mhtml() -> bytes:
    message = _message("placeholder", "plain", TITLE)
    message.set_content(_html(), subtype="html")
    outer = email.message.EmailMessage(policy=email.policy.SMTP)
    outer["Subject"] = TITLE
    outer["MIME-Version"] = "1.0"
    outer.make_related()
    outer.attach(message)
    return outer.as_bytes()


def _eml() -> bytes:
    message = _message("\n".join(LINES), "plain", TITLE)
    message.add_attachment(_csv(), maintype="text", subtype="csv", filename="清单.csv")
    return message.as_bytes()


def _pdf() -> bytes:
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, pageCompression=1)
    for page in range(3):
        canvas.setFont("STSong-Light", 20)
        canvas.drawString(120, 780, TITLE)
        canvas.setFont("STSong-Light", 12)
        for number, line in enumerate(LINES * 2):
            canvas.drawString(72, 740 - 22 * number, line)
        canvas.drawString(280, 40, f"- {page + 1} -")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _docx() -> bytes:
    import docx

    document = docx.Document()
    document.add_heading(TITLE, 0)
    document.add_heading("一、总体要求", 1)
    for line in LINES:
        document.add_paragraph(line)
    table = document.add_table(rows=0, cols=3)
    for row in TABLE:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _doc() -> bytes:
    """An RTF under the ending of the old Word format: what many programs call a Word document."""
    return _rtf()


def _pptx() -> bytes:
    import pptx

    deck = pptx.Presentation()
    for number in range(2):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"{TITLE}（{number + 1}）"
        slide.placeholders[1].text = "\n".join(LINES)
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


def _xlsx() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "小区清单"
    for row in (*TABLE, ("鹿汀家园", 28, "2026年12月")):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _odt() -> bytes:
    names = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    )
    body = f'<text:h text:outline-level="1">{TITLE}</text:h>' + "".join(
        f"<text:p>{x}</text:p>" for x in LINES
    )
    return _zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {names}><office:body><office:text>{body}</office:text>"
            "</office:body></office:document-content>",
        }
    )


def _rtf() -> bytes:
    def escaped(text: str) -> str:
        return "".join(
            char if char.isascii() else "".join(f"\\'{byte:02x}" for byte in char.encode("gb18030"))
            for char in text
        )

    body = "\\par\n".join(escaped(line) for line in (TITLE, *LINES))
    return (
        "{\\rtf1\\ansi\\ansicpg936\\deff0{\\fonttbl{\\f0\\fcharset134 SimSun;}}\\f0 " + body + "\\par}"
    ).encode()


def _epub() -> bytes:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
        '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{TITLE}</dc:title></metadata><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    page = (
        f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1>'
        + "".join(f"<p>{line}</p>" for line in LINES)
        + "</body></html>"
    )
    return _zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "book.opf": opf,
            "a.xhtml": page,
        }
    )


def _zip() -> bytes:
    return _zipped({"2026/方案.txt": _text(), "清单.csv": _csv().decode("gb18030"), "方案.docx": _docx()})


def _zipped(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _picture(kind: str) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (900, 260), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=40)
    draw.text((30, 40), "Luting District renews", font=font, fill="black")
    draw.text((30, 130), "28 old estates in 2026", font=font, fill="black")
    buffer = io.BytesIO()
    image.save(buffer, format=kind)
    return buffer.getvalue()


_MAKERS = {
    ".txt": _text,
    ".md": _markdown,
    ".csv": _csv,
    ".html": _html,
    ".mhtml": _mhtml,
    ".pdf": _pdf,
    ".docx": _docx,
    ".doc": _doc,
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".odt": _odt,
    ".rtf": _rtf,
    ".eml": _eml,
    ".epub": _epub,
    ".zip": _zip,
    ".png": lambda: _picture("PNG"),
    ".tiff": lambda: _picture("TIFF"),
}


def libreoffice() -> str | None:
    """LibreOffice's command, where it is installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")
