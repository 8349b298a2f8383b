from __future__ import annotations

import base64
import random
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from ingest.loading.archive import Member
from ingest.loading.blocks import Limits, Parsed, Task
from ingest.loading.mail import load, members
from rag.errors import SourceEmpty, SourceEncrypted, SourceError, SourceTooLarge

TEXT = "各街道：\n\n请于4月30日前报送电梯加装台账，共计128台。\n> 原邮件：请报送台账。\n"


def letter(body: str = TEXT, subject: str = "关于报送台账的函") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "周岚 <zhoulan@example.invalid>"
    message["To"] = "taizhang@example.invalid"
    message["Date"] = "Wed, 08 Apr 2026 23:30:00 +0800"
    message.set_content(body)
    return message


def read(data: bytes) -> Parsed:
    return load(Task(data, "来函.eml"))


def attached(data: bytes, **limits: int) -> list[Member]:
    return list(members(data, "来函.eml", Limits(**limits)))


def test_a_letter_has_its_subject_its_line_and_its_body() -> None:
    parsed = read(letter().as_bytes())
    assert [(block.kind, block.text) for block in parsed.blocks] == [
        ("heading", "关于报送台账的函"),
        (
            "paragraph",
            "发件人：周岚 <zhoulan@example.invalid>  收件人：taizhang@example.invalid  日期：Wed, 08 Apr 2026 23:30:00 +0800",
        ),
        ("paragraph", "各街道："),
        ("paragraph", "请于4月30日前报送电梯加装台账，共计128台。"),
        ("paragraph", "> 原邮件：请报送台账。"),
    ]
    assert (parsed.title, parsed.published) == ("关于报送台账的函", "2026-04-08")


def test_english_letters_have_english_labels_and_whole_paragraphs() -> None:
    body = (
        "The district will open three new parks before the end of the year and\n"
        "residents may send their comments until May 6.\n\nRegards,\nOffice\n"
    )
    message = EmailMessage()
    message["Subject"], message["From"] = "New parks", "Office <office@example.invalid>"
    message.set_content(body)
    assert [block.text for block in read(message.as_bytes()).blocks] == [
        "New parks",
        "From: Office <office@example.invalid>",
        "The district will open three new parks before the end of the year and residents may send their comments"
        " until May 6.",
        "Regards,",
        "Office",
    ]


@pytest.mark.parametrize("charset", ["gb2312", "gbk", "utf-8", "big5"])
@pytest.mark.parametrize("cut", [0, 5])
def test_encoded_subjects_are_decoded_even_when_cut_in_a_character(charset: str, cut: int) -> None:
    raw = "台北工作函".encode(charset)
    parts = [raw[:cut], raw[cut:]] if cut else [raw]
    words = "\r\n ".join(f"=?{charset}?B?{base64.b64encode(part).decode()}?=" for part in parts)
    assert read(f"Subject: {words}\r\nFrom: a@b.invalid\r\n\r\nx\r\n".encode()).title == "台北工作函"


def test_a_subject_in_bare_bytes_is_decoded() -> None:
    data = "Subject: 关于开展防汛检查工作的通知\r\nFrom: a@b.invalid\r\n\r\nok\r\n".encode("gb18030")
    assert read(data).title == "关于开展防汛检查工作的通知"


def test_the_body_in_gbk_is_decoded() -> None:
    message = MIMEText("请于四月三十日前报送电梯加装台账。", "plain", "gbk")
    message["Subject"] = "x"
    assert read(message.as_bytes()).blocks[-1].text == "请于四月三十日前报送电梯加装台账。"


def test_plain_text_is_preferred_and_html_read_whole() -> None:
    message = letter()
    message.add_alternative("<p>HTML里的另一种写法</p>", subtype="html")
    assert "另一种" not in "".join(block.text for block in read(message.as_bytes()).blocks)
    only = MIMEText(
        '<html><body><div class="nav"><a href="x">网址</a></div><p>短</p><p style="display:none">暗语</p>'
        "<table><tr><th>姓名</th><th>电话</th></tr><tr><td>周岚</td><td>0600</td></tr></table></body></html>",
        "html",
        "utf-8",
    )
    only["Subject"] = "x"
    parsed = read(only.as_bytes())
    assert [block.text for block in parsed.blocks] == ["x", "网址", "短", "姓名：周岚；电话：0600"]
    assert [note.key for note in parsed.notes] == ["hidden_text"]


