from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.cases import Case
from eval.metrics import METRICS, score
from eval.metrics.reading import cmrc_tokens, em_cmrc, em_squad, f1_chars, f1_cmrc, f1_squad, rouge_l
from eval.results import CaseResult

READING = ("containment", "em_cmrc", "em_cmrc_folded", "f1_cmrc", "f1_cmrc_folded", "f1_chars", "rouge_l")
TEXTS = st.text(alphabet="甲乙丙区區 ab1.，。the", max_size=12)


def answered(
    text: str,
    *answers: str,
    lang: str = "zh-Hans",
    required: tuple[tuple[str, ...], ...] = (),
    outcome: str = "answered",
    answerable: bool = True,
) -> CaseResult:
    case = Case("1", "问？", answers=answers, required=required, lang=lang, answerable=answerable)
    return CaseResult(case, text=text, outcome=outcome)


def test_cmrc_tokens_are_han_characters_and_whole_words_without_its_punctuation() -> None:
    assert cmrc_tokens("GDP增长3.5%，达1,000亿元。") == [
        *("gdp", "增", "长", "3.5", "%", "达", "1,000", "亿", "元"),
    ]
    assert cmrc_tokens("《規劃》") == ["規", "劃"]
    assert cmrc_tokens("") == []


def official_tokens(text: str, split: Callable[[str], list[str]]) -> list[str]:
    """CMRC 2018's segmentation as its script goes about it: character by character, the rest given to NLTK."""
    found: list[str] = []
    held = ""
    for char in text.lower().strip():
        if char in "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』":
            continue
        if "\u4e00" <= char <= "\u9fa5":
            found += [*split(held), char]
            held = ""
        else:
            held += char
    return found + split(held)


def test_cmrc_tokens_agree_with_the_script_on_what_government_texts_hold() -> None:
    nltk = pytest.importorskip("nltk.tokenize")
    split = nltk.NLTKWordTokenizer().tokenize
    pieces = [
        *("改造", "小區", "28", "个", "3.5%", "1,000", "，", "。", "《", "》", "（", "）", "GDP", "R&D"),
        *("2021", "-", "2025", "年", "、", "：", "A1", " ", "“", "”"),
    ]
    rng = random.Random(7)
    for _ in range(500):
        # Between Han characters: on what Latin runs side by side come to, the two need not agree.
        text = "区".join(rng.choices(pieces, k=rng.randint(1, 8)))
        assert cmrc_tokens(text) == official_tokens(text, split), text


def test_cmrc_f1_is_that_of_the_longest_run() -> None:
    # The longest run in common is 个小区 (3), of 7 and 4 tokens; the 28 stands apart.
    assert len(cmrc_tokens("共28处，个小区改")) == 7
    assert f1_cmrc("共28处，个小区改", "28个小区") == pytest.approx(2 * 3 / (7 + 4))
    assert f1_cmrc("甲乙", "丙丁") == 0.0
    assert f1_cmrc("", "丙丁") == 0.0


def test_exact_match_leaves_out_punctuation_and_case() -> None:
    assert em_cmrc("《GDP》。", "gdp") == 1.0
    assert em_cmrc("28个小区", "28个") == 0.0


def test_scripts_match_only_when_folded() -> None:
    found = score(answered("２８個小區。", "28个小区"))
    assert (found["em_cmrc"], found["em_cmrc_folded"]) == (0.0, 1.0)
    assert found["f1_cmrc"] == pytest.approx(2 * 1 / (4 + 4))  # only 小 is the same
    assert found["f1_cmrc_folded"] == 1.0
    # 小 alone of the five characters each: the digits are full-width.
    assert found["f1_chars"] == pytest.approx(2 * 1 / (5 + 5))
    assert found["f1_chars_folded"] == 1.0
    assert found["containment"] == 1.0


def test_punctuation_that_folding_makes_ascii_does_not_count_when_folded() -> None:
    found = score(answered("教育，醫療；養老！", "教育医疗养老"))
    assert (found["em_cmrc_folded"], found["f1_cmrc_folded"]) == (1.0, 1.0)


def test_the_best_reference_counts() -> None:
    found = score(answered("周建明", "局长周建明", "周建明"))
    assert (found["em_cmrc"], found["f1_cmrc"], found["rouge_l"]) == (1.0, 1.0, 1.0)


