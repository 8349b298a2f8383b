"""What is told about files, in English and Chinese: why one was not taken in, and what to know of one that was.

Written for a clerk, not for a programmer: what is wrong, with which file, and what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ingest.details import DETAILS_ZH
from rag import errors
from rag.types import Change, Note

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class _Fault:
    kind: type[errors.SourceError]
    english: tuple[str, str]
    chinese: tuple[str, str]


FAULTS: dict[str, _Fault] = {
    "missing": _Fault(
        errors.SourceNotFound,
        ("{name} does not exist.", "Check the path."),
        ("“{name}”不存在。", "请检查路径。"),
    ),
    "folder": _Fault(
        errors.SourceNotFound,
        ("{name} is a folder.", "Name a file in it."),
        ("“{name}”是文件夹。", "请指定其中的文件。"),
    ),
    "no_file": _Fault(
        errors.SourceNotFound,
        ("{name} is no plain file.", "Name a file."),
        ("“{name}”不是普通文件。", "请指定文件。"),
    ),
    "no_access": _Fault(
        errors.SourceNotFound,
        ("{name} cannot be read: {detail}.", "Check that you may read it, then try again."),
        ("无法读取“{name}”：{detail}。", "请确认有读取权限后重试。"),
    ),
    "too_large": _Fault(
        errors.SourceTooLarge,
        (
            "{name} is {size} MB, over the limit of {limit} MB.",
            "Split it, or raise the limit with WENZHENG_MAX_FILE_MB.",
        ),
        ("“{name}”有{size} MB，超过{limit} MB的上限。", "请拆分文件，或调高 WENZHENG_MAX_FILE_MB。"),
    ),
    "fetch_address": _Fault(
        errors.SourceUnsafe,
        (
            "{name} is no address that can be fetched.",
            "Give a whole one that begins with http:// or https://.",
        ),
        ("“{name}”不是可以抓取的网址。", "请填写以 http:// 或 https:// 开头的完整网址。"),
    ),
    "fetch_forbidden": _Fault(
        errors.SourceUnsafe,
        (
            "{name} was not fetched: {host} is not among the allowed sites.",
            "An administrator can allow it with WENZHENG_FETCH_ALLOW.",
        ),
        ("没有抓取“{name}”：{host} 不在允许的网站之列。", "管理员可用 WENZHENG_FETCH_ALLOW 允许。"),
    ),
    "fetch_inner": _Fault(
        errors.SourceUnsafe,
        (
            "{name} was not fetched: {host} leads to an inner address.",
            "Save the page there and add the file.",
        ),
        ("没有抓取“{name}”：{host} 指向内部地址。", "请在该处保存页面后上传文件。"),
    ),
    "fetch_unreachable": _Fault(
        errors.SourceNotFound,
        ("{name} cannot be reached ({detail}).", "Check the address and the network, then try again."),
        ("无法访问“{name}”（{detail}）。", "请检查网址和网络后重试。"),
    ),
    "fetch_slow": _Fault(
        errors.SourceTooSlow,
        ("{name} took too long.", "Try again later, or save it and add the file."),
        ("“{name}”响应太慢。", "请稍后重试，或保存后上传文件。"),
    ),
    "fetch_status": _Fault(
        errors.SourceNotFound,
        ("{name} was refused by its server (status {status}).", "Open it in a browser to see why."),
        ("“{name}”被对方服务器拒绝（状态码 {status}）。", "请在浏览器中打开查看原因。"),
    ),
    "fetch_redirects": _Fault(
        errors.SourceUnsafe,
        ("{name} leads on more than {limit} times.", "Give the address at which it ends."),
        ("“{name}”跳转超过 {limit} 次。", "请填写最终的网址。"),
    ),
    "changed": _Fault(
        errors.SourceChanged,
        ("{name} was being changed while it was read.", "Add it again when it is complete."),
        ("“{name}”在读取时还在被修改。", "请等它写完后重新添加。"),
    ),
    "unsupported": _Fault(
        errors.SourceUnsupported,
        ("{name} is of a kind that is not read ({detail}).", "Save it as one of: {kinds}."),
        ("“{name}”的格式（{detail}）不能读取。", "请另存为以下格式之一：{kinds}。"),
    ),
    "not_its_kind": _Fault(
        errors.SourceUnsupported,
        ("{name} is not what its name says: {detail}.", "Give it the right ending, or save it again."),
        ("“{name}”的内容与扩展名不符：{detail}。", "请改正扩展名，或重新保存。"),
    ),
    "empty": _Fault(
        errors.SourceEmpty,
        ("{name} is empty.", "Remove it, or put its text in."),
        ("“{name}”是空文件。", "请删除，或补上内容。"),
    ),
    "no_text": _Fault(
        errors.SourceEmpty,
        ("{name} holds no text.", "Remove it, or put its text in."),
        ("“{name}”里没有文字。", "请删除，或补上内容。"),
    ),
    "undecodable": _Fault(
        errors.SourceUndecodable,
        (
            "The character encoding of {name} cannot be established.",
            "Save it as UTF-8 with the program that made it and add it again.",
        ),
        ("无法识别“{name}”的文字编码。", "请用原来的软件另存为 UTF-8 后重新添加。"),
    ),
    "broken_encoding": _Fault(
        errors.SourceUndecodable,
        (
            "{name} begins as {encoding} but byte {place} does not fit it.",
            "The file is damaged or was joined from several; save it again as UTF-8.",
        ),
        (
            "“{name}”开头是 {encoding} 编码，但第{place}个字节与之不符。",
            "文件已损坏或由多个文件拼接而成，请重新另存为 UTF-8。",
        ),
    ),
    "binary": _Fault(
        errors.SourceUnsupported,
        (
            "{name} is named as a text but holds binary data.",
            "Give it its right extension, or save it as text.",
        ),
        ("“{name}”的扩展名是文本，内容却是二进制数据。", "请改正扩展名，或另存为文本。"),
    ),
    "other_kind": _Fault(
        errors.SourceUnsupported,
        ("{name} is named as a text but is {kind}.", "Give it its right extension, or save it as text."),
        ("“{name}”的扩展名是文本，内容却是别的格式（{kind}）。", "请改正扩展名，或另存为文本。"),
    ),
    "encrypted": _Fault(
        errors.SourceEncrypted,
        ("{name} is protected by a password.", "Save it without the password and add it again."),
        ("“{name}”有密码保护。", "请去掉密码另存后重新添加。"),
    ),
    "damaged": _Fault(
        errors.SourceDamaged,
        ("{name} is damaged or incomplete: {detail}.", "Open it in its own program and save it again."),
        ("“{name}”已损坏或不完整：{detail}。", "请用原来的软件打开并重新保存。"),
    ),
    "macros": _Fault(
        errors.SourceUnsafe,
        (
            "{name} contains macros and was not opened.",
            "Save it without macros (as .docx, .xlsx or .pptx) and add it again.",
        ),
        (
            "“{name}”含有宏，没有打开。",
            "请另存为不含宏的格式（.docx、.xlsx 或 .pptx）后重新添加。",
        ),
    ),
    "entities": _Fault(
        errors.SourceUnsafe,
        (
            "{name} declares XML entities, as files made to exhaust a machine do.",
            "Save it again with an office program, if you trust its origin.",
        ),
        ("“{name}”声明了 XML 实体，可能是恶意文件。", "如果来源可信，请用办公软件重新保存。"),
    ),
    "bomb": _Fault(
        errors.SourceUnsafe,
        (
            "{name} unpacks to far more than it holds ({detail}), as files made to exhaust a machine do.",
            "If you trust its origin, unpack it and add the files.",
        ),
        ("“{name}”解压后大得反常（{detail}），可能是恶意文件。", "如果来源可信，请先解压再添加其中的文件。"),
    ),
    "too_many_files": _Fault(
        errors.SourceTooLarge,
        (
            "{name} holds {count} files, over the limit of {limit}.",
            "Unpack it, or raise WENZHENG_MAX_ARCHIVE_FILES.",
        ),
        ("“{name}”含{count}个文件，超过{limit}个的上限。", "请先解压，或调高 WENZHENG_MAX_ARCHIVE_FILES。"),
    ),
    "archive_too_large": _Fault(
        errors.SourceTooLarge,
        (
            "{name} unpacks to more than {limit} MB.",
            "Unpack it, or raise WENZHENG_MAX_ARCHIVE_MB.",
        ),
        ("“{name}”解压后超过{limit} MB。", "请先解压，或调高 WENZHENG_MAX_ARCHIVE_MB。"),
    ),
    "too_deep": _Fault(
        errors.SourceUnsafe,
        (
            "{name} is an archive inside archives, more than {limit} deep.",
            "Unpack it and add the files.",
        ),
        ("“{name}”压缩包嵌套超过{limit}层。", "请先解压再添加其中的文件。"),
    ),
    "traversal": _Fault(
        errors.SourceUnsafe,
        (
            "{name} has a path that leads out of its archive.",
            "Unpack the archive with care, or ask its sender for a clean one.",
        ),
        ("“{name}”的路径指向压缩包之外。", "请谨慎解压，或请发送方重新打包。"),
    ),
    "link": _Fault(
        errors.SourceUnsafe,
        ("{name} is a link that leads elsewhere.", "Add the file itself."),
        ("“{name}”是指向别处的链接。", "请直接添加文件本身。"),
    ),
    "too_many_pages": _Fault(
        errors.SourceTooLarge,
        (
            "{name} has {count} pages, over the limit of {limit}.",
            "Split it, or raise WENZHENG_MAX_PAGES.",
        ),
        ("“{name}”有{count}页，超过{limit}页的上限。", "请拆分文件，或调高 WENZHENG_MAX_PAGES。"),
    ),
    "too_many_pixels": _Fault(
        errors.SourceTooLarge,
        (
            "{name} is {detail} pixels, over the limit of {limit} million.",
            "Save it smaller, or raise WENZHENG_MAX_IMAGE_PIXELS.",
        ),
        (
            "“{name}”有{detail}像素，超过{limit}百万的上限。",
            "请缩小后重新保存，或调高 WENZHENG_MAX_IMAGE_PIXELS。",
        ),
    ),
    "too_much_text": _Fault(
        errors.SourceTooLarge,
        (
            "{name} holds more than {limit} {detail}.",
            "Split it into several files.",
        ),
        ("“{name}”超过{limit}{detail}。", "请拆分成几个文件。"),
    ),
    "too_slow": _Fault(
        errors.SourceTooSlow,
        (
            "{name} took longer than {limit} seconds without getting on, and was given up.",
            "Open it in its own program and save it again, or raise WENZHENG_PARSE_STALL_SECONDS.",
        ),
        (
            "读取“{name}”超过{limit}秒没有进展，已放弃。",
            "请用原来的软件重新保存，或调高 WENZHENG_PARSE_STALL_SECONDS。",
        ),
    ),
    "too_long": _Fault(
        errors.SourceTooSlow,
        (
            "{name} took longer than {limit} seconds in all, and was given up.",
            "Split it, or raise WENZHENG_PARSE_TOTAL_SECONDS.",
        ),
        ("读取“{name}”总共超过{limit}秒，已放弃。", "请拆分文件，或调高 WENZHENG_PARSE_TOTAL_SECONDS。"),
    ),
    "too_much_memory": _Fault(
        errors.SourceTooLarge,
        (
            "{name} needs more than {limit} MB of memory to be read.",
            "Split it, or raise WENZHENG_PARSE_MEMORY_MB.",
        ),
        ("读取“{name}”需要超过{limit} MB的内存。", "请拆分文件，或调高 WENZHENG_PARSE_MEMORY_MB。"),
    ),
    "crashed": _Fault(
        errors.SourceDamaged,
        (
            "{name} made its reader end unexpectedly ({detail}).",
            "Open it in its own program and save it again.",
        ),
        ("读取“{name}”时程序意外退出（{detail}）。", "请用原来的软件打开并重新保存。"),
    ),
    "needs_libreoffice": _Fault(
        errors.SourceUnsupported,
        (
            "{name} is in an old format ({detail}) that is read through LibreOffice, which is not installed here.",
            "Install LibreOffice, or save the file as {kinds}.",
        ),
        (
            "“{name}”是旧格式（{detail}），需要通过 LibreOffice 读取，而本机没有安装。",
            "请安装 LibreOffice，或另存为{kinds}。",
        ),
    ),
    "libreoffice_failed": _Fault(
        errors.SourceDamaged,
        (
            "LibreOffice could not read {name}: {detail}.",
            "Open it in its own program and save it as {kinds}.",
        ),
        ("LibreOffice 无法读取“{name}”：{detail}。", "请用原来的软件打开并另存为{kinds}。"),
    ),
    "no_ocr": _Fault(
        errors.SourceEmpty,
        (
            "{name} is a picture of text, and reading pictures is switched off.",
            "Set WENZHENG_OCR=true, or add a version with text.",
        ),
        ("“{name}”是图片，而文字识别已关闭。", "请设置 WENZHENG_OCR=true，或添加文字版。"),
    ),
    "unreadable": _Fault(
        errors.SourceEmpty,
        (
            "No page of {name} can be read: its text is stored in a form without meaning.",
            "Save or scan it again.",
        ),
        ("“{name}”没有一页能读出文字：其文字以无意义的编码保存。", "请重新导出或扫描。"),
    ),
}
NOTES: dict[str, tuple[str, str]] = {
    "ocr": ("read from the picture of the page: {detail}", "由图像识别文字的页：{detail}"),
    "unreadable_pages": ("pages that could not be read: {detail}", "无法读取的页：{detail}"),
    "ocr_limit": (
        "pages beyond the limit for pictures, left out: {detail}",
        "超过图像识别页数上限而略去的页：{detail}",
    ),
    "hidden_text": ("hidden text left out: {detail}", "略去的隐藏文字：{detail}"),
    "whole_page": ("no article was found; the whole page was taken", "未找到正文，已取整页文字"),
    "truncated": ("the end is missing from the file: {detail}", "文件末尾缺失：{detail}"),
    "pictures": ("pictures without text, left out: {detail}", "略去的无文字图片：{detail}"),
    "formulas": (
        "cells whose formula has no stored result, left out: {detail}",
        "略去的无结果公式单元格：{detail}",
    ),
}


CHANGES: dict[str, tuple[str, str]] = {
    "line-breaks": ("line breaks", "换行符"),
    "unicode": ("text in the wrong encoding repaired", "修复编码错误"),
    "control-characters": ("control characters", "控制字符"),
    "invisible-characters": ("invisible characters", "不可见字符"),
    "mojibake-repaired": ("garbled places repaired", "修复乱码"),
    "mojibake-unrepaired": ("garbled places marked \ufffd", "无法修复的乱码（以 \ufffd 标出）"),
    "pinyin": ("pinyin annotations", "拼音注音"),
    "full-width": ("full-width letters and digits", "全角字母数字"),
    "han-spaces": ("spaces between characters", "汉字间空格"),
    "blank-lines": ("blank lines", "空行"),
    "page-furniture": ("page headers, footers and numbers", "页眉页脚页码"),
    "hyphenation": ("hyphenation", "行末断词"),
    "navigation": ("navigation of the page", "网页导航"),
}
"""What cleaning changed, by kind."""


def change_text(change: Change, language: Language) -> str:
    """A kind of change with how often it was made."""
    english, chinese = CHANGES.get(change.kind, (change.kind, change.kind))
    return f"{chinese} {change.count} 处" if language == "zh" else f"{english}: {change.count}"


def fault(key: str, name: str, **values: object) -> errors.SourceError:
    """The error to raise for a file: ``key`` of `FAULTS`, the file's name, and the values that its sentences take.

    :raises KeyError: when the key or a value is unknown: a slip in the calling code
    """
    entry = FAULTS[key]
    filled = {"name": shown_name(name), **values}
    what, fix = (part.format(**filled) for part in entry.english)
    detail = filled.get("detail", "")
    filled_zh = filled | {"detail": DETAILS_ZH.get(str(detail), detail)}
    chinese = "".join(part.format(**filled_zh) for part in entry.chinese)
    return entry.kind(what, fix, chinese=chinese)


def note_text(note: Note, language: Language) -> str:
    """A note as a sentence fragment."""
    english, chinese = NOTES[note.key]
    return (chinese if language == "zh" else english).format(detail=note.detail)


def shown_name(name: str) -> str:
    """A file name fit to be shown: what is no Unicode is replaced."""
    return name.encode("utf-8", "replace").decode("utf-8")
