from __future__ import annotations

from eval.cases import Case
from eval.metrics import score
from eval.results import CaseResult

CORRECTED, PUBLISHED = "rgb_rejection", "rgb_rejection_as_published"


def rgb(
    text: str,
    *,
    outcome: str = "answered",
    kind: str = "noise",
    required: tuple[tuple[str, ...], ...] = (("1月3日", "元月三日"), ("1月12日",)),
    answerable: bool = True,
    misleading: tuple[str, ...] = (),
    lang: str = "zh-Hans",
) -> dict[str, float]:
    case = Case(
        "1", "问？", required=required, type=kind, answerable=answerable, misleading=misleading, lang=lang
    )
    found = score(CaseResult(case, text=text, outcome=outcome))
    return {name: value for name, value in found.items() if name.startswith("rgb_")}


def test_accuracy_needs_every_group() -> None:
    assert rgb("宣誓在元月三日，会议在1月12日。", kind="integration") == {"rgb_accuracy": 1.0}
    assert rgb("宣誓在1月3日。") == {"rgb_accuracy": 0.0}
    assert rgb("宣誓在 1 月 3 日，会议在 1 月 12 日。") == {"rgb_accuracy": 1.0}
    assert rgb("") == {"rgb_accuracy": 0.0}


def test_an_answer_that_calls_the_information_insufficient_is_not_right() -> None:
    assert rgb("信息不足，可能是1月3日和1月12日。") == {"rgb_accuracy": 0.0}


def test_english_is_matched_without_case() -> None:
    assert rgb("It was in tampa, florida.", required=(("Tampa, Florida",),), lang="en") == {
        "rgb_accuracy": 1.0
    }


def test_rejection_as_published_also_counts_right_answers() -> None:
    right = rgb("1月3日和1月12日。", answerable=False, kind="rejection")
    assert right == {CORRECTED: 0.0, PUBLISHED: 1.0}
    wrong = rgb("2月。", answerable=False, kind="rejection")
    assert wrong == {CORRECTED: 0.0, PUBLISHED: 0.0}
    phrase = rgb("文档信息不足。", answerable=False, kind="rejection")
    assert phrase == {CORRECTED: 0.0, PUBLISHED: 1.0}
    refused = rgb("没有找到。", outcome="refused", answerable=False, kind="rejection")
    assert refused == {CORRECTED: 1.0, PUBLISHED: 1.0}


def test_nothing_to_find_is_not_found() -> None:
    assert rgb("2月。", answerable=False, required=()) == {CORRECTED: 0.0, PUBLISHED: 0.0}


def counterfactual(text: str) -> dict[str, float]:
    return rgb(text, kind="counterfactual", required=(("1361万",),), misleading=("161万",))


def test_correction_is_measured_where_errors_were_detected() -> None:
    assert counterfactual("文档有事实性错误，应为1361万。") == {
        "rgb_accuracy": 1.0,
        "rgb_detection": 1.0,
        "rgb_correction": 1.0,
    }
    assert counterfactual("文档有事实性错误。") == {
        "rgb_accuracy": 0.0,
        "rgb_detection": 1.0,
        "rgb_correction": 0.0,
    }
    assert counterfactual("161万人。") == {"rgb_accuracy": 0.0, "rgb_detection": 0.0}


def test_with_noise_alone_nothing_falsified_can_be_detected() -> None:
    noise = rgb("2月。", kind="counterfactual", misleading=("161万",), answerable=False)
    assert noise == {CORRECTED: 0.0, PUBLISHED: 0.0}


def test_other_benchmarks_have_none_of_it() -> None:
    assert rgb("1月3日和1月12日。", kind="fact") == {}
