"""The words of the documents' page in simplified and traditional Chinese and in English; see `ui.texts`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ui.texts import Language


@dataclass(frozen=True, slots=True)
class DocumentTexts:
    """Every text of the documents' page in one language; plain text with places in braces."""

    tab_chat: str
    tab_documents: str
    tabs: str
    language: str
    title: str
    loading: str
    failed: str
    offline: str
    retry: str
    closed: str
    add_title: str
    add_drop: str
    add_choose: str
    add_hint: str
    add_collection: str
    add_collection_hint: str
    add_url: str
    add_url_button: str
    add_url_closed: str
    add_url_allowed: str
    uploading: str
    upload_failed: str
    upload_large: str
    upload_left: str
    exists: str
    exists_replace: str
    exists_both: str
    exists_skip: str
    exists_all: str
    queue_title: str
    queue_active: str
    queue_idle: str
    queue_clear: str
    queue_more: str
    state_fetching: str
    state_waiting: str
    state_reading: str
    state_indexing: str
    state_failed: str
    state_cancelled: str
    outcome_added: str
    outcome_updated: str
    outcome_renamed: str
    outcome_linked: str
    outcome_unchanged: str
    outcome_parts: str
    outcome_failed_parts: str
    facts_chunks: str
    facts_pages: str
    cancel: str
    dismiss: str
    list_search: str
    list_collection: str
    list_body: str
    list_all: str
    list_none_collection: str
    list_sort: str
    sort_added: str
    sort_published: str
    sort_title: str
    sort_size: str
    list_count: str
    list_found: str
    list_empty: str
    list_no_match: str
    list_more: str
    column_select: str
    column_title: str
    column_status: str
    column_published: str
    column_body: str
    column_collection: str
    column_pages: str
    column_chunks: str
    column_size: str
    status_ready: str
    status_notes: str
    select_all: str
    selected: str
    move: str
    move_done: str
    delete: str
    delete_ask: str
    delete_waits: str
    deleted: str
    detail_close: str
    detail_file: str
    detail_place: str
    detail_added: str
    detail_characters: str
    detail_kind: str
    detail_encoding: str
    detail_undated: str
    detail_open: str
    detail_original: str
    detail_replace: str
    detail_replace_kind: str
    detail_folder: str
    detail_changes: str
    detail_no_changes: str
    detail_before: str
    detail_after: str
    detail_removed: str
    detail_notes: str
    detail_copies: str
    detail_versions: str
    detail_replaced: str
    detail_download: str
    detail_restore: str
    detail_preview: str
    detail_gone: str
    save: str


