"""The words of the document viewer in simplified and traditional Chinese and in English; see `ui.texts`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ui.texts import Language


@dataclass(frozen=True, slots=True)
class ViewerTexts:
    """Every text of the viewer in one language; plain text with places in braces."""

    back: str
    loading: str
    offline: str
    retry: str
    original: str
    original_page: str
    script: str
    script_original: str
    script_simplified: str
    script_traditional: str
    pages: str
    undated: str
    gone: str
    no_original: str
    failed: str
    changed: str
    converted: str
    earlier: str
    later: str


_ZH_HANS: Final = ViewerTexts(
    back="返回",
    loading="正在打开文件……",
    offline="连不上服务，没能打开文件。",
    retry="重试",
    original="打开原件",
    original_page="打开原件（第 {page} 页）",
    script="文字",
    script_original="原文",
    script_simplified="简体",
    script_traditional="繁體",
    pages="共 {count} 页",
    undated="未注明日期",
    gone="这份文件已不在文件库中。",
    no_original="这份文件的原件没有保留。",
    failed="文件没能打开：{reason}",
    changed="这份文件在回答之后已经更新，所引的句子可能已改动，因此没有标出。",
    converted="以下文字由原文转换而来，引用时请以原文为准。",
    earlier="显示前面的内容",
    later="显示后面的内容",
)


_ZH_HANT: Final = ViewerTexts(
    back="返回",
    loading="正在開啟文件……",
    offline="連不上服務，沒能開啟文件。",
    retry="重試",
    original="開啟原件",
    original_page="開啟原件（第 {page} 頁）",
    script="文字",
    script_original="原文",
    script_simplified="简体",
    script_traditional="繁體",
    pages="共 {count} 頁",
    undated="未註明日期",
    gone="這份文件已不在文件庫中。",
    no_original="這份文件的原件沒有保留。",
    failed="文件沒能開啟：{reason}",
    changed="這份文件在回答之後已經更新，所引的句子可能已改動，因此沒有標出。",
    converted="以下文字由原文轉換而來，引用時請以原文為準。",
    earlier="顯示前面的內容",
    later="顯示後面的內容",
)


_EN: Final = ViewerTexts(
    back="Back",
    loading="Opening the document …",
    offline="The service cannot be reached; the document was not opened.",
    retry="Try again",
    original="Open the original file",
    original_page="Open the original file (page {page})",
    script="Script",
    script_original="Original",
    script_simplified="简体",
    script_traditional="繁體",
    pages="Pages: {count}",
    undated="undated",
    gone="This document is no longer in the library.",
    no_original="The original file of this document was not kept.",
    failed="The document could not be opened: {reason}",
    changed="This document has been updated since the answer; the cited sentence may have changed and is not marked.",
    converted="Converted from the original script; quote from the original.",
    earlier="Show what comes before",
    later="Show what comes after",
)

VIEWER_TEXTS: Final[Mapping[Language, ViewerTexts]] = {
    "zh-Hans": _ZH_HANS,
    "zh-Hant": _ZH_HANT,
    "en": _EN,
}
