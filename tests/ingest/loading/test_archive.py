from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib

import pytest

from ingest.loading.archive import Member, is_archive, members
from ingest.loading.blocks import Limits
from rag.errors import (
    SourceDamaged,
    SourceEncrypted,
    SourceError,
    SourceTooLarge,
    SourceUnsafe,
)


def packed(files: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as package:
        for name, data in files.items():
            package.writestr(name, data)
    return buffer.getvalue()


def raw_zip(
    entries: list[tuple[bytes, bytes]], *, flags: int = 0, extra: bytes = b"", mode: int = 0
) -> bytes:
    """An archive as other packers write it: names in any bytes, flags and extra fields as wished."""
    out, directory = b"", b""
    for name, data in entries:
        checksum = zlib.crc32(data)
        common = struct.pack(
            "<HHHHHLLLHH", 20, flags, 0, 0, 0x21, checksum, len(data), len(data), len(name), len(extra)
        )
        directory += (
            b"PK\x01\x02"
            + struct.pack("<BB", 20, 3 if mode else 0)
            + common
            + struct.pack("<HHHLL", 0, 0, 0, mode << 16, len(out))
            + name
            + extra
        )
        out += b"PK\x03\x04" + common + name + extra + data
    end = b"PK\x05\x06" + struct.pack(
        "<HHHHLLH", 0, 0, len(entries), len(entries), len(directory), len(out), 0
    )
    return out + directory + end


def read(data: bytes, **limits: int) -> list[Member]:
    return list(members(data, "材料.zip", Limits(**limits)))


def test_files_come_in_order_with_their_bytes() -> None:
    found = read(packed({"通知/【教育】招生 公告😀.txt": b"one", "Ｂ．md": b"two"}))
    assert [(member.name, member.data) for member in found] == [
        ("通知/【教育】招生 公告😀.txt", b"one"),
        ("Ｂ．md", b"two"),
    ]


def test_litter_and_folders_are_skipped() -> None:
    names = [
        "a/",
        "__MACOSX/a/._b.txt",
        "a/.DS_Store",
        "Thumbs.db",
        "a/desktop.ini",
        ".git/config",
        "a/b.txt",
    ]
    assert [member.name for member in read(packed(dict.fromkeys(names, b"x")))] == ["a/b.txt"]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_names_without_a_flag_are_decoded_over_all_of_them(encoding: str) -> None:
    names = ["关于开展防汛工作的通知.txt", "2026年财政预算/说明.docx", "附件1：申请表（样式）.xlsx", "罕.txt"]
    found = read(raw_zip([(name.encode(encoding), b"x") for name in names]))
    assert [member.name for member in found] == names


def test_names_in_big5_are_decoded() -> None:
    names = ["關於調整長者食堂補助標準的通知.txt", "會議紀錄與決議事項.docx"]
    assert [m.name for m in read(raw_zip([(name.encode("big5"), b"x") for name in names]))] == names


def test_the_unicode_path_field_wins_over_the_name_it_was_made_for() -> None:
    name, wanted = b"tongzhi.txt", "通知.txt"
    field = b"\x01" + struct.pack("<L", zlib.crc32(name)) + wanted.encode()
    extra = struct.pack("<HH", 0x7075, len(field)) + field
    assert [m.name for m in read(raw_zip([(name, b"x")], extra=extra))] == [wanted]
    assert [m.name for m in read(raw_zip([(b"renamed.txt", b"x")], extra=extra))] == ["renamed.txt"]


def test_backslashes_of_windows_are_folders() -> None:
    assert [m.name for m in read(raw_zip([(b"plans\\2026\\a.txt", b"x")]))] == ["plans/2026/a.txt"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "C:\\Windows\\a.txt", "a/../../b.txt", "..\\b.txt"]
)
def test_a_way_out_is_refused_and_the_others_go_on(name: str) -> None:
    found = read(raw_zip([(name.encode(), b"x"), (b"good.txt", b"y")]))
    assert isinstance(found[0].error, SourceUnsafe)
    assert found[0].data == b""
    assert (found[1].name, found[1].data) == ("good.txt", b"y")


def test_links_are_refused() -> None:
    found = read(raw_zip([(b"link.txt", b"/etc/passwd")], mode=0o120777))
    assert isinstance(found[0].error, SourceUnsafe)


