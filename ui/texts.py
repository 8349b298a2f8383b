"""The words of the interface in simplified and traditional Chinese and in English, and which of them to use.

`Texts` is a dataclass so that a language that lacks a text does not start. Values are plain text: whoever
puts them into a page escapes them. Places in braces are filled in with `str.format`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["zh-Hans", "zh-Hant", "en"]
LanguageSetting = Literal["auto", "zh", "en"]


@dataclass(frozen=True, slots=True)
class Texts:
    """Every text of the interface in one language."""

    tag: str
    """The language tag that the page carries, which decides the shapes of Han characters."""

    page_title: str
    brand: str
    tagline: str
    new_chat: str

    history_title: str
    history_search: str
    history_search_hint: str
    history_empty: str
    history_none: str
    history_found: str
    history_count: str
    history_open: str
    history_more: str
    history_rename: str
    history_name: str
    history_save: str
    history_delete: str
    history_delete_ask: str
    history_cancel: str
    history_export: str
    history_close: str
    history_damaged: str
    history_failed: str
    history_gone: str
    history_cookie: str
    unkept_full: str
    unkept_failed: str
    unkept_many: str
    unkept_long: str
    unkept_gone: str
    again: str
    edit_question: str
    followups_title: str
    editing: str
    editing_cancel: str
    export_begun: str
    export_unsupported: str

    status_documents: str
    status_latest: str
    status_empty: str
    model_stopped: str
    model_loading: str
    model_ready: str
    model_restarting: str
    model_failed: str

    welcome_title: str
    welcome_text: str
    examples_title: str
    empty_title: str
    empty_text: str

    box_label: str
    box_placeholder: str
    send: str
    stop: str
    composer_note: str
    hint_empty: str
    hint_too_long: str
    hint_running: str

    filter_title: str
    filter_label: str
    filter_body: str
    filter_any_body: str
    filter_since: str
    filter_until: str
    filter_speaker: str
    filter_collection: str
    filter_collection_chip: str
    filter_remove: str
    filter_order: str
    filter_unknown: str

    conversation_label: str
    question_label: str
    answer_label: str
    phase_queued: str
    phase_searching: str
    phase_loading: str
    phase_reading: str
    phase_writing: str
    outcome_partial: str
    outcome_refused: str
    outcome_clarify: str
    outcome_refused_more: str
    stopped_title: str
    stopped_text: str
    unsupported: str
    unsupported_plain: str
    copy: str
    copied: str
    retry: str
    elapsed: str
    show_sources: str

    sources_title: str
    sources_empty: str
    sources_cited: str
    sources_found: str
    sources_other: str
    sources_nearest: str
    sources_past: str
    sources_latest: str
    sources_close: str
    source_open: str
    source_label: str
    undated: str
    searched: str
    page: str

    feedback_label: str
    feedback_up: str
    feedback_down: str
    feedback_thanks: str
    feedback_tell_more: str
    feedback_taken_back: str
    feedback_reason: str
    reason_off_topic: str
    reason_contradicts: str
    reason_incomplete: str
    reason_wrong_source: str
    reason_should_answer: str
    reason_other: str
    feedback_comment: str
    feedback_better: str
    feedback_send: str
    feedback_cancel: str
    feedback_unknown: str
    feedback_too_long: str
    feedback_too_many: str
    feedback_failed: str
    feedback_lost: str

    announce_working: str
    announce_done: str
    announce_stopped: str

    connection_lost: str
    service_restarted: str
    reload: str

    unexpected_what: str
    unexpected_fix: str
    errors: Mapping[str, str]
    """Headings by `WenzhengError.code`, and "Unexpected" for everything else."""


_ZH_HANS: Final = Texts(
    tag="zh-CN",
    page_title="问政",
    brand="问政",
    tagline="依据本地文件作答，句句注明出处",
    new_chat="新对话",
    history_title="对话记录",
    history_search="搜索对话",
    history_search_hint="标题、问题、回答",
    history_empty="还没有保存的对话。提问之后，对话会自动保存在这里。",
    history_none="没有找到相符的对话。",
    history_found="找到 {count} 段对话",
    history_count="{count} 个问题",
    history_open="打开对话：{title}",
    history_more="更多操作：{title}",
    history_rename="重命名",
    history_name="对话名称",
    history_save="保存",
    history_delete="删除",
    history_delete_ask="删除“{title}”？删除后不能恢复。",
    history_cancel="取消",
    history_export="导出 {format}",
    history_close="关闭对话记录",
    history_damaged="有 {count} 段对话的文件无法读取，没有列出，请告知管理员。",
    history_failed="没有做成（{reason}），请重试；若再次出现，请告知管理员。",
    history_gone="这段对话已不存在。",
    history_cookie="浏览器没有接受本服务的 Cookie，对话无法保存。请在浏览器设置中允许后刷新页面。",
    unkept_full="磁盘空间不足，这段对话暂时没有保存。请告知管理员；有空间后会随下一个问题补存。",
    unkept_failed="无法写入磁盘，这段对话暂时没有保存。请告知管理员；恢复后会随下一个问题补存。",
    unkept_many="已有 {limit} 段对话，到了上限，这段对话没有保存。请在对话记录中删除不再需要的。",
    unkept_long="这段对话已有 {limit} 个问题，到了上限，后面的不再保存。请开始新对话。",
    unkept_gone="这段对话已在别处删除，后面的问题不再保存。请开始新对话。",
    again="重新回答",
    edit_question="修改问题",
    followups_title="可以接着问",
    editing="正在修改上一个问题，发送后替换原来的问答。",
    editing_cancel="取消修改",
    export_begun="对话时间：{time}",
    export_unsupported="删除线标出的句子没有通过核对。",
    status_documents="收录文件 {documents} 份",
    status_latest="最新 {date}",
    status_empty="尚未收录文件",
    model_stopped="模型未启动",
    model_loading="模型正在加载",
    model_ready="模型就绪",
    model_restarting="模型正在重新启动",
    model_failed="模型不可用",
    welcome_title="请提问",
    welcome_text="答案只取自已收录的文件，每句话后面的编号指向原文；文件里找不到依据的，会直接说明。",
    examples_title="可以这样问",
    empty_title="还没有收录文件",
    empty_text="请管理员运行 wenzheng ingest 加文件夹路径，收录文件后刷新本页即可提问。",
    box_label="问题",
    box_placeholder="例如：住建局承诺了什么？",
    send="发送",
    stop="停止",
    composer_note="Enter 发送，Shift+Enter 换行。答案由模型依据文件写成，引用前请核对原文。",
    hint_empty="请先输入问题。",
    hint_too_long="问题有 {count} 个字，最多 {limit} 个字，请缩短后再发送。",
    hint_running="上一个问题还在作答，请稍候或先停止。",
    filter_title="筛选",
    filter_label="筛选条件",
    filter_body="部门",
    filter_any_body="不限",
    filter_since="发布日期从",
    filter_until="到",
    filter_speaker="{name}的发言",
    filter_collection="文件集",
    filter_collection_chip="文件集：{name}",
    filter_remove="去掉筛选：{name}",
    filter_order="开始日期晚于结束日期，请改正。",
    filter_unknown="这个筛选条件无法使用，请重新选择。",
    conversation_label="对话",
    question_label="提问",
    answer_label="回答",
    phase_queued="正在排队，前面还有 {ahead} 个问题",
    phase_searching="正在查找文件",
    phase_loading="模型正在加载，就绪后自动作答；找到的原文已列在来源中",
    phase_reading="已找到相关原文，正在阅读",
    phase_writing="正在作答",
    outcome_partial="只能回答一部分",
    outcome_refused="文件中找不到依据",
    outcome_clarify="请补充说明",
    outcome_refused_more="来源中列出了最接近的段落，供参考。",
    stopped_title="已停止",
    stopped_text="以上内容没有写完，也没有核对。",
    unsupported="核对未通过：{reason}",
    unsupported_plain="核对未通过：所引原文不支持这句话。",
    copy="复制",
    copied="已复制",
    retry="重新提问",
    elapsed="用时 {seconds} 秒",
    show_sources="来源 {count} 处",
    sources_title="来源",
    sources_empty="提问之后，这里列出答案所依据的原文，引用的句子会标出来。",
    sources_cited="答案引用",
    sources_found="找到的原文",
    sources_other="其他相近段落",
    sources_nearest="最接近的段落",
    sources_past="前面的问题",
    sources_latest="回到最新",
    sources_close="关闭",
    source_open="打开全文：{title}",
    source_label="来源 {number}",
    undated="未注明日期",
    searched="检索的是：{question}",
    page="第{page}页",
    feedback_label="评价这条回答",
    feedback_up="有帮助",
    feedback_down="没有帮助",
    feedback_thanks="谢谢，已记录。",
    feedback_tell_more="谢谢，已记录。方便的话，请在下面说说问题在哪。",
    feedback_taken_back="已撤回。",
    feedback_reason="问题在哪？",
    reason_off_topic="答非所问",
    reason_contradicts="与资料不符",
    reason_incomplete="不完整",
    reason_wrong_source="出处不对",
    reason_should_answer="该答却没答",
    reason_other="其他",
    feedback_comment="补充说明（可不填）",
    feedback_better="更好的答案（可不填）",
    feedback_send="提交",
    feedback_cancel="取消",
    feedback_unknown="这条回答已不在本页的对话里，反馈没有保存。",
    feedback_too_long="文字太长，反馈没有保存：最多 {limit} 个字。",
    feedback_too_many="本页的反馈次数已到上限，这一次没有保存。",
    feedback_failed="反馈没有保存（{reason}），请告知管理员。",
    feedback_lost="服务没有回应，反馈可能没有保存，请稍后再试。",
    announce_working="正在作答",
    announce_done="回答完毕。",
    announce_stopped="已停止。",
    connection_lost="与服务的连接断开了，正在重试。",
    service_restarted="服务已重新启动，本页的对话不能继续，请刷新页面。",
    reload="刷新页面",
    unexpected_what="程序遇到没有预料到的错误（{kind}）。",
    unexpected_fix="请重新提问；若再次出现，请把运行日志交给管理员。",
    errors={
        "WenzhengError": "无法完成",
        "SettingsError": "设置有误",
        "QuestionError": "问题无法处理",
        "SourceError": "文件无法收录",
        "SourceNotFound": "找不到文件",
        "SourceEmpty": "文件没有文字",
        "SourceTooLarge": "文件过大",
        "SourceUnsupported": "不支持这种文件",
        "SourceUndecodable": "文件编码无法识别",
        "SourceEncrypted": "文件有密码保护",
        "SourceDamaged": "文件已损坏",
        "SourceUnsafe": "文件可能有害，未打开",
        "SourceChanged": "文件正在被修改",
        "SourceTooSlow": "读取文件用时过长",
        "WeightsError": "模型文件不可用",
        "LibraryError": "文件库无法使用",
        "LibraryLocked": "文件库正被占用",
        "LibraryMismatch": "文件库与设置不符",
        "LibraryDamaged": "文件库已损坏",
        "StorageFull": "磁盘空间不足",
        "ModelError": "模型没有给出回答",
        "ModelLoading": "模型还没有就绪",
        "EndpointUnreachable": "连接不上模型服务",
        "EndpointRefused": "模型服务返回错误",
        "AnswerInterrupted": "回答中断",
        "Unexpected": "程序出错",
    },
)

_ZH_HANT: Final = Texts(
    tag="zh-TW",
    page_title="問政",
    brand="問政",
    tagline="依據本地文件作答，句句註明出處",
    new_chat="新對話",
    history_title="對話記錄",
    history_search="搜尋對話",
    history_search_hint="標題、問題、回答",
    history_empty="還沒有儲存的對話。提問之後，對話會自動儲存在這裡。",
    history_none="沒有找到相符的對話。",
    history_found="找到 {count} 段對話",
    history_count="{count} 個問題",
    history_open="開啟對話：{title}",
    history_more="更多操作：{title}",
    history_rename="重新命名",
    history_name="對話名稱",
    history_save="儲存",
    history_delete="刪除",
    history_delete_ask="刪除「{title}」？刪除後不能復原。",
    history_cancel="取消",
    history_export="匯出 {format}",
    history_close="關閉對話記錄",
    history_damaged="有 {count} 段對話的檔案無法讀取，沒有列出，請告知管理員。",
    history_failed="沒有做成（{reason}），請重試；若再次出現，請告知管理員。",
    history_gone="這段對話已不存在。",
    history_cookie="瀏覽器沒有接受本服務的 Cookie，對話無法儲存。請在瀏覽器設定中允許後重新整理頁面。",
    unkept_full="磁碟空間不足，這段對話暫時沒有儲存。請告知管理員；有空間後會隨下一個問題補存。",
    unkept_failed="無法寫入磁碟，這段對話暫時沒有儲存。請告知管理員；恢復後會隨下一個問題補存。",
    unkept_many="已有 {limit} 段對話，到了上限，這段對話沒有儲存。請在對話記錄中刪除不再需要的。",
    unkept_long="這段對話已有 {limit} 個問題，到了上限，後面的不再儲存。請開始新對話。",
    unkept_gone="這段對話已在別處刪除，後面的問題不再儲存。請開始新對話。",
    again="重新回答",
    edit_question="修改問題",
    followups_title="可以接著問",
    editing="正在修改上一個問題，送出後取代原來的問答。",
    editing_cancel="取消修改",
    export_begun="對話時間：{time}",
    export_unsupported="刪除線標出的句子沒有通過核對。",
    status_documents="收錄文件 {documents} 份",
    status_latest="最新 {date}",
    status_empty="尚未收錄文件",
    model_stopped="模型未啟動",
    model_loading="模型正在載入",
    model_ready="模型就緒",
    model_restarting="模型正在重新啟動",
    model_failed="模型無法使用",
    welcome_title="請提問",
    welcome_text="答案只取自已收錄的文件，每句話後面的編號指向原文；文件裡找不到依據的，會直接說明。",
    examples_title="可以這樣問",
    empty_title="還沒有收錄文件",
    empty_text="請管理員執行 wenzheng ingest 加資料夾路徑，收錄文件後重新整理本頁即可提問。",
    box_label="問題",
    box_placeholder="例如：住建局承諾了什麼？",
    send="送出",
    stop="停止",
    composer_note="Enter 送出，Shift+Enter 換行。答案由模型依據文件寫成，引用前請核對原文。",
    hint_empty="請先輸入問題。",
    hint_too_long="問題有 {count} 個字，最多 {limit} 個字，請縮短後再送出。",
    hint_running="上一個問題還在作答，請稍候或先停止。",
    filter_title="篩選",
    filter_label="篩選條件",
    filter_body="部門",
    filter_any_body="不限",
    filter_since="發布日期從",
    filter_until="到",
    filter_speaker="{name}的發言",
    filter_collection="文件集",
    filter_collection_chip="文件集：{name}",
    filter_remove="去掉篩選：{name}",
    filter_order="開始日期晚於結束日期，請改正。",
    filter_unknown="這個篩選條件無法使用，請重新選擇。",
    conversation_label="對話",
    question_label="提問",
    answer_label="回答",
    phase_queued="正在排隊，前面還有 {ahead} 個問題",
    phase_searching="正在查找文件",
    phase_loading="模型正在載入，就緒後自動作答；找到的原文已列在來源中",
    phase_reading="已找到相關原文，正在閱讀",
    phase_writing="正在作答",
    outcome_partial="只能回答一部分",
    outcome_refused="文件中找不到依據",
    outcome_clarify="請補充說明",
    outcome_refused_more="來源中列出了最接近的段落，供參考。",
    stopped_title="已停止",
    stopped_text="以上內容沒有寫完，也沒有核對。",
    unsupported="核對未通過：{reason}",
    unsupported_plain="核對未通過：所引原文不支持這句話。",
    copy="複製",
    copied="已複製",
    retry="重新提問",
    elapsed="用時 {seconds} 秒",
    show_sources="來源 {count} 處",
    sources_title="來源",
    sources_empty="提問之後，這裡列出答案所依據的原文，引用的句子會標出來。",
    sources_cited="答案引用",
    sources_found="找到的原文",
    sources_other="其他相近段落",
    sources_nearest="最接近的段落",
    sources_past="前面的問題",
    sources_latest="回到最新",
    sources_close="關閉",
    source_open="開啟全文：{title}",
    source_label="來源 {number}",
    undated="未註明日期",
    searched="檢索的是：{question}",
    page="第{page}頁",
    feedback_label="評價這則回答",
    feedback_up="有幫助",
    feedback_down="沒有幫助",
    feedback_thanks="謝謝，已記錄。",
    feedback_tell_more="謝謝，已記錄。方便的話，請在下面說說問題在哪。",
    feedback_taken_back="已撤回。",
    feedback_reason="問題在哪？",
    reason_off_topic="答非所問",
    reason_contradicts="與資料不符",
    reason_incomplete="不完整",
    reason_wrong_source="出處不對",
    reason_should_answer="該答卻沒答",
    reason_other="其他",
    feedback_comment="補充說明（可不填）",
    feedback_better="更好的答案（可不填）",
    feedback_send="送出",
    feedback_cancel="取消",
    feedback_unknown="這則回答已不在本頁的對話裡，回饋沒有儲存。",
    feedback_too_long="文字太長，回饋沒有儲存：最多 {limit} 個字。",
    feedback_too_many="本頁的回饋次數已達上限，這一次沒有儲存。",
    feedback_failed="回饋沒有儲存（{reason}），請告知管理員。",
    feedback_lost="服務沒有回應，回饋可能沒有儲存，請稍後再試。",
    announce_working="正在作答",
    announce_done="回答完畢。",
    announce_stopped="已停止。",
    connection_lost="與服務的連線中斷了，正在重試。",
    service_restarted="服務已重新啟動，本頁的對話不能繼續，請重新整理頁面。",
    reload="重新整理",
    unexpected_what="程式遇到沒有預料到的錯誤（{kind}）。",
    unexpected_fix="請重新提問；若再次出現，請把執行記錄交給管理員。",
    errors={
        "WenzhengError": "無法完成",
        "SettingsError": "設定有誤",
        "QuestionError": "問題無法處理",
        "SourceError": "文件無法收錄",
        "SourceNotFound": "找不到文件",
        "SourceEmpty": "文件沒有文字",
        "SourceTooLarge": "文件過大",
        "SourceUnsupported": "不支援這種文件",
        "SourceUndecodable": "文件編碼無法識別",
        "SourceEncrypted": "檔案有密碼保護",
        "SourceDamaged": "檔案已損壞",
        "SourceUnsafe": "檔案可能有害，未開啟",
        "SourceChanged": "檔案正在被修改",
        "SourceTooSlow": "讀取檔案用時過長",
        "WeightsError": "模型檔案無法使用",
        "LibraryError": "文件庫無法使用",
        "LibraryLocked": "文件庫正被佔用",
        "LibraryMismatch": "文件庫與設定不符",
        "LibraryDamaged": "文件庫已損壞",
        "StorageFull": "磁碟空間不足",
        "ModelError": "模型沒有給出回答",
        "ModelLoading": "模型還沒有就緒",
        "EndpointUnreachable": "連線不上模型服務",
        "EndpointRefused": "模型服務傳回錯誤",
        "AnswerInterrupted": "回答中斷",
        "Unexpected": "程式出錯",
    },
)

_EN: Final = Texts(
    tag="en",
    page_title="Wenzheng 问政",
    brand="Wenzheng",
    tagline="Answers from local documents, every sentence with its source",
    new_chat="New conversation",
    history_title="Conversations",
    history_search="Search conversations",
    history_search_hint="Title, question, answer",
    history_empty="No conversations yet. They are kept here once you have asked a question.",
    history_none="No conversation matches.",
    history_found="Conversations found: {count}",
    history_count="questions: {count}",
    history_open="Open conversation: {title}",
    history_more="More actions: {title}",
    history_rename="Rename",
    history_name="Name of the conversation",
    history_save="Save",
    history_delete="Delete",
    history_delete_ask="Delete “{title}”? This cannot be undone.",
    history_cancel="Cancel",
    history_export="Export {format}",
    history_close="Close conversations",
    history_damaged="Conversations whose files cannot be read and are not listed: {count}. Please tell the administrator.",
    history_failed="This could not be done ({reason}). Try again; if it happens again, tell the administrator.",
    history_gone="This conversation no longer exists.",
    history_cookie="The browser did not accept this service's cookie, so conversations cannot be kept. Allow it in the browser's settings and reload the page.",
    unkept_full="The disk is full: this conversation is not being kept for now. Tell the administrator; it will be kept with the next question once there is space.",
    unkept_failed="The disk cannot be written: this conversation is not being kept for now. Tell the administrator; it will be kept with the next question once that is mended.",
    unkept_many="There are {limit} conversations, as many as are kept: this one is not being kept. Delete some you no longer need.",
    unkept_long="This conversation has {limit} questions, as many as are kept: later ones are not. Begin a new chat.",
    unkept_gone="This conversation was deleted elsewhere: later questions are not kept. Begin a new chat.",
    again="Answer again",
    edit_question="Edit question",
    followups_title="You could ask next",
    editing="Editing the last question: sending replaces it and its answer.",
    editing_cancel="Stop editing",
    export_begun="Conversation of {time}",
    export_unsupported="Sentences struck through did not pass the check.",
    status_documents="Documents: {documents}",
    status_latest="newest {date}",
    status_empty="No documents yet",
    model_stopped="Model not started",
    model_loading="Model is loading",
    model_ready="Model ready",
    model_restarting="Model is restarting",
    model_failed="Model unavailable",
    welcome_title="Ask a question",
    welcome_text=(
        "Answers come only from the documents held here. The number after each sentence leads to the "
        "original; where the documents say nothing, you are told so."
    ),
    examples_title="For example",
    empty_title="No documents yet",
    empty_text="An administrator runs wenzheng ingest with the path of a folder; then reload this page.",
    box_label="Question",
    box_placeholder="For example: What did the housing bureau promise?",
    send="Send",
    stop="Stop",
    composer_note="Enter sends, Shift+Enter starts a new line. Check the original before quoting an answer.",
    hint_empty="Type a question first.",
    hint_too_long="The question has {count} characters; the limit is {limit}. Please shorten it.",
    hint_running="The previous question is still being answered. Wait, or stop it first.",
    filter_title="Filter",
    filter_label="Filters",
    filter_body="Body",
    filter_any_body="Any",
    filter_since="Published from",
    filter_until="to",
    filter_speaker="Words of {name}",
    filter_collection="Collection",
    filter_collection_chip="Collection: {name}",
    filter_remove="Remove filter: {name}",
    filter_order="The first date is after the last; please correct it.",
    filter_unknown="This filter cannot be used; please choose again.",
    conversation_label="Conversation",
    question_label="Question",
    answer_label="Answer",
    phase_queued="Waiting in line, questions ahead: {ahead}",
    phase_searching="Searching the documents",
    phase_loading="The model is loading and will answer when ready; Sources already lists the evidence",
    phase_reading="Evidence found, reading it",
    phase_writing="Answering",
    outcome_partial="Only part of this can be answered",
    outcome_refused="The documents do not say",
    outcome_clarify="Please say more",
    outcome_refused_more="Sources lists the nearest passages, for reference.",
    stopped_title="Stopped",
    stopped_text="The answer above is unfinished and has not been checked.",
    unsupported="Did not pass the check: {reason}",
    unsupported_plain="Did not pass the check: the cited text does not support this sentence.",
    copy="Copy",
    copied="Copied",
    retry="Ask again",
    elapsed="{seconds} s",
    show_sources="Sources: {count}",
    sources_title="Sources",
    sources_empty="After you ask, the passages behind the answer appear here, cited sentences marked.",
    sources_cited="Cited in the answer",
    sources_found="Evidence found",
    sources_other="Other related passages",
    sources_nearest="Nearest passages",
    sources_past="An earlier question",
    sources_latest="Back to the latest",
    sources_close="Close",
    source_open="Open the document: {title}",
    source_label="Source {number}",
    undated="undated",
    searched="Searched for: {question}",
    page="page {page}",
    feedback_label="Rate this answer",
    feedback_up="Helpful",
    feedback_down="Not helpful",
    feedback_thanks="Thank you, noted.",
    feedback_tell_more="Thank you, noted. Details are welcome.",
    feedback_taken_back="Taken back.",
    feedback_reason="What is wrong?",
    reason_off_topic="Beside the question",
    reason_contradicts="Not what the documents say",
    reason_incomplete="Incomplete",
    reason_wrong_source="Wrong sources",
    reason_should_answer="Should have been answered",
    reason_other="Something else",
    feedback_comment="Comment (optional)",
    feedback_better="A better answer (optional)",
    feedback_send="Submit",
    feedback_cancel="Cancel",
    feedback_unknown="This answer is no longer part of this page's conversation; the feedback was not saved.",
    feedback_too_long="The text is too long and was not saved: the limit is {limit} characters.",
    feedback_too_many="This page has given as much feedback as it may; this one was not saved.",
    feedback_failed="The feedback was not saved ({reason}). Please tell the administrator.",
    feedback_lost="The service did not respond; the feedback may not be saved. Try again later.",
    announce_working="Answering",
    announce_done="Answer complete.",
    announce_stopped="Stopped.",
    connection_lost="The connection to the service is lost; trying again.",
    service_restarted="The service has been restarted and this conversation cannot go on. Reload the page.",
    reload="Reload",
    unexpected_what="The program met an error it did not expect ({kind}).",
    unexpected_fix="Ask again; if it comes back, give the log to the administrator.",
    errors={
        "WenzhengError": "This could not be done",
        "SettingsError": "A setting is wrong",
        "QuestionError": "The question cannot be taken",
        "SourceError": "The file cannot be taken in",
        "SourceNotFound": "File not found",
        "SourceEmpty": "The file holds no text",
        "SourceTooLarge": "The file is too large",
        "SourceUnsupported": "This kind of file is not supported",
        "SourceUndecodable": "The file's encoding is unknown",
        "SourceEncrypted": "The file is protected by a password",
        "SourceDamaged": "The file is damaged",
        "SourceUnsafe": "The file could do harm and was not opened",
        "SourceChanged": "The file is being changed",
        "SourceTooSlow": "Reading the file took too long",
        "WeightsError": "A model file is not available",
        "LibraryError": "The library cannot be used",
        "LibraryLocked": "The library is in use",
        "LibraryMismatch": "The library does not match the settings",
        "LibraryDamaged": "The library is damaged",
        "StorageFull": "The disk is full",
        "ModelError": "The model gave no answer",
        "ModelLoading": "The model is not ready yet",
        "EndpointUnreachable": "The model service cannot be reached",
        "EndpointRefused": "The model service returned an error",
        "AnswerInterrupted": "The answer broke off",
        "Unexpected": "Something went wrong",
    },
)

TEXTS: Final[Mapping[Language, Texts]] = {"zh-Hans": _ZH_HANS, "zh-Hant": _ZH_HANT, "en": _EN}

_TRADITIONAL = re.compile(r"^zh-(?:hant|tw|hk|mo)\b", re.IGNORECASE)


def choose_language(accept: str | None, setting: LanguageSetting = "auto") -> Language:
    """The language of the page for a browser that sent this ``Accept-Language`` header.

    "zh" as a setting still lets the browser choose between simplified and traditional. A browser that asks
    for neither Chinese nor English gets English; one that says nothing gets simplified Chinese.
    """
    if setting == "en":
        return "en"
    wanted = [tag for tag in _by_preference(accept or "") if tag.startswith("zh") or setting == "auto"]
    for tag in wanted:
        if _TRADITIONAL.match(tag):
            return "zh-Hant"
        if tag == "zh" or tag.startswith("zh-"):
            return "zh-Hans"
        if tag == "en" or tag.startswith("en-"):
            return "en"
    return "en" if wanted and wanted != ["*"] else "zh-Hans"


def _by_preference(accept: str) -> list[str]:
    """The tags of an ``Accept-Language`` header in lower case, most wanted first, without the unwanted."""
    weighted = []
    for part in accept.split(","):
        tag, _, parameters = part.strip().partition(";")
        weight = re.fullmatch(r"\s*q=([\d.]+)\s*", parameters)
        try:
            quality = float(weight.group(1)) if weight else 1.0
        except ValueError:
            quality = 0.0
        if tag and quality > 0:
            weighted.append((quality, tag.strip().lower()))
    # The sort is stable: tags of the same weight keep the order in which the browser named them.
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]


def error_heading(texts: Texts, code: str) -> str:
    """The heading for an error of this code; one that is not known gets the general heading."""
    return texts.errors.get(code, texts.errors["WenzhengError"])
