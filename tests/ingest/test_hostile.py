"""Hostile files through the whole of a run: each is refused with its reason, and the rest is taken in."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from office_files import write_sample

from ingest.sync import sync
from rag.library import Library
from rag.settings import Settings


def zipped(members: dict[str, bytes], *, level: int = 9) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A picture that says it is that large, in a few bytes."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", zlib.compress(bytes(1000))) + part(b"IEND", b"")


def pdf_of(pages: int) -> bytes:
    """A PDF with that many pages, which all share one content."""
    kids = " ".join(f"{n} 0 R" for n in range(3, 3 + pages))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {pages} /Kids [{kids}] >>",
        *["<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>"] * pages,
    ]
    body, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode()
    start = len(body)
    body += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    body += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    body += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(body)


ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "'
    + b"x" * 99
    + b'"><!ENTITY c "'
    + b"&b;" * 99
    + b'">]><a>&c;</a>'
)
BOMB = zipped({"零.txt": bytes(200_000_000)})


def with_part(package: bytes, name: str, data: bytes) -> bytes:
    """An Office file with a part added or replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, data)
    return out.getvalue()


@pytest.fixture(scope="module")
def docx(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_sample(tmp_path_factory.mktemp("docx"), ".docx").read_bytes()


def test_every_hostile_file_is_refused_with_its_reason_and_stops_nothing(
    docx: bytes, tmp_path: Path, library: Library, settings: Settings
) -> None:
    folder = tmp_path / "来件"
    folder.mkdir()
    link = zipfile.ZipInfo("链接.txt")
    link.external_attr = 0o120777 << 16
    linked = io.BytesIO()
    with zipfile.ZipFile(linked, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    nested = b"x"
    for _ in range(6):
        nested = zipped({"里面.zip": nested})
    files = {
        "好.txt": "区住建局改造老旧小区28个。".encode(),
        "炸弹.zip": BOMB,
        "炸弹.docx": with_part(docx, "word/media/big.bin", bytes(300_000_000)),
        "越界.zip": zipped({"../../外面.txt": b"x", "里面.txt": "压缩包里的好文件。".encode()}),
        "链接.zip": linked.getvalue(),
        "嵌套.zip": nested,
        "实体.docx": with_part(docx, "word/document.xml", ENTITIES),
        "宏.docx": with_part(docx, "word/vbaProject.bin", b"\xd0\xcf\x11\xe0"),
        "十万页.pdf": pdf_of(100_000),
        "巨图.png": png_claiming(10_000, 10_000),
        "伪装.docx": b"MZ\x90\x00 program",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "外链.txt").symlink_to("/etc/hostname")
    report = sync([folder], library, settings)
    told = {str(Path(f.path).relative_to(folder)): f for f in report.files}
    reasons = {
        "炸弹.zip/零.txt": ("SourceUnsafe", "大得反常"),
        "炸弹.docx": ("SourceUnsafe", "大得反常"),
        "越界.zip/../../外面.txt": ("SourceUnsafe", "压缩包之外"),
        "链接.zip/链接.txt": ("SourceUnsafe", "指向别处的链接"),
        "实体.docx": ("SourceUnsafe", "实体"),
        "宏.docx": ("SourceUnsafe", "含有宏"),
        "十万页.pdf": ("SourceTooLarge", "100000页"),
        "巨图.png": ("SourceTooLarge", "像素"),
        "外链.txt": ("SourceUnsafe", "链接"),
    }
    assert told["好.txt"].status == told["越界.zip/里面.txt"].status == "added"
    failed = {name: file for name, file in told.items() if file.status == "failed"}
    for name, (code, words) in reasons.items():
        matching = [
            file for key, file in failed.items() if key.startswith(name.split("/")[0]) and file.code == code
        ]
        assert any(words in file.reason_zh for file in matching), (name, list(failed))
    assert any("嵌套" in name for name in failed)
    assert "伪装.docx" in failed
    assert len(library.documents()) == 2
    assert not (tmp_path / "外面.txt").exists()


def test_encrypted_files_are_told_as_such(tmp_path: Path, library: Library, settings: Settings) -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(tmp_path / "密.pdf"), encrypt=StandardEncryption("secret", canPrint=0))
    canvas.drawString(9, 9, "x")
    canvas.save()
    locked = bytearray(zipped({"密.txt": b"x" * 100}))
    locked[6] |= 1  # the flag of encryption, in the member and in the directory
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "密.zip").write_bytes(locked)
    report = sync([tmp_path], library, settings)
    codes = {Path(f.path).name: f.code for f in report.files if f.status == "failed"}
    assert set(codes.values()) == {"SourceEncrypted"}
    assert len(codes) == 2
    assert library.documents() == []


def test_limits_are_settings(tmp_path: Path, library: Library, settings: Settings) -> None:
    (tmp_path / "四页.pdf").write_bytes(pdf_of(4))
    tight = settings.model_copy(update={"max_pages": 3})
    (file,) = sync(
        [tmp_path], library, tight
    ).files  # the library's own folder in it is no part of what is taken in
    assert (file.code, file.reason.startswith("四页.pdf has 4 pages, over the limit of 3.")) == (
        "SourceTooLarge",
        True,
    )