def test_attachments_come_with_their_names() -> None:
    message = letter()
    message.add_attachment(b"one", maintype="application", subtype="pdf", filename="附件1：台账 样式.pdf")
    message.add_attachment("文字", filename="../../说明.txt")
    message.add_attachment(b"one", maintype="application", subtype="pdf", filename="附件1：台账 样式.pdf")
    found = attached(message.as_bytes())
    assert [member.name for member in found] == [
        "附件1：台账 样式.pdf",
        "说明.txt",
        "附件1：台账 样式 (2).pdf",
    ]
    assert found[0].data == b"one"
    assert found[1].data.decode().strip() == "文字"
    assert "文字" not in "".join(block.text for block in read(message.as_bytes()).blocks)


def test_names_of_old_mailers_are_decoded() -> None:
    outer = MIMEMultipart()
    outer["Subject"] = "x"
    part = MIMEApplication(b"data", "octet-stream")
    word = f"=?gb2312?B?{base64.b64encode('预算表.xls'.encode('gb2312')).decode()}?="
    part["Content-Disposition"] = f'attachment; filename="{word}"'
    outer.attach(part)
    assert [(member.name, member.data) for member in attached(outer.as_bytes())] == [("预算表.xls", b"data")]


def test_inline_pictures_and_signatures_are_skipped() -> None:
    message = letter()
    message.add_related(b"\x89PNG", maintype="image", subtype="png", cid="<logo>", filename="logo.png")
    message.add_attachment(b"sig", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    assert attached(message.as_bytes()) == []


def test_attached_messages_are_files_of_their_own() -> None:
    message = letter()
    message.add_attachment(letter("内层正文", "转发：防汛"))
    (found,) = attached(message.as_bytes())
    assert found.name == "转发：防汛.eml"
    assert read(found.data).title == "转发：防汛"
    assert "内层正文" not in "".join(block.text for block in read(message.as_bytes()).blocks)


def test_limits_on_attachments() -> None:
    message = letter()
    for i in range(4):
        message.add_attachment(bytes(2 * 2**20), maintype="application", subtype="zip", filename=f"{i}.zip")
    data = message.as_bytes()
    assert [type(member.error) for member in attached(data, file_mb=1)] == [SourceTooLarge] * 4
    assert isinstance(attached(data, archive_files=2)[-1].error, SourceTooLarge)
    assert isinstance(attached(data, archive_mb=3)[-1].error, SourceTooLarge)


def test_encrypted_letters_are_told() -> None:
    data = b"Subject: x\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nAAAA\r\n"
    with pytest.raises(SourceEncrypted):
        read(data)


def test_a_broken_date_is_no_date() -> None:
    assert read(b"Subject: x\r\nDate: sometime\r\n\r\nbody\r\n").published is None


@pytest.mark.parametrize("data", [b"", b"no headers at all", b"\x00\x01\x02"])
def test_what_is_no_letter_is_a_source_error(data: bytes) -> None:
    with pytest.raises(SourceError):
        read(data)


def test_a_letter_without_words_is_empty() -> None:
    with pytest.raises(SourceEmpty):
        read(b"From: a@b.invalid\r\n\r\n\r\n")


@pytest.mark.parametrize("kind", ["multipart/mixed", "message/rfc822"])
def test_deep_nesting_does_not_exhaust_it(kind: str) -> None:
    if kind == "message/rfc822":
        nested = b"Content-Type: message/rfc822\r\n\r\n" * 50_000
    else:
        nested = b"".join(
            b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i) for i in range(50_000)
        )
    with pytest.raises(SourceError):
        read(b"From: a@b.invalid\r\nMIME-Version: 1.0\r\n" + nested)


@pytest.mark.parametrize("seed", range(20))
def test_damage_ends_in_a_text_or_a_source_error(seed: int) -> None:
    chance = random.Random(seed)
    message = letter()
    message.add_alternative("<p>另一种写法</p>", subtype="html")
    message.add_attachment(b"one", maintype="application", subtype="pdf", filename="附件.pdf")
    data = bytearray(message.as_bytes())
    for _ in range(chance.choice((1, 20, 200))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    damaged = bytes(data[: chance.randrange(len(data))]) if seed % 3 == 0 else bytes(data)
    for action in (read, attached):
        try:
            action(damaged)
        except SourceError:
            continue