_ZH_HANS: Final = DocumentTexts(
    tab_chat="问答",
    tab_documents="文件",
    tabs="页面",
    language="语言",
    title="文件库",
    loading="正在读取……",
    failed="读取失败：{reason}",
    offline="连不上服务。请稍后重试。",
    retry="重试",
    closed="这里不能管理文件。",
    add_title="添加文件",
    add_drop="把文件或文件夹拖到这里",
    add_choose="选择文件",
    add_hint="PDF、Word、WPS、Excel、幻灯片、网页、邮件、图片、文本和 ZIP，每个不超过 {limit} MB。",
    add_collection="放入文件集",
    add_collection_hint="可不填",
    add_url="从网址添加",
    add_url_button="抓取",
    add_url_closed="没有允许抓取的网站；管理员可用设置 fetch_allow 指定。",
    add_url_allowed="可抓取：{hosts}",
    uploading="正在上传 {percent}%",
    upload_failed="上传失败：{reason}",
    upload_large="文件超过 {limit} MB 的上限。请拆分后再上传。",
    upload_left="还有文件正在上传。",
    exists="“{name}”已在文件库中。",
    exists_replace="作为新版本",
    exists_both="两份都留",
    exists_skip="不上传",
    exists_all="其余同名文件也这样处理",
    queue_title="处理进度",
    queue_active="{count} 个文件待处理",
    queue_idle="没有正在处理的文件。",
    queue_clear="清除已结束的",
    queue_more="另有 {count} 个文件排在后面。",
    state_fetching="正在抓取",
    state_waiting="排队中",
    state_reading="正在读取",
    state_indexing="正在编入索引",
    state_failed="未能添加",
    state_cancelled="已取消",
    outcome_added="已添加",
    outcome_updated="已更新为新版本",
    outcome_renamed="已改名",
    outcome_linked="与“{same}”内容相同，未重复编入",
    outcome_unchanged="与现有版本相同",
    outcome_parts="{count} 份文件",
    outcome_failed_parts="其中 {count} 份失败：{reason}",
    facts_chunks="{count} 段",
    facts_pages="{count} 页",
    cancel="取消",
    dismiss="移除",
    list_search="搜索标题、部门或文件名",
    list_collection="文件集",
    list_body="部门",
    list_all="全部",
    list_none_collection="未归入",
    list_sort="排序",
    sort_added="最近添加",
    sort_published="发布日期",
    sort_title="标题",
    sort_size="大小",
    list_count="{count} 份文件",
    list_found="{count} 份符合",
    list_empty="文件库还是空的。把文件拖到上面，或点“选择文件”。",
    list_no_match="没有符合条件的文件。",
    list_more="再显示 {count} 份",
    column_select="选择",
    column_title="标题",
    column_status="状态",
    column_published="日期",
    column_body="部门",
    column_collection="文件集",
    column_pages="页",
    column_chunks="段",
    column_size="大小",
    status_ready="可查",
    status_notes="可查，有提示",
    select_all="全选本页",
    selected="已选 {count} 份",
    move="归入文件集",
    move_done="已归入。",
    delete="删除",
    delete_ask="从文件库删除这 {count} 份文件？它们的内容将不能再被查到，上传的原件和旧版本一并删除。此操作不能撤销。",
    delete_waits="正在删除……（会等当前一批文件处理完）",
    deleted="已删除 {count} 份。",
    detail_close="关闭",
    detail_file="文件名",
    detail_place="位置",
    detail_added="添加时间",
    detail_characters="字数",
    detail_kind="格式",
    detail_encoding="编码",
    detail_undated="未注明",
    detail_open="查看全文",
    detail_original="打开原件",
    detail_replace="上传新版本",
    detail_replace_kind="新版本须是同一种格式（{suffix}）。",
    detail_folder="这份文件来自文件夹；要更新它，请在原处修改后再次导入。",
    detail_changes="清理时的改动",
    detail_no_changes="没有改动。",
    detail_before="原文",
    detail_after="清理后",
    detail_removed="（删去）",
    detail_notes="提示",
    detail_copies="内容相同的文件",
    detail_versions="旧版本",
    detail_replaced="{date} 被替换",
    detail_download="下载",
    detail_restore="恢复为当前版本",
    detail_preview="正文开头",
    detail_gone="这份文件已不在文件库中。",
    save="保存",
)