def test_markers_are_no_part_of_an_answer() -> None:
    found = score(answered("28个小区[1]。[2, 3]", "28个小区"))
    assert (found["em_cmrc"], found["f1_chars"], found["rouge_l"]) == (1.0, 1.0, 1.0)
    assert score(answered("改造[28]", "28"))["containment"] == 0.0


def test_an_empty_answer_and_a_refusal_that_names_the_answer_score_zero() -> None:
    for result in (answered("", "南宁"), answered("资料没有提到南宁。", "南宁", outcome="refused")):
        found = score(result)
        assert {name: found[name] for name in READING} == dict.fromkeys(READING, 0.0)


def test_reading_does_not_apply_without_references_or_to_the_unanswerable() -> None:
    for result in (answered("甲"), answered("甲", " "), answered("甲", "甲", answerable=False)):
        assert not {*READING, "em_squad", "f1_squad"} & set(score(result))


def test_containment_needs_one_alternative_of_each_group() -> None:
    groups = (("28个", "二十八个"), ("投资",))
    assert score(answered("改造二十八個，投資3亿", required=groups))["containment"] == 1.0
    assert score(answered("改造28个", required=groups))["containment"] == 0.0
    assert score(answered("改造", "28个", "改造"))["containment"] == 1.0
    # What is required counts even where alternatives are known, and a blank alternative is in nothing.
    assert score(answered("改造28个", "改造", required=groups))["containment"] == 0.0
    assert score(answered("改造", "", "28个"))["containment"] == 0.0


def test_characters_in_any_order() -> None:
    assert f1_chars("乙甲甲", "甲乙丙丁") == pytest.approx(2 * 2 / (3 + 4))


def test_squad_normalises_english() -> None:
    assert em_squad("The Town Hall.", "town hall") == 1.0
    # "in" is one word too many: 2 of 3 and 2 of 2.
    assert f1_squad("in the town hall", "Town Hall") == pytest.approx(2 * 2 / (3 + 2))
    assert f1_squad("", "Town Hall") == 0.0
    assert f1_squad("the", "a") == 1.0


def test_squad_applies_to_english_alone() -> None:
    found = score(answered("The Town Hall", "town hall", lang="en"))
    assert (found["em_squad"], found["f1_squad"]) == (1.0, 1.0)
    assert "em_squad" not in score(answered("28个", "28个"))


def test_rouge_l_counts_characters_in_chinese_and_words_in_english() -> None:
    # 改造小区 is a subsequence of 改造28个小区 (7 characters).
    assert rouge_l("改造28个小区。", "改造小区") == pytest.approx(2 * 4 / (7 + 4))
    english = score(answered("the council met on Monday", "council met Monday", lang="en"))
    assert english["rouge_l"] == pytest.approx(2 * 3 / (5 + 3))
    assert rouge_l("", "改造") == 0.0


@given(TEXTS, TEXTS)
def test_rouge_l_agrees_with_rouge_score(answer: str, reference: str) -> None:
    rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")

    class Characters:
        def tokenize(self, text: str) -> list[str]:
            return [char for char in text.lower() if char.isalnum()]

    for english, tokenizer in ((True, None), (False, Characters())):
        theirs = rouge_scorer.RougeScorer(["rougeL"], tokenizer=tokenizer).score(reference, answer)["rougeL"]
        assert rouge_l(answer, reference, english=english) == pytest.approx(theirs.fmeasure)


@given(TEXTS, TEXTS)
def test_every_measure_is_between_0_and_1_and_1_for_the_reference_itself(answer: str, reference: str) -> None:
    for measure in (em_cmrc, f1_cmrc, f1_chars, em_squad, f1_squad, rouge_l):
        assert 0.0 <= measure(answer, reference) <= 1.0
        assert measure(answer, reference) == measure(reference, answer)
    if cmrc_tokens(reference):
        assert f1_cmrc(reference, reference) == 1.0


@given(TEXTS, TEXTS)
def test_a_longest_run_is_no_longer_than_the_bag(answer: str, reference: str) -> None:
    def tokens(text: str) -> str:
        return "".join(char for char in text if char in "甲乙丙区區")

    assert f1_cmrc(tokens(answer), tokens(reference)) <= f1_chars(tokens(answer), tokens(reference)) + 1e-9


def test_every_reading_metric_needs_an_answer() -> None:
    assert all(METRICS[name].needs_answer for name in READING)
