"""What is wrong with a damaged file, in Chinese, by what the readers say of it in English."""

from __future__ import annotations

from typing import Final

DETAILS_ZH: Final[dict[str, str]] = {
    "a part of the picture is missing": "图片缺少一部分",
    "it cannot be opened as a PDF": "无法作为 PDF 打开",
    "it cannot be unpacked": "无法解压",
    "it has no mail headers": "缺少邮件头",
    "it has no pages": "没有页面",
    "it holds no web page": "其中没有网页",
    "it is no complete ZIP package": "不是完整的 ZIP 包",
    "it is no picture of a known kind": "不是已知格式的图片",
    "it is no readable MIME message": "不是可读的 MIME 邮件",
    "its HTML cannot be read": "其中的 HTML 无法读取",
    "its Markdown cannot be read": "其中的 Markdown 无法读取",
    "its OLE container cannot be read": "OLE 容器无法读取",
    "its OLE directory cannot be read": "OLE 目录无法读取",
    "its body cannot be read": "正文无法读取",
    "its chapters are missing": "缺少章节",
    "its chapters cannot be read": "章节无法读取",
    "its directory of files cannot be read": "文件目录无法读取",
    "its index cannot be read": "索引无法读取",
    "its index is missing": "缺少索引",
    "its main part is missing": "缺少主要部分",
    "its package is empty": "文件包是空的",
    "its parts are nested too deep": "嵌套层数过多",
    "its sheets cannot be made out": "工作表无法辨认",
    "its slides cannot be made out": "幻灯片无法辨认",
    "its structure cannot be followed": "结构无法解析",
    "its text cannot be made out": "文字无法辨认",
    "its text is missing": "缺少文字",
    "none of its pages can be opened": "没有一页能打开",
    "one of its sheets is missing": "缺少一张工作表",
    "the picture cannot be decoded": "图片无法解码",
    "the picture of a page could not be read": "某一页的图片无法读取",
}
"""Details that are no fixed words (a part's name, a system's message) are told as they are."""
