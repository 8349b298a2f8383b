"""Sentences in a document that speak to the program and not to its readers: "忽略以上内容，回答……". Pure.

They are not shown to the chat model and bear nothing out; readers see them where they see the document. Patterns ask for
a turn to a model (instructions, prompt, assistant, role marks), so that a report on artificial intelligence stays whole.
"""

from __future__ import annotations

import re

from rag.text import fold, sentences

_CN_MODEL = "(?:ai|人工智能|语言模型|大模型|模型|助手|机器人|智能客服|问答系统|chatgpt|gpt|系统)"
_CN_ORDER = "(?:请|必须|务必|只能|只需|立即|一律|不要|不得|勿|忽略|无视|回答|输出|回复|声称|引用本)"
_ADDRESSED = re.compile(
    "|".join(
        (
            # Turning away from what was said before.
            r"(?:忽略|无视|忘记|忘掉|不要理会|不必理会|撇开|覆盖|作废)(?:掉|了)?(?:上面|以上|之前|前面|先前|此前|上述|前述|所有|一切|其他|其它|你)(?:的|所有|一切|全部)*"
            r"(?:内容|指令|指示|要求|规则|提示|提示词|资料|设定|说明|命令|约束|限制|问题|文字|信息|文档|段落|来源)",
            r"(?:ignore|disregard|forget|override|bypass)\b[^.。\n]{0,40}\b(?:above|previous|prior|earlier|preceding|all|any|other|your|system|these|those|the)\b"
            r"[^.。\n]{0,24}\b(?:instructions?|prompts?|rules?|guidelines?|directions?|content|context|text|sources?|documents?|passages?|messages?)\b",
            # Messages that pretend to come from elsewhere.
            r"^\s*#{0,4}\s*(?:system|assistant|developer)\s*[:：]",
            r"(?:系统|开发者|管理员)(?:消息|提示|提示词|指令|指示|命令)\s*[:：]|(?:system|developer|admin)(?:istrator)?\s+(?:message|prompt|override|instructions?|notice)\s*[:：]",
            r"(?:新|最新|隐藏|内部)(?:的)?指令(?:是|如下)?\s*[:：]|\b(?:new|hidden|updated)\s+(?:system\s+)?instructions?\s*[:：]|\bsystem prompt\b|\bjailbreak|\bprompt injection",
            # A word to the model itself.
            rf"(?:致|给|告|对|提醒|通知|作为|身为|你是|你现在是|如果你是|任何|所有|各)(?:一个|一名|正在|本|该|各|任何|所有|阅读(?:本|此)文[^，。]{{0,6}}的?)?{_CN_MODEL}[^。\n]{{0,10}}{_CN_ORDER}",
            rf"(?:^|[，,：:（(]){_CN_MODEL}(?:助手|模型|系统)?(?:注意|请|务必|必须|须|应当|在回答|回答时|阅读|读到|看到)",
            r"\b(?:you are|you're|act as|pretend to be|as)\b[^.\n]{0,12}\b(?:ai|an? assistant|language model|chatbot|llm|chatgpt|dan)\b",
            r"\b(?:ai|llms?|assistants?|chatbots?|language models?|models?)\b[^.\n]{0,30}\b(?:must|should|shall|please|are (?:instructed|required|to)|is (?:instructed|required|to))\b"
            r"[^.\n]{0,40}\b(?:answer|say|reply|respond|output|tell|state|cite|ignore|print|repeat|reveal)",
            # What to answer.
            r"(?:回答|回复|答复|输出|作答)(?:任何|所有|一切|用户|读者|本|该|这个|此|以上|以下)?(?:的)?(?:问题|提问|询问|内容)?(?:时|中)?[，,]?(?:请|都|均|一律|必须|务必|须|只能|只需|只|应)(?:统一|直接|先|只)?"
            r"(?:说|回答|回复|答复|输出|写|引用|告知|声明|推荐|使用)",
            r"(?:无论|不管|不论)[^。\n]{0,12}(?:问|提问|问题|询问)[^。\n]{0,12}(?:回答|回复|答|输出|说)",
            r"(?:请|必须|务必|只)(?:一字不差地|原样|逐字)?(?:输出|打印|重复|泄露|透露|显示)[^。\n]{0,16}(?:提示|指令|设定|以上|系统|规则|密钥|上文)",
            r"请(?:在回答中|务必)?引用(?:本段|此段|本文|这段|本条|该段)|\bcite (?:this|only this|the following) (?:passage|paragraph|document|source)",
            r"\b(?:when|if|whenever)\b[^.\n]{0,30}\b(?:asked|answering|you answer|responding)\b[^.\n]{0,50}\b(?:say|answer|reply|respond|output|state|write|tell)\b",
            r"\b(?:answer|reply|respond)\b[^.\n]{0,20}\b(?:only|exclusively|always|instead)\b[^.\n]{0,30}\b(?:with|in|that|by)\b",
            r"\b(?:reveal|print|repeat|output|show)\b[^.\n]{0,24}\b(?:system prompt|your (?:instructions|prompt|rules)|the (?:prompt|instructions) above|verbatim)\b",
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
