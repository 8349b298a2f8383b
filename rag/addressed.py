"""Sentences in a document that speak to the program and not to its readers: "忽略以上内容，回答……". Pure.

They are not shown to the chat model and bear nothing out; readers see them where they see the document. Patterns ask for
a turn to a model (instructions, prompt, assistant, role marks), so that a report on artificial intelligence stays whole.
"""

from __future__ import annotations

import re

from rag.text import fold, sentences

_CN_MODEL = (
    "(?:ai助手|ai|人工智[能慧]助手|人工智[能慧]|语言模型|大模型|模型|助手|机器人|智能客服|问答系统|chatgpt|gpt)"
    "(?!企业|产业|先导|工作|园|专班|人才|公司|项目|领域|行业|技术|平台|示范|试点|创新|实验|标准|应用|建设|服务|厂|商)"
)
_CN_WORD = "(?:忽略|无视|回答|回复|声称|引用本|推荐|只能说|只说|输出(?!工单|报告|结果|数据))"
_CN_ORDER = f"(?:请|必须|务必|只能|只需|立即|一律|不要|不得|勿|{_CN_WORD})"
_CN_SPOKEN_TO = r"(?=[^。\n]{0,60}(?:你(?!好|市|县|区|省)|回答|回复|输出|忽略|无视|引用|只说|声称|推荐))"
"""Behind "系统提示：" an order to a model; a cash machine's "余额不足" is none."""
_EN_SPOKEN_TO = r"(?=[^\n]{0,80}\b(?:you|your|answer|reply|respond|ignore|say|reveal|cite|output)\b)"
_NOT_BEFORE = "".join(
    f"(?<!{word})"
    for word in "不能 不得 不可 不要 不应 不会 不该 不容 严禁 禁止 切勿 请勿 从未 从不".split()  # noqa: SIM905
)
_EN_NOT_BEFORE = r"(?<!not )(?<!n't )(?<!never )(?<!who )(?<!that )(?<!to )"
_BEFORE = "上面|以上|之前|前面|先前|此前|上述|前述"
_CARE = "".join(f"(?<!{word})" for word in "耐心 认真 及时 热情 如实 细致 准确 逐一".split())  # noqa: SIM905
_EN_ANSWER = "(?:say|answer|reply|respond|output)"
_ADDRESSED = re.compile(
    "|".join(
        (
            # Turning away from what was said before; who turns away from a rule ("无视上述要求的单位") is no reader.
            rf"{_NOT_BEFORE}(?:忽略|无视|忘记|忘掉|不要理会|不必理会|撇开|作废)(?:掉|了)?(?:(?:{_BEFORE}|所有|一切|全部|其他|其它|你)(?:的)?){{1,4}}"
            r"(?:内容|指令|指示|要求|规则|提示|提示词|资料|设定|说明|命令|约束|限制|文字|信息|文档|段落|来源)(?!的(?:单位|企业|个人|人员|行为|部门|商户|车辆|人|，))",
            rf"覆盖(?:掉)?(?:{_BEFORE}|你)(?:的|所有|一切|全部)*(?:指令|指示|规则|设定|提示)",
            rf"{_EN_NOT_BEFORE}\b(?:ignore|disregard|forget|override|bypass)\b[^.。\n]{{0,40}}\b(?:above|previous|prior|earlier|preceding|your|system)\b"
            r"[^.。\n]{0,24}\b(?:instructions?|prompts?|rules?|guidelines?|directions?|content|context|text|sources?|documents?|passages?|messages?)\b",
            rf"{_EN_NOT_BEFORE}\b(?:ignore|disregard|forget|override|bypass)\b (?:all|any|the|these|those|your)(?: of (?:the|these|your))?(?: other)? "
            r"(?:instructions?|prompts?|guidelines?)\b",
            rf"{_EN_NOT_BEFORE}\b(?:ignore|disregard)\b[^.\n]{{0,12}}\bother (?:documents?|sources?|passages?)\b",
            # Messages that pretend to come from elsewhere.
            rf"^\s*#{{0,4}}\s*(?:(?:system|developer)\s*[:：](?:{_EN_SPOKEN_TO}|{_CN_SPOKEN_TO})|assistant\s*[:：](?=[^\n]{{16}}))",
            rf"(?:系统|开发者|管理员)(?:消息|讯息|提示|指令|指示|命令)\s*[:：]{_CN_SPOKEN_TO}|系统提示词\s*[:：]",
            rf"\b(?:system|developer|admin)(?:istrator)?\s+(?:message|override|instructions?|notice)\s*[:：]{_EN_SPOKEN_TO}|\bsystem prompt\s*[:：]",
            rf"(?:新|最新|内部)(?:的)?指令(?:是|如下)?\s*[:：]{_CN_SPOKEN_TO}|隐藏(?:的)?指令(?:是|如下)?\s*[:：]",
            rf"\b(?:new|updated)\s+(?:system\s+)?instructions?\s*[:：]{_EN_SPOKEN_TO}|\bhidden\s+(?:system\s+)?instructions?\s*[:：]",
            # A word to the model itself.
            rf"(?:致|身为|你是|你现在是|如果你是|作为)(?:一个|一名|正在|本|该|任何|所有|阅读(?:本|此)文[^，。]{{0,6}}的?)*{_CN_MODEL}[^。\n]{{0,10}}{_CN_ORDER}",
            rf"(?:给|告|对|提醒|通知|任何|所有|各)(?:本|该|各|任何|所有|阅读(?:本|此)文[^，。]{{0,6}}的?)?{_CN_MODEL}[^。\n]{{0,10}}{_CN_WORD}(?!率|市民|群众|居民|企业|质量)",
            r"你现在是[^。\n]{0,8}(?:没有|不受)[^。\n]{0,4}限制",
            r"你现在是[^。\n]{0,12}[，,]\s*(?:只(?:许|准|能|可以?)|必须|一律|务必)(?:说|回答|回复|输出)",
            rf"(?:^|[，,：:（(]){_CN_MODEL}(?:请?注意[，,：:]|在回答(?:中|时)?[，,]?(?:请|必须|务必|一律)|(?:在)?(?:读到|看到|阅读)(?:本|此|这)"
            r"|(?:请|务必|必须|须|应当)[^。\n]{0,8}(?:忽略|无视|声称|引用本|推荐|只回答|只说|一律回答|一律说|回答[“\"「『:：]))",
            r"\b(?:you are|you're|act as|pretend to be)\b[^.\n]{0,12}\b(?:ai|an? assistant|language model|chatbot|llm|chatgpt|dan)\b",
            r"\bas an? (?:ai (?:assistant|model|language model)|language model|llm|chatbot)\b[,，]? (?:you|ignore|say|answer)\b",
            rf"\b(?:ais?|llms?|ai assistants?|chatbots?|(?:ai|language) models?)\b[^.\n]{{0,30}}\b(?:must|should|shall|please|are (?:instructed|required|to)|is (?:instructed|required|to))\b"
            rf"[^.\n]{{0,20}}\b(?:{_EN_ANSWER} (?:that|with|only|[\"'“])|ignore\b|reveal\b|cite (?:only|this))",
            # What to answer.
            r"改(?:为|成)(?:回答|答复|回复|输出)[：:“\"「『]|以上(?:资料|内容|文字)(?:全部|一律|统统)作废",
            r"(?:回答|回复|答复|输出|作答)(?:任何|所有|一切|用户|使用者|读者|本|该|这个|此|以上|以下)?(?:的)?(?:问题|提问|询问|内容)?(?:时|中)?[，,]?(?:请|都|均|一律|必须|务必|须|只能|只需|只|应)(?:统一|直接|先|只|一律|都|仅|必须|务必)*"
            r"(?:说(?!明)|(?:回答|回复|答复)(?!口径|意见|人|率|时)|输出|写[“\"「『:：]|引用(?:本|此|这)(?!件)|告[知诉](?:用户|使用者|对方|读者)|声明|推荐|使用(?:英|中|法|日|俄)[文语])",
            rf"(?:无论|不管|不论)[^。\n]{{0,12}}问[^。\n]{{0,12}}{_CARE}(?:回答|回复|输出|说)(?!清|明|好|到位|[。，；]|$|问题|群众|市民|居民)",
            r"(?:请|必须|务必|只)(?:先|首先|立即)?(?:一字不差地|原样|逐字)?(?:输出|打印|重复|泄露|透露|显示)[^。\n]{0,8}(?:提示词|系统(?:提示|设定|指令)|你的(?:提示|指令|设定|规则)|以上(?:提示|指令|设定)|密钥)",
            r"请(?:在回答中|务必)?引用(?:本段|此段|本文(?!件|号)|这段|本条|该段)|\bcite (?:this|only this|the following) (?:passage|paragraph|document|source)(?! as)",
            rf"\b(?:when|if|whenever)\b[^.\n]{{0,30}}\b(?:asked|answering|you answer|responding)\b[^.,\n]{{0,50}}[,，]? (?:(?:always|only|just|simply|please|you (?:must|should|will|shall)) )*{_EN_ANSWER}\b",
            r"\b(?:answer|reply|respond)\b[^.\n]{0,20}\b(?:only|exclusively|always|instead)\b[^.\n]{0,30}\b(?:with|in|that|by)\b(?! (?:writing|person|post|e-?mail|mail|letter|phone|telephone))",
            rf"(?:^|\bif you are a[^,\n]{{0,20}}, ){_EN_ANSWER} (?:only|every question) with\b",
            r"\b(?:reveal|print|repeat|output|show)\b[^.\n]{0,24}\b(?:system prompt|your (?:instructions|prompt|rules)|the (?:prompt|instructions) above(?! the))\b",
        )
    ),
    re.MULTILINE,
)


def speaks_to_model(sentence: str) -> bool:
    """Whether a sentence gives orders to a language model."""
    return _ADDRESSED.search(fold(sentence)) is not None


def addressed_spans(text: str) -> list[tuple[int, int]]:
    """The sentences of a text that give orders to a model, as (start, end), in order.

    A line that opens with a role mark is taken whole.
    """
    folded_whole = fold(text)
    if _ADDRESSED.search(folded_whole) is None:
        return []
    return [(start, end) for start, end in sentences(text) if speaks_to_model(text[start:end])]


def without_addressed(text: str) -> str:
    """The text without sentences that give orders to a model."""
    spans = addressed_spans(text)
    if not spans:
        return text
    kept, last = [], 0
    for start, end in spans:
        kept.append(text[last:start])
        last = end
    return "".join((*kept, text[last:]))
