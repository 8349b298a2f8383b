from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from conftest import ScriptedModel
from hypothesis import given
from hypothesis import strategies as st

from eval.judging import LabelledItem, agreement, load_labelled, prompts
from eval.judging.agreement import rating
from rag.errors import EndpointUnreachable, SourceError, SourceNotFound

ITEMS = tuple(
    LabelledItem(
        str(n), "zh-Hans", "right", "问？", ("改造36个。",), "改造36个。", ("36个",), faithful, correct
    )
    for n, (faithful, correct) in enumerate([("yes", "yes"), ("no", "no"), ("no", "yes"), ("yes", "no")])
)


def test_the_set_that_is_shipped_is_large_balanced_and_in_three_scripts() -> None:
    items = load_labelled()
    assert len(items) >= 80
    flawed = [item for item in items if "no" in (item.faithful, item.correct)]
    assert len(flawed) >= len(items) / 2
    assert {item.lang for item in items} == {"zh-Hans", "zh-Hant", "en"}
    both = Counter((item.faithful, item.correct) for item in items)
    # Each of the two questions has to be told apart from the other.
    assert min(both["yes", "no"], both["no", "yes"]) >= 10
    for verdicts in (
        [item.faithful for item in items],
        [item.correct for item in items if item.correct],
    ):
        assert 0.3 <= verdicts.count("yes") / len(verdicts) <= 0.7
    assert all((item.kind == "right") <= (item.faithful == "yes" and item.correct == "yes") for item in items)
    assert len({(item.question, item.answer) for item in items}) == len(items)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{}", "missing"),
        ("nonsense", "malformed"),
        ('{"id": "1", "faithful": "maybe"}', "malformed"),
    ],
)
def test_a_malformed_label_is_told_with_its_line(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(SourceError, match="Line 2") as error:
        load_labelled(path)
    assert told in str(error.value)


def test_labels_must_be_there_and_fit_together(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        load_labelled(tmp_path / "none.jsonl")
    path = tmp_path / "labels.jsonl"
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(SourceError, match="nothing"):
        load_labelled(path)
    fields = {name: getattr(ITEMS[0], name) for name in ITEMS[0].__dataclass_fields__}
    path.write_text(json.dumps(fields | {"references": []}), encoding="utf-8")
    with pytest.raises(SourceError, match="needs a reference"):
        load_labelled(path)
    path.write_text("\n".join([json.dumps(fields)] * 2), encoding="utf-8")
    with pytest.raises(SourceError, match="twice"):
        load_labelled(path)


def test_kappa_is_that_of_the_textbook() -> None:
    # 20 and 15 agreed of 50, rated yes by one 25 times and by the other 30 times: p_o 0.7, p_e 0.5, kappa 0.4.
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    found = rating(pairs)  # type: ignore[arg-type]
    assert found is not None
    assert found.accuracy == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.kappa_low is not None
    assert found.kappa_high is not None
    assert 0 < found.kappa_low < 0.4 < found.kappa_high < 0.7
    assert (found.n, found.unclear) == (50, 0)


def test_an_unclear_reply_never_agrees() -> None:
    found = rating([("yes", "yes"), ("yes", "unclear"), ("no", "unclear"), ("no", "no")])
    assert found is not None
    assert (found.accuracy, found.unclear) == (0.5, 2)


def test_kappa_is_undefined_where_all_is_one_verdict() -> None:
    found = rating([("yes", "yes")] * 5)
    assert found is not None
    assert (found.accuracy, found.kappa, found.kappa_low) == (1.0, None, None)
    assert rating([]) is None


@given(
    st.lists(st.tuples(st.sampled_from(["yes", "no"]), st.sampled_from(["yes", "no", "unclear"])), min_size=1)
)
def test_kappa_lies_in_its_range_and_is_one_only_in_full_agreement(pairs: list[tuple[str, str]]) -> None:
    found = rating(pairs, resamples=50)  # type: ignore[arg-type]
    assert found is not None
    assert 0 <= found.accuracy_low <= found.accuracy <= found.accuracy_high <= 1
    if found.kappa is None:
        assert len({verdict for pair in pairs for verdict in pair}) == 1
    else:
        assert -1 <= found.kappa <= 1 + 1e-9
        assert (found.kappa > 1 - 1e-9) == all(label == verdict for label, verdict in pairs)


def test_a_judge_is_held_against_the_labels_question_by_question() -> None:
    model = ScriptedModel("是", "是", "否", "否", "是", "是", "是", "hm")
    found = agreement(model, ITEMS)
    assert found.model == "scripted"
    assert found.faithful is not None
    assert found.correct is not None
    assert (found.faithful.n, found.faithful.accuracy, found.faithful.unclear) == (4, 0.75, 0)
    assert (found.correct.n, found.correct.accuracy, found.correct.unclear) == (4, 0.75, 1)


def test_agreement_is_measured_once_for_a_model_its_place_prompts_and_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache" / "judges.json"
    told: list[tuple[int, int]] = []
    first = agreement(ScriptedModel(*["是"] * 8), ITEMS, cache, tell=lambda *step: told.append(step))
    assert told[0] == (0, 4)
    assert told[-1] == (4, 4)
    assert agreement(ScriptedModel(), ITEMS, cache) == first
    for change in ({"place": "http://other"}, {"labelled": ITEMS[:3]}):
        model = ScriptedModel(*["是"] * 8)
        agreement(model, **({"labelled": ITEMS, "cache": cache} | change))  # type: ignore[arg-type]
        assert model.asked
    monkeypatch.setattr(prompts, "VERSION", prompts.VERSION + 1)
    model = ScriptedModel(*["是"] * 8)
    agreement(model, ITEMS, cache)
    assert len(model.asked) == 8
    cache.write_text("{", encoding="utf-8")
    agreement(ScriptedModel(*["是"] * 8), ITEMS, cache)
    assert len(json.loads(cache.read_text(encoding="utf-8"))) == 1


def test_a_judge_that_falls_silent_has_no_agreement(tmp_path: Path) -> None:
    cache = tmp_path / "judges.json"
    with pytest.raises(EndpointUnreachable):
        agreement(ScriptedModel("是", EndpointUnreachable("gone")), ITEMS, cache)
    assert not cache.exists()
