"""Packages are looked into before anything is read from them."""

from __future__ import annotations

import io
import zipfile

import pytest

from ingest.loading.blocks import Limits, Task
from ingest.loading.packages import open_package, plausible_title, read_member, relations, xml_part
from rag import errors


def package(**extra: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        for name, data in extra.items():
            file.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return buffer.getvalue()


def refused(data: bytes, kind: type[errors.SourceError], limits: Limits | None = None) -> str:
    with pytest.raises(kind) as caught:
        open_package(Task(data, "方案.docx", limits or Limits()))
    return str(caught.value)


def test_a_plain_package_opens_and_its_parts_are_read_with_a_bound() -> None:
    with open_package(
        Task(package(word__document_dot_xml=b"<a>" + b"x" * 100 + b"</a>"), "a.docx")
    ) as opened:
        assert read_member(opened, "word/document.xml", 200) == b"<a>" + b"x" * 100 + b"</a>"
        with pytest.raises(errors.SourceUnsafe):
            read_member(opened, "word/document.xml", 50)
        with pytest.raises(errors.SourceDamaged):
            read_member(opened, "word/other.xml", 50)


def test_what_is_no_package_is_damaged() -> None:
    refused(b"not a package", errors.SourceDamaged)
    refused(package(a=b"x" * 5000)[:-30], errors.SourceDamaged)
    refused(b"", errors.SourceEmpty)


def test_macros_are_refused() -> None:
    assert "macros" in refused(package(word__vbaProject_dot_bin=b"x"), errors.SourceUnsafe)
    assert "macros" in refused(package(Basic__Standard__Module1_dot_xml=b"<a/>"), errors.SourceUnsafe)
    assert "macros" in refused(package(Scripts__python__a_dot_py=b"x"), errors.SourceUnsafe)
    types = b'<Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("[Content_Types].xml", types)
    assert "macros" in refused(buffer.getvalue(), errors.SourceUnsafe)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_entities_and_document_types_are_refused(encoding: str) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode(encoding)
    assert "entities" in refused(package(word__document_dot_xml=bomb), errors.SourceUnsafe)
    plain = "<!DOCTYPE a><a/>".encode(encoding)
    assert "entities" in refused(package(word__document_dot_xml=plain), errors.SourceUnsafe)


def test_a_document_type_behind_a_long_comment_is_refused() -> None:
    hidden = b"<!--" + b"<a>" * 30_000 + b'--><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    refused(package(word__document_dot_xml=hidden), errors.SourceUnsafe)


def test_a_book_may_name_its_document_type_but_no_entities() -> None:
    page = b"<!DOCTYPE html><html/>"
    open_package(Task(package(mimetype=b"application/epub+zip", a_dot_xhtml=page), "a.epub")).close()
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><a/>'
    refused(package(mimetype=b"application/epub+zip", a_dot_xhtml=bomb), errors.SourceUnsafe)


def test_bombs_are_refused_by_ratio_and_by_size() -> None:
    bomb = package(word__media_dot_bin=b"\0" * (30 * 2**20))
    assert "unpacks" in refused(bomb, errors.SourceUnsafe)
    refused(package(a=b"ab" * 2**20), errors.SourceUnsafe, Limits(archive_mb=1))
    refused(package(a=b"x", b=b"y"), errors.SourceTooLarge, Limits(archive_files=2))


def test_the_sizes_in_the_directory_are_not_trusted() -> None:
    data = bytearray(package(a=b"\0" * (30 * 2**20)))
    for magic, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = data.rfind(magic) + offset
        data[place : place + 4] = (1000).to_bytes(4, "little")
    with pytest.raises((errors.SourceDamaged, errors.SourceUnsafe)):
        open_package(Task(bytes(data), "a.docx"))


def test_a_part_that_needs_a_password_is_refused() -> None:
    data = bytearray(package(a=b"x"))
    for magic, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.rfind(magic) + offset] |= 1
    refused(bytes(data), errors.SourceEncrypted)
    manifest = b'<a xmlns="urn:x"><encryption-data/></a>'
    refused(package(**{"META-INF__manifest_dot_xml": manifest}), errors.SourceEncrypted)


def test_a_broken_old_office_file_is_damaged() -> None:
    refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, errors.SourceDamaged)


def test_relations_stay_inside_the_package() -> None:
    rels = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        b'<Relationship Id="r1" Type="x/styles" Target="../../../etc/styles.xml"/>'
        b'<Relationship Id="r2" Type="x/hyperlink" Target="http://a.example/" TargetMode="External"/></Relationships>'
    )
    with open_package(Task(package(word___rels__document_dot_xml_dot_rels=rels), "a.docx")) as opened:
        found = relations(opened, "word/document.xml", Task(b"", "a.docx"))
        assert [(r.identifier, r.kind, r.target) for r in found] == [("r1", "styles", "etc/styles.xml")]
        with pytest.raises(errors.SourceDamaged):
            xml_part(opened, "word/missing.xml", Task(b"", "a.docx"))


@pytest.mark.parametrize(
    "title",
    [
        None,
        "",
        "Microsoft Word 文档",
        "无标题",
        "PowerPoint 演示文稿",
        "方案",
        "工作方案.doc",
        "新建 Microsoft Word 文档",
        "123",
        "Untitled 1",
    ],
)
def test_what_is_no_title(title: str | None) -> None:
    assert plausible_title(title, "a/方案.docx") is None


@pytest.mark.parametrize("title", ["关于加装电梯的通知", "新建小学工作方案", "Annual work report"])
def test_what_is_a_title(title: str) -> None:
    assert plausible_title(f" {title} ", "a.docx") == title
