"""Old office files: told apart by content, refused where unsafe, converted where LibreOffice is there."""

from __future__ import annotations

import functools
import io
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pytest

from ingest.loading import legacy
from ingest.loading.blocks import Block, Limits, Task
from ingest.loading.legacy import find_libreoffice, load
from rag import errors

needs_libreoffice = pytest.mark.skipif(find_libreoffice() is None, reason="LibreOffice is not installed")


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("湖堤路改造方案", 1)
    document.add_paragraph("区住建局负责湖堤路改造。")
    return saved(document)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in (["姓名", "职务"], ["祝青禾", "局长"]):
        book.active.append(row)
    return saved(book)


def presentation() -> bytes:
    made = pptx.Presentation()
    made.slides.add_slide(made.slide_layouts[5]).shapes.title.text = "湖堤路改造"
    return saved(made)


@functools.cache
def converted(ending: str) -> bytes:
    """A real old file, made by LibreOffice from a new one."""
    new, data = {"doc": ("docx", word), "xls": ("xlsx", workbook), "ppt": ("pptx", presentation)}[ending]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, f"a.{new}")
        source.write_bytes(data())
        subprocess.run(
            [str(find_libreoffice()), f"-env:UserInstallation={Path(folder, 'profile').as_uri()}", "--headless",
             "--convert-to", ending, "--outdir", folder, str(source)],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        made = Path(folder, f"a.{ending}")
        if not made.exists():
            pytest.skip(f"this LibreOffice has no module for .{ending}")
        return made.read_bytes()


@dataclass
class FakeOle:
    """An OLE file as far as it is looked at."""

    streams: dict[str, bytes] = field(default_factory=dict)

    def __enter__(self) -> FakeOle:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def listdir(self, streams: bool, storages: bool) -> list[list[str]]:
        return [name.split("/") for name in self.streams]

    def openstream(self, name: str) -> io.BytesIO:
        return io.BytesIO(self.streams[name])


def refused(monkeypatch: pytest.MonkeyPatch, kind: type[errors.SourceError], **streams: bytes) -> str:
    fake = FakeOle(
        {
            name.replace("__", "/").replace("PPT", "PowerPoint Document"): data
            for name, data in streams.items()
        }
    )
    monkeypatch.setattr(legacy, "open_ole", lambda task: fake)
    with pytest.raises(kind) as caught:
        load(Task(legacy.OLE_MAGIC, "方案.doc"))
    return str(caught.value)


def record(number: int, content: bytes) -> bytes:
    return number.to_bytes(2, "little") + len(content).to_bytes(2, "little") + content


def test_macros_and_passwords_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = b"\xec\xa5" + b"\0" * 30
    assert "macros" in refused(monkeypatch, errors.SourceUnsafe, WordDocument=plain, Macros__VBA__dir=b"")
    assert "macros" in refused(monkeypatch, errors.SourceUnsafe, Workbook=b"", _VBA_PROJECT_CUR=b"")
    sheet = record(0x809, b"x") + record(0x85, b"\0\0\0\0\0\x01\x01\0M")
    assert "macros" in refused(monkeypatch, errors.SourceUnsafe, Workbook=sheet)
    vba = b"\x1f\x00\xff\x03....\x02\x00\x00\x04\x0c\x00\x00\x00....\x01\x00\x00\x00"
    assert "macros" in refused(monkeypatch, errors.SourceUnsafe, PPT=vba)
    assert "password" in refused(
        monkeypatch, errors.SourceEncrypted, WordDocument=plain[:11] + b"\x01" + plain
    )
    assert "password" in refused(
        monkeypatch, errors.SourceEncrypted, Workbook=record(0x809, b"x") + record(0x2F, b"k")
    )
    assert "password" in refused(monkeypatch, errors.SourceEncrypted, EncryptedPackage=b"")
    refused(monkeypatch, errors.SourceUnsupported, Other=b"")


def test_without_libreoffice_the_reader_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(legacy, "_USUAL_PLACES", ())
    assert find_libreoffice() is None
    message = refused(monkeypatch, errors.SourceUnsupported, WordDocument=b"\0" * 30)
    assert "LibreOffice" in message
    assert ".docx" in message


@pytest.mark.parametrize("name", ["a.doc", "a.wps", "a.xls"])
def test_other_kinds_are_read_by_their_own_loader(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert load(Task(word(), name)).blocks[0] == Block("湖堤路改造方案", "heading", 1)
    assert load(Task(workbook(), name)).blocks == (Block("姓名：祝青禾；职务：局长", "row"),)
    assert load(Task(presentation(), name)).pages == 1
    assert load(Task(b"{\\rtf1 Work plan\\par}", name)).blocks == (Block("Work plan"),)
    page = "<html><head><title>方案</title></head><body><p>区住建局负责湖堤路改造。</p></body></html>"
    assert "湖堤路改造" in load(Task(page.encode(), name)).blocks[0].text


@pytest.mark.parametrize("data", [b"plain text", b"PK\x03\x04 broken", b"\0" * 100])
def test_what_is_nothing_known_is_refused(data: bytes) -> None:
    with pytest.raises((errors.SourceUnsupported, errors.SourceDamaged)):
        load(Task(data, "a.doc"))
    with pytest.raises(errors.SourceEmpty):
        load(Task(b"", "a.doc"))


@needs_libreoffice
def test_real_old_files_are_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[None] = []
    old = converted("doc")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    task = Task(old, "a.doc", beat=lambda: beats.append(None))
    assert load(task).blocks == (Block("湖堤路改造方案", "heading", 1), Block("区住建局负责湖堤路改造。"))
    assert len(beats) > 2
    assert not list(tmp_path.iterdir())


@needs_libreoffice
@pytest.mark.parametrize(("ending", "text"), [("xls", "姓名：祝青禾；职务：局长"), ("ppt", "湖堤路改造")])
def test_old_workbooks_and_slides_are_converted(ending: str, text: str) -> None:
    assert text in [block.text for block in load(Task(converted(ending), f"a.{ending}")).blocks]


def program(folder: Path, code: str) -> Path:
    path = folder / "soffice"
    path.write_text(f"#!{sys.executable}\n{code}", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_converter_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "alive"
    code = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', \"import time; time.sleep(2.5); open({str(mark)!r}, 'w')\"])\n"
        "time.sleep(60)\n"
    )
    hanging = program(tmp_path, code)
    monkeypatch.setattr(legacy, "find_libreoffice", lambda: hanging)
    monkeypatch.setattr(legacy, "open_ole", lambda task: FakeOle({"WordDocument": b"\0" * 30}))
    began = time.monotonic()
    with pytest.raises(errors.SourceTooSlow):
        load(Task(legacy.OLE_MAGIC, "a.doc", Limits(stall_seconds=0.4)))
    assert time.monotonic() - began < 10
    time.sleep(2)
    assert not mark.exists()


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "pass"])
def test_a_converter_that_fails_is_said_to(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = program(tmp_path, code)
    monkeypatch.setattr(legacy, "find_libreoffice", lambda: failing)
    monkeypatch.setattr(legacy, "open_ole", lambda task: FakeOle({"WordDocument": b"\0" * 30}))
    with pytest.raises(errors.SourceDamaged) as caught:
        load(Task(legacy.OLE_MAGIC, "a.doc"))
    assert "LibreOffice" in str(caught.value)


@needs_libreoffice
@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_end_in_a_refusal_or_a_text(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    data = bytearray(converted("doc"))
    if seed % 2:
        del data[chance.randrange(len(data)) :]
    else:
        for _ in range(chance.choice((5, 50))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    if seed >= 4:
        # What LibreOffice makes of them takes its time: a few are enough.
        monkeypatch.setattr(legacy, "find_libreoffice", lambda: None)
    try:
        assert load(Task(bytes(data), "a.doc", Limits(stall_seconds=5))).blocks
    except errors.SourceError as error:
        assert error.chinese