_ZH_HANT: Final = DocumentTexts(
    tab_chat="問答",
    tab_documents="文件",
    tabs="頁面",
    language="語言",
    title="文件庫",
    loading="正在讀取……",
    failed="讀取失敗：{reason}",
    offline="連不上服務。請稍後重試。",
    retry="重試",
    closed="這裡不能管理文件。",
    add_title="新增文件",
    add_drop="把文件或資料夾拖到這裡",
    add_choose="選擇文件",
    add_hint="PDF、Word、WPS、Excel、簡報、網頁、郵件、圖片、文字檔和 ZIP，每個不超過 {limit} MB。",
    add_collection="放入文件集",
    add_collection_hint="可不填",
    add_url="從網址新增",
    add_url_button="擷取",
    add_url_closed="沒有允許擷取的網站；管理員可用設定 fetch_allow 指定。",
    add_url_allowed="可擷取：{hosts}",
    uploading="正在上傳 {percent}%",
    upload_failed="上傳失敗：{reason}",
    upload_large="文件超過 {limit} MB 的上限。請拆分後再上傳。",
    upload_left="還有文件正在上傳。",
    exists="「{name}」已在文件庫中。",
    exists_replace="作為新版本",
    exists_both="兩份都留",
    exists_skip="不上傳",
    exists_all="其餘同名文件也這樣處理",
    queue_title="處理進度",
    queue_active="{count} 個文件待處理",
    queue_idle="沒有正在處理的文件。",
    queue_clear="清除已結束的",
    queue_more="另有 {count} 個文件排在後面。",
    state_fetching="正在擷取",
    state_waiting="排隊中",
    state_reading="正在讀取",
    state_indexing="正在編入索引",
    state_failed="未能新增",
    state_cancelled="已取消",
    outcome_added="已新增",
    outcome_updated="已更新為新版本",
    outcome_renamed="已改名",
    outcome_linked="與「{same}」內容相同，未重複編入",
    outcome_unchanged="與現有版本相同",
    outcome_parts="{count} 份文件",
    outcome_failed_parts="其中 {count} 份失敗：{reason}",
    facts_chunks="{count} 段",
    facts_pages="{count} 頁",
    cancel="取消",
    dismiss="移除",
    list_search="搜尋標題、部門或檔名",
    list_collection="文件集",
    list_body="部門",
    list_all="全部",
    list_none_collection="未歸入",
    list_sort="排序",
    sort_added="最近新增",
    sort_published="發布日期",
    sort_title="標題",
    sort_size="大小",
    list_count="{count} 份文件",
    list_found="{count} 份符合",
    list_empty="文件庫還是空的。把文件拖到上面，或點「選擇文件」。",
    list_no_match="沒有符合條件的文件。",
    list_more="再顯示 {count} 份",
    column_select="選擇",
    column_title="標題",
    column_status="狀態",
    column_published="日期",
    column_body="部門",
    column_collection="文件集",
    column_pages="頁",
    column_chunks="段",
    column_size="大小",
    status_ready="可查",
    status_notes="可查，有提示",
    select_all="全選本頁",
    selected="已選 {count} 份",
    move="歸入文件集",
    move_done="已歸入。",
    delete="刪除",
    delete_ask="從文件庫刪除這 {count} 份文件？它們的內容將不能再被查到，上傳的原件和舊版本一併刪除。此操作不能復原。",
    delete_waits="正在刪除……（會等目前一批文件處理完）",
    deleted="已刪除 {count} 份。",
    detail_close="關閉",
    detail_file="檔名",
    detail_place="位置",
    detail_added="新增時間",
    detail_characters="字數",
    detail_kind="格式",
    detail_encoding="編碼",
    detail_undated="未註明",
    detail_open="查看全文",
    detail_original="開啟原件",
    detail_replace="上傳新版本",
    detail_replace_kind="新版本須是同一種格式（{suffix}）。",
    detail_folder="這份文件來自資料夾；要更新它，請在原處修改後再次匯入。",
    detail_changes="清理時的改動",
    detail_no_changes="沒有改動。",
    detail_before="原文",
    detail_after="清理後",
    detail_removed="（刪去）",
    detail_notes="提示",
    detail_copies="內容相同的文件",
    detail_versions="舊版本",
    detail_replaced="{date} 被取代",
    detail_download="下載",
    detail_restore="恢復為目前版本",
    detail_preview="正文開頭",
    detail_gone="這份文件已不在文件庫中。",
    save="儲存",
)


