from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.ahead import AheadEmbedder
from eval.cases import Case
from eval.rewriting import (
    Dialogue,
    Found,
    as_asked,
    by_rules,
    compared,
    drawn,
    found_by,
    main,
    read_dialogues,
    restored_words,
    restoring,
    turns_of,
    with_model,
)
from rag.errors import SourceError, SourceNotFound
from rag.questions import analyse
from rag.retrieval import Retriever
from rag.types import Turn

HISTORY = turns_of(["加装电梯补贴多少？", "22万元。"])


def dialogue(reference: str, question: str = "它什么时候截止？") -> Dialogue:
    return Dialogue(question, HISTORY, reference)


def test_restored_words_are_those_beyond_the_question() -> None:
    assert restored_words("它什么时候截止", "电梯什么时候截止") == {"电梯": 1}
    assert not restored_words("它什么时候截止", "什么时候截止")


def test_a_perfect_restoration_scores_one_and_an_unchanged_question_nothing() -> None:
    wanted = dialogue("加装电梯补贴什么时候截止")
    perfect = restoring([wanted], ["加装电梯补贴什么时候截止？"])
    assert (perfect.exact.value, perfect.precision, perfect.recall, perfect.f1) == (1.0, 1.0, 1.0, 1.0)
    same = restoring([wanted], [wanted.question])
    assert (same.exact.value, same.precision, same.recall, same.f1) == (0.0, 0.0, 0.0, 0.0)


def test_what_is_restored_is_counted_over_all_questions() -> None:
    one, two = dialogue("电梯什么时候截止"), dialogue("电梯补贴什么时候截止")
    score = restoring([one, two], ["电梯什么时候截止", "电梯小区什么时候截止"])
    assert (score.n, score.precision) == (2, pytest.approx(2 / 3))
    assert score.recall == pytest.approx(2 / 3)
    assert score.exact.value == 0.5


def test_scoring_nothing_or_unequal_lists_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        restoring([], [])
    with pytest.raises(ValueError, match="shorter"):
        restoring([dialogue("x")], [])


def test_turns_alternate_and_the_last_is_the_assistants() -> None:
    assert [turn.role for turn in turns_of(["a", "b", "c"])] == ["assistant", "user", "assistant"]


def test_cases_are_drawn_alike_each_time() -> None:
    cases = [Case(str(n), "?") for n in range(50)]
    assert drawn(cases, 5) == drawn(cases, 5)
    assert len(drawn(cases, 500)) == 50


def test_a_difference_is_paired_with_its_interval() -> None:
    base = [Found(str(n), (0.0, 0.0)) for n in range(10)]
    better = [Found(str(n), (1.0, float(n % 2))) for n in range(10)]
    line = compared("rules", better, base)
    assert line.startswith("| rules | 10 | 1.000 [1.000, 1.000] | +1.000 [+1.000, +1.000] | 0.500 [")
    assert compared("as asked", base, base).count("–") == 3


def test_the_model_is_asked_only_where_the_rules_find_nothing(make_pipeline: Any) -> None:
    model = make_pipeline("加装电梯补贴什么时候截止？", "没听过的话").model
    seconds: list[float] = []
    means = with_model(model, seconds)
    assert means(analyse("住建局承诺了什么？", 2000), HISTORY).by == "none"
    assert not model.asked
    assert means(analyse("它什么时候截止？", 2000), HISTORY).by == "model"
    assert means(analyse("它什么时候截止？", 2000), HISTORY).by == "joined"
    assert len(seconds) == len(model.asked) == 2


def test_questions_are_asked_behind_their_history(make_pipeline: Any) -> None:
    library = make_pipeline().library
    embedder = AheadEmbedder(library.embedder)
    gold = {v.source.path.rpartition("/")[2]: v.source.id for v in library.documents()}
    assert len(gold) == 2
    case = Case("1", "他还说了什么？", gold=tuple(gold.values()))
    history = (Turn("user", "住建局局长是谁？"), Turn("assistant", "田禾。"))
    found, how = found_by(by_rules, [case], [history], Retriever(library), embedder)
    assert found == [Found("1", (1.0, 1.0))]
    assert how[0].standalone == "田禾还说了什么？"
    _, same = found_by(as_asked, [case], [history], Retriever(library), embedder)
    assert same[0].standalone == case.question


def test_dialogues_are_read_and_faults_told(tmp_path: Path) -> None:
    path = tmp_path / "queries.jsonl"
    with pytest.raises(SourceNotFound, match="not there"):
        read_dialogues(path)
    record = {"question": "它呢", "history": ["电梯", "好"], "answers": ["电梯呢"]}
    path.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    assert read_dialogues(path) == [Dialogue("它呢", turns_of(["电梯", "好"]), "电梯呢")]
    path.write_text('{"question": "它呢", "history": [], "answers": []}\n', encoding="utf-8")
    with pytest.raises(SourceError, match="does not hold dialogues"):
        read_dialogues(path)


def test_the_command_prints_the_table_of_restoring(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "utterance_rewriter"
    folder.mkdir()
    record = {
        "question": "他还说了什么",
        "history": ["住建局局长是谁", "田禾"],
        "answers": ["田禾还说了什么"],
    }
    (folder / "queries.jsonl").write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    main(["--data", str(tmp_path), "--home", str(tmp_path / "home"), "--only", "restoring"])
    lines = capsys.readouterr().out.splitlines()
    assert "| rules | 1 | 1.000 [1.000, 1.000] | 1.000 | 1.000 | 1.000 | named 1 |" in lines