def test_encrypted_members_are_told_one_by_one() -> None:
    found = read(raw_zip([(b"a.txt", b"x" * 20), (b"b.txt", b"y" * 20)], flags=1))
    assert [type(member.error) for member in found] == [SourceEncrypted, SourceEncrypted]


def test_a_damaged_member_does_not_stop_the_others() -> None:
    data = bytearray(packed({"a.txt": b"first" * 40, "b.txt": b"second"}, compression=zipfile.ZIP_STORED))
    data[data.index(b"firstfirst") + 3] ^= 0xFF
    found = read(bytes(data))
    assert isinstance(found[0].error, SourceDamaged)
    assert found[1].data == b"second"


def test_archives_inside_are_walked() -> None:
    inner = packed({"目录/说明.txt": b"deep"})
    found = read(packed({"内层.zip": inner, "b.txt": b"x"}))
    assert [(member.name, member.data) for member in found] == [
        ("内层.zip/目录/说明.txt", b"deep"),
        ("b.txt", b"x"),
    ]


def test_office_files_are_members_and_no_archives() -> None:
    document = packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
    assert not is_archive(document)
    assert [member.name for member in read(packed({"计划.docx": document}))] == ["计划.docx"]


def test_depth_is_limited() -> None:
    data = packed({"a.txt": b"x"})
    for _ in range(5):
        data = packed({"inner.zip": data})
    found = read(data)
    assert len(found) == 1
    assert isinstance(found[0].error, SourceUnsafe)
    assert found[0].name == "inner.zip/inner.zip/inner.zip"


def test_a_bomb_is_stopped_before_it_unpacks() -> None:
    found = read(packed({"bomb.txt": bytes(60_000_000)}))
    assert isinstance(found[-1].error, SourceUnsafe)


def test_a_bomb_with_a_false_size_is_stopped() -> None:
    data = bytearray(packed({"bomb.txt": bytes(60_000_000)}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<L", 10)
    found = read(bytes(data))
    assert found[-1].error is not None


def test_a_bomb_of_archives_in_archives_is_counted_as_a_whole() -> None:
    leaf = packed({f"{i}.bin": bytes(9_000_000) for i in range(8)})
    data = packed({f"{i}.zip": leaf for i in range(8)}, compression=zipfile.ZIP_DEFLATED)
    unpacked = 0
    last = None
    for member in members(data, "材料.zip", Limits(archive_mb=64)):
        unpacked += len(member.data)
        last = member
    assert last is not None
    assert isinstance(last.error, (SourceUnsafe, SourceTooLarge))
    assert unpacked <= 64 * 2**20


def test_entries_over_each_other_are_refused() -> None:
    kernel = packed({"a.txt": bytes(1000)})
    directory = kernel[kernel.index(b"PK\x01\x02") : kernel.index(b"PK\x05\x06")]
    start = kernel.index(b"PK\x01\x02")
    many = directory * 100
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 100, 100, len(many), start, 0)
    with pytest.raises(SourceUnsafe):
        read(kernel[:start] + many + end)


def test_limits_on_number_and_size() -> None:
    with pytest.raises(SourceTooLarge):
        read(packed({f"{i}.txt": b"x" for i in range(20)}), archive_files=10)
    big = packed({"big.txt": random.Random(1).randbytes(3 * 2**20), "small.txt": b"x"})
    found = read(big, file_mb=2)
    assert isinstance(found[0].error, SourceTooLarge)
    assert found[1].data == b"x"
    assert isinstance(read(big, archive_mb=1)[-1].error, SourceTooLarge)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no archive", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_archive_is_a_source_error(data: bytes) -> None:
    with pytest.raises(SourceError):
        read(data)


@pytest.mark.parametrize("seed", range(20))
def test_damage_ends_in_members_or_a_source_error(seed: int) -> None:
    chance = random.Random(seed)
    inner = packed({"x.txt": b"inner text " * 50})
    data = bytearray(packed({"通知.txt": b"text " * 200, "inner.zip": inner, "b/c.txt": b"more"}))
    for _ in range(chance.choice((1, 5, 60))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    damaged = bytes(data[: chance.randrange(len(data))]) if seed % 4 == 0 else bytes(data)
    try:
        found = read(damaged)
    except SourceError:
        return
    assert all(isinstance(member, Member) for member in found)


def test_members_are_unpacked_one_at_a_time() -> None:
    walk = members(packed({"a.txt": b"1", "b.txt": b"2"}), "x.zip", Limits())
    assert next(walk).data == b"1"