_EN: Final = DocumentTexts(
    tab_chat="Questions",
    tab_documents="Documents",
    tabs="Pages",
    language="Language",
    title="Library",
    loading="Loading …",
    failed="Could not be loaded: {reason}",
    offline="The service cannot be reached. Try again shortly.",
    retry="Try again",
    closed="Documents cannot be managed here.",
    add_title="Add documents",
    add_drop="Drop files or folders here",
    add_choose="Choose files",
    add_hint="PDF, Word, WPS, Excel, slides, web pages, mail, pictures, text and ZIP, at most {limit} MB each.",
    add_collection="Into collection",
    add_collection_hint="optional",
    add_url="Add from an address",
    add_url_button="Fetch",
    add_url_closed="No site may be fetched from; an administrator can name some with the setting fetch_allow.",
    add_url_allowed="May be fetched: {hosts}",
    uploading="Uploading, {percent} %",
    upload_failed="Not uploaded: {reason}",
    upload_large="The file is over the limit of {limit} MB. Split it, then add the parts.",
    upload_left="Files are still being uploaded.",
    exists="“{name}” is in the library already.",
    exists_replace="Add as a new version",
    exists_both="Keep both",
    exists_skip="Skip",
    exists_all="Do so for the others, too",
    queue_title="Progress",
    queue_active="{count} to go",
    queue_idle="Nothing is being processed.",
    queue_clear="Clear what is finished",
    queue_more="{count} more are waiting.",
    state_fetching="Fetching",
    state_waiting="Waiting",
    state_reading="Reading",
    state_indexing="Indexing",
    state_failed="Failed",
    state_cancelled="Cancelled",
    outcome_added="Added",
    outcome_updated="Updated to a new version",
    outcome_renamed="Renamed",
    outcome_linked="Same content as “{same}”, not indexed twice",
    outcome_unchanged="Same as the version that is there",
    outcome_parts="documents: {count}",
    outcome_failed_parts="{count} of them failed: {reason}",
    facts_chunks="passages: {count}",
    facts_pages="pages: {count}",
    cancel="Cancel",
    dismiss="Dismiss",
    list_search="Search title, body or file name",
    list_collection="Collection",
    list_body="Body",
    list_all="All",
    list_none_collection="In none",
    list_sort="Sort by",
    sort_added="Newest added",
    sort_published="Date of publication",
    sort_title="Title",
    sort_size="Size",
    list_count="{count} documents",
    list_found="{count} match",
    list_empty="The library is empty. Drop files above, or choose some.",
    list_no_match="No document matches.",
    list_more="Show {count} more",
    column_select="Select",
    column_title="Title",
    column_status="Status",
    column_published="Date",
    column_body="Body",
    column_collection="Collection",
    column_pages="Pages",
    column_chunks="Passages",
    column_size="Size",
    status_ready="Ready",
    status_notes="Ready, with notes",
    select_all="Select all shown",
    selected="{count} selected",
    move="Move to collection",
    move_done="Moved.",
    delete="Delete",
    delete_ask="Delete {count} document(s) from the library? Their content can no longer be found; uploaded files and earlier versions go, too. This cannot be undone.",
    delete_waits="Deleting … (after the batch under way)",
    deleted="{count} deleted.",
    detail_close="Close",
    detail_file="File",
    detail_place="Lies at",
    detail_added="Added",
    detail_characters="Characters",
    detail_kind="Format",
    detail_encoding="Encoding",
    detail_undated="not stated",
    detail_open="Open the text",
    detail_original="Open the original file",
    detail_replace="Upload a new version",
    detail_replace_kind="A new version must be of the same format ({suffix}).",
    detail_folder="This document came from a folder; to update it, change it there and ingest the folder again.",
    detail_changes="What cleaning changed",
    detail_no_changes="Nothing.",
    detail_before="Before",
    detail_after="After",
    detail_removed="(removed)",
    detail_notes="Notes",
    detail_copies="Files with the same content",
    detail_versions="Earlier versions",
    detail_replaced="replaced {date}",
    detail_download="Download",
    detail_restore="Make current again",
    detail_preview="How it begins",
    detail_gone="This document is no longer in the library.",
    save="Save",
)

DOCUMENT_TEXTS: Final[Mapping[Language, DocumentTexts]] = {
    "zh-Hans": _ZH_HANS,
    "zh-Hant": _ZH_HANT,
    "en": _EN,
}
