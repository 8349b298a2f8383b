"""The words of the reports in English and Chinese, and the figures as both write them. Pure."""

from __future__ import annotations

import math

from eval.reporting.shapes import FEW, Language, MeanLike

LOSSES = (
    "not_retrieved",
    "not_shown",
    "wrongly_refused",
    "not_used",
    "wrong",
    "wrongly_answered",
    "failed",
    "none",
)
"""In the order of the pipeline: retrieved, shown, answered, used, right; last what came out right."""

_TEXTS: dict[str, tuple[str, str]] = {
    "report": ("Evaluation run", "评测报告"),
    "comparison": ("Two runs compared", "两次评测对比"),
    "run": ("Run", "运行编号"),
    "benchmark": ("Benchmark", "评测集"),
    "form": ("form", "格式"),
    "mode": ("Mode", "方式"),
    "open": ("open: every question is asked of the whole corpus", "开放：在全部文档中查找"),
    "closed": ("closed: every question is asked of its own documents", "封闭：只在题目给定的文档中查找"),
    "only_retrieval": ("retrieval alone, no answers", "仅检索，不作答"),
    "corpus": ("Corpus", "文档库"),
    "corpus_size": ("{documents} documents, {chunks} passages", "{documents} 份文档，{chunks} 个段落"),
    "cases": ("Cases", "题目"),
    "cases_of": (
        "{n} of {of} (split {split}, seed {seed})",
        "{of} 题中的 {n} 题（数据划分 {split}，随机种子 {seed}）",
    ),
    "cases_done": (
        "only {n} of these have a record: the run was not finished",
        "其中只有 {n} 题有记录：评测未完成",
    ),
    "split_all": ("all", "全部"),
    "model": ("Chat model", "对话模型"),
    "embedding": ("Embedding", "向量模型"),
    "reranker": ("Reranker", "重排模型"),
    "commit": ("Commit", "代码版本"),
    "date": ("Date", "日期"),
    "machine": ("Machine", "机器"),
    "duration": ("Duration", "用时"),
    "indexing": ("indexing {rate} passages/s", "建索引每秒 {rate} 段"),
    "settings": ("Settings that differ from the defaults", "与默认值不同的设置"),
    "settings_none": ("none, all defaults", "无，全部为默认值"),
    "default": ("default", "默认"),
    "metrics": ("Metrics", "指标"),
    "metric": ("Metric", "指标"),
    "value": ("Mean", "均值"),
    "interval": ("95 % interval", "95% 区间"),
    "cases_n": ("n", "题数 n"),
    "meaning": ("Meaning", "含义"),
    "few": ("n is small", "题数少"),
    "few_note": (
        f"“n is small” marks means over fewer than {FEW} cases: they say little, whatever their value.",
        f"“题数少”表示不足 {FEW} 题：无论数值高低，说明力都有限。",
    ),
    "failed_note": (
        "{n} cases failed. They count in every mean with the metric's worst value.",
        "{n} 题运行出错，按各指标的最差值计入均值。",
    ),
    "absent_note": (
        "A metric's n can be lower than the number of cases: it leaves out those it does not apply to.",
        "指标的题数可能少于总题数：不适用的题目不计入。",
    ),
    "by_type": ("By type", "按题型"),
    "by_lang": ("By language", "按语言"),
    "by_other": ("By {key}", "按 {key}"),
    "group": ("Group", "组"),
    "losses": ("Where cases were lost", "题目失分环节"),
    "losses_note": (
        "Each case is in one row: the first step at which it was lost, in the order retrieved, shown, used, right.",
        "每题只属一行，即最先失分的环节，顺序为：检索到、给出、引用、答对。",
    ),
    "loss": ("Lost at", "失分环节"),
    "count": ("Cases", "题数"),
    "share": ("Share", "占比"),
    "not_retrieved": ("not retrieved", "未检索到"),
    "not_shown": ("retrieved, not shown to the model", "检索到但未给模型"),
    "wrongly_refused": ("shown, wrongly refused", "已给出但误拒答"),
    "not_used": ("shown, not used", "已给出但未引用"),
    "wrong": ("used, still wrong", "已引用但答错"),
    "wrongly_answered": ("answered, though unanswerable", "无答案却作答"),
    "failed": ("failed with an error", "运行出错"),
    "none": ("right", "正确"),
    "latency": ("Latency", "耗时"),
    "latency_note": ("Seconds since the question arrived.", "自收到问题起的秒数。"),
    "until": ("Until", "阶段"),
    "median": ("median", "中位数"),
    "p90": ("90 %", "90%"),
    "p99": ("99 %", "99%"),
    "longest": ("longest", "最长"),
    "slowest": ("Slowest cases", "最慢的题目"),
    "failures": ("Failed cases", "出错的题目"),
    "more": ("and {n} more", "另有 {n} 题"),
    "seconds": ("seconds", "秒"),
    "question": ("Question", "问题"),
    "error": ("Error", "错误"),
    "case": ("Case", "题目"),
    "reliability": ("Is the confidence to be trusted?", "置信度是否可信"),
    "reliability_x": ("confidence", "置信度"),
    "share_right": ("share right", "正确率"),
    "calibration": ("expected calibration error {value}", "期望校准误差 {value}"),
    "reliability_how": (
        "Each dot is a group of cases of similar confidence, larger for more. On the dashed line, confidence and share right agree.",
        "每点是一组置信度相近的题目，点越大题越多。落在虚线上表示置信度与正确率一致。",
    ),
    "coverage": ("What refusing more would gain", "多拒答能换来多少正确率"),
    "coverage_x": ("share answered", "作答比例"),
    "area": ("area under the curve {value}", "曲线下面积 {value}"),
    "coverage_how": (
        "Answering only the most confident questions, up to the share on the axis: how many of them are right.",
        "只回答置信度最高的一部分问题时，其中答对的比例。",
    ),
    "bars": ("{metric} by type", "各题型的 {metric}"),
    "bars_how": ("Bars are means, the strokes their 95 % intervals.", "条形为均值，细线为 95% 区间。"),
    "histogram": ("Time until the answer", "作答耗时分布"),
    "histogram_how": (
        "Number of cases by seconds; the mark is the median.",
        "按秒数统计的题数；竖线为中位数。",
    ),
    "no_type": ("(none)", "（无）"),
    "search": ("Search", "搜索"),
    "search_hint": ("words of a question, answer or document", "问题、答案或文档中的词"),
    "type": ("Type", "题型"),
    "outcome": ("Outcome", "结果"),
    "all": ("all", "全部"),
    "of_cases": ("cases shown", "题显示"),
    "nothing": ("No case matches.", "没有符合条件的题目。"),
    "clear": ("Show all", "显示全部"),
    "sampled": (
        "{full} cases open to full detail: those not right, and {right} of {all_right} right ones, drawn at random. "
        "The other {rest} are lines only; all of them are in cases.jsonl.",
        "{full} 题可展开查看详情：未答对的题目，以及从 {all_right} 道答对的题中随机抽取的 {right} 道。"
        "其余 {rest} 题只列一行；全部内容见 cases.jsonl。",
    ),
    "left_out": (
        "{n} cases that were not right did not fit either and are lines only.",
        "另有 {n} 道未答对的题目因篇幅所限只列一行。",
    ),
    "cut": ("Passages are cut to {n} characters.", "段落只显示前 {n} 个字。"),
    "history": ("Earlier in the conversation", "此前对话"),
    "user": ("user", "用户"),
    "assistant": ("assistant", "助手"),
    "gold": ("Expected", "标准答案"),
    "gold_documents": ("Gold documents", "答案所在文档"),
    "required": ("Must contain", "必须包含"),
    "misleading": ("Misleading", "误导答案"),
    "unanswerable": (
        "The documents do not hold an answer; it should be refused.",
        "文档中没有答案，应当拒答。",
    ),
    "answer": ("Answer", "回答"),
    "no_answer": ("(no answer)", "（没有回答）"),
    "reason": ("Reason", "原因"),
    "confidence": ("confidence", "置信度"),
    "dropped": ("Sentences left out of the answer", "未进入回答的句子"),
    "supported": ("borne out", "有依据"),
    "unsupported": ("not borne out", "无依据"),
    "not_a_claim": ("no claim", "非陈述"),
    "citations": ("Citations", "引用"),
    "passages": ("Passages", "段落"),
    "shown_mark": ("shown", "已给模型"),
    "gold_mark": ("gold", "含答案"),
    "further": ("{n} further passages", "另有 {n} 个段落"),
    "timings": ("Seconds", "用时（秒）"),
    "tokens": ("tokens read {read}, written {written}", "读入 {read} 词元，写出 {written} 词元"),
    "answered": ("answered", "已作答"),
    "partial": ("partial", "部分作答"),
    "refused": ("refused", "拒答"),
    "clarify": ("asks back", "反问"),
    "a": ("First run (A)", "第一次（A）"),
    "b": ("Second run (B)", "第二次（B）"),
    "difference": ("B − A", "B − A"),
    "p": ("p", "p 值"),
    "balance": ("better / worse / equal", "变好 / 变差 / 相同"),
    "verdict": ("In words", "结论"),
    "shared": (
        "Compared on the {n} cases that both runs have; {a} are in the first alone, {b} in the second alone.",
        "对比基于两次都有的 {n} 题；仅第一次有 {a} 题，仅第二次有 {b} 题。",
    ),
    "reworded": (
        "{n} cases have the same id but another question or other answers, and were left out.",
        "{n} 题编号相同但题目或答案不同，已排除。",
    ),
    "modes_differ": (
        "The runs were made differently (open or closed, retrieval alone): differences come from that, too.",
        "两次评测方式不同（开放或封闭、是否仅检索），差异也可能由此而来。",
    ),
    "chance": (
        "{n} metrics are compared; were the runs alike, about one in twenty would still look sure by chance.",
        "共比较 {n} 个指标；即使两次并无差别，也约有二十分之一会因偶然而显得确定。",
    ),
    "setting": ("Setting", "设置"),
    "what_differs": ("What differs", "不同之处"),
    "nothing_differs": ("Nothing that was recorded.", "记录中没有不同之处。"),
    "better_cases": ("Cases that B does better", "B 更好的题目"),
    "worse_cases": ("Cases that B does worse", "B 更差的题目"),
    "no_cases": ("None.", "没有。"),
    "better": ("B is better by {d}", "B 更好，相差 {d}"),
    "worse": ("B is worse by {d}", "B 更差，相差 {d}"),
    "unsure": (
        "no sure difference: {n} cases cannot tell it from chance",
        "差异不确定：{n} 题不足以排除偶然",
    ),
    "same": ("no difference at all", "完全相同"),
    "judge": ("Judge model", "评判模型"),
    "judge_faithful": ("Faithful: is every statement borne out?", "忠实：每句话都有依据吗"),
    "judge_correct": ("Correct: does it say what the reference says?", "正确：与参考答案意思相同吗"),
    "judge_question": ("Question", "评判的问题"),
    "accuracy": ("Same verdict as people", "与人工判断一致"),
    "kappa": ("Cohen's κ", "Cohen κ"),
    "unclear": ("Unclear replies", "答复不明"),
    "labels_n": ("Labelled items", "人工标注条数"),
    "verdict_yes": ("yes", "是"),
    "verdict_no": ("no", "否"),
    "verdict_unclear": ("unclear", "不明"),
    "judge_note": (
        "{model} judged {n} of {of} cases. Before, it judged items that people had labelled, with the agreement above. "
        "κ counts agreement beyond chance: 0 is chance, 1 is always the same. An unclear reply never counts as a pass.",
        "{model} 评判了 {of} 题中的 {n} 题。评判前先让它判断有人工标注的条目，一致程度见上表。"
        "κ 是除去偶然之后的一致程度：0 为碰巧，1 为完全一致。答复不明一律不算通过。",
    ),
    "judge_chance": (
        "“{question}”: its agreement cannot be told from chance, so its figures say nothing of the answers.",
        "“{question}”：一致程度与碰巧无法区分，这项评判的数字不能说明回答好坏。",
    ),
    "judge_rough": (
        "“{question}”: it often disagrees with people, so its figures are rough.",
        "“{question}”：常与人工判断不一致，这项评判的数字只能粗略参考。",
    ),
    "judge_beside": (
        "Judge {model}: κ {kappa} {span}, n {n}.",
        "评判模型 {model}：κ {kappa} {span}，n {n}。",
    ),
    "judges_differ": (
        "The runs were judged by different models or questions: the judges’ metrics do not compare.",
        "两次评测的评判模型或评判提示不同，评判指标不可比较。",
    ),
    "skip": ("Skip to the cases", "跳到题目"),
    "other": ("(other)", "（其他）"),
}


def word(key: str, language: Language, /, **values: object) -> str:
    """One of the reports' texts, with its ``{places}`` filled; a key that has none is its own text."""
    if key not in _TEXTS:
        return key
    text = _TEXTS[key][1 if language == "zh" else 0]
    return text.format(**values) if values else text


def figure(value: float | None) -> str:
    """A figure with as many places as help: 0.873, 12.3, 4,210; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    places = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    text = f"{value:,.{places}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def signed(value: float) -> str:
    """A difference with its sign, always."""
    text = figure(value)
    return f"+{text}" if value > 0 and text[:1].isdigit() and text.strip("0.") else text


def span(low: float, high: float) -> str:
    """An interval as "[0.812, 0.934]"."""
    return f"[{figure(low)}, {figure(high)}]"


def is_few(mean: MeanLike) -> bool:
    """Whether the mean is over too few cases to say much."""
    return mean.n < FEW


def probability(p: float) -> str:
    """A p value; never as nought."""
    return "< 0.001" if p < 0.001 else figure(p)
