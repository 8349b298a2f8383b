from __future__ import annotations

from datetime import date

from rag.checking import Draft, cite
from rag.citations import Checked
from rag.currency import dated, in_force, with_disagreements
from rag.questions import analyse
from rag.types import Chunk, Passage, Source

TITLE = "关于申报既有住宅加装电梯补贴的通知"
TODAY = date(2026, 6, 1)


def passage(id_: str, title: str, text: str, on: str | None, start: int = 0) -> Passage:
    source = Source(id_, f"/{id_}.txt", title, "x", "text/plain", published=on)
    return Passage(Chunk(id_, 0, start, start + len(text), text), source, 1.0)


OLD = passage("old", TITLE, "每台补贴18万元。", "2025-06-16")
NEW = passage(
    "new",
    "关于加装电梯事项的通知",
    f"每台补贴22万元。本通知自2026年4月1日起施行。《{TITLE}》同时废止。",
    "2026-03-16",
)
PLAN = passage("plan", "改造计划", "2026年改造老旧小区28个。", "2026-02-10", start=40)
MINUTES = passage("minutes", "会议实录", "会议开始。2026年改造老旧小区35个。", "2026-01-20", start=7)


def draft(one: Passage, number: int) -> Draft:
    span = (one.chunk.start, one.chunk.end)
    checked = Checked(one.chunk.text, "", (number,), "supported", ranges=(span,))
    return Draft((checked,), {(number, *span): cite(one, number, *span)})


def test_a_repealed_notice_is_set_aside_and_the_one_in_force_stays() -> None:
    held = in_force(analyse("加装电梯每台补贴多少？", 2000), [OLD, NEW], TODAY)
    assert held.passages == (NEW, OLD)
    assert held.current == 1


def test_it_counts_before_the_repeal_takes_effect() -> None:
    held = in_force(analyse("加装电梯每台补贴多少？", 2000), [OLD, NEW], date(2026, 3, 20))
    assert (held.passages, held.current) == ((OLD, NEW), 2)


def test_asked_for_by_its_year_or_its_title_it_counts() -> None:
    for text in ("2025年加装电梯每台补贴多少？", f"《{TITLE}》规定补贴多少？"):
        held = in_force(analyse(text, 2000), [OLD, NEW], TODAY)
        assert (held.passages, held.current) == ((OLD, NEW), 2), text


def test_nothing_is_set_aside_where_nothing_is_repealed() -> None:
    question = analyse("加装电梯每台补贴多少？", 2000)
    assert in_force(question, [OLD], TODAY).current == 1
    assert in_force(question, [], TODAY).current == 0


def test_a_disagreement_is_told_with_the_earlier_and_both_are_cited() -> None:
    told = with_disagreements(draft(PLAN, 1), [PLAN, MINUTES], "zh-Hans")
    line = told.checked[-1]
    assert line.text == "较早的说法不同，《会议实录》（2026-01-20）：“2026年改造老旧小区35个。”"
    assert line.numbers == (2,)
    assert [citation.number for citation in told.citations] == [1, 2]
    for citation in told.citations:
        chunk = citation.passage.chunk
        assert chunk.text[citation.start - chunk.start : citation.end - chunk.start] == citation.quote
        assert citation.quote


def test_the_later_of_both_is_marked_in_each_language() -> None:
    for script, words in (
        ("zh-Hans", "另有较新的不同说法"),
        ("zh-Hant", "另有較新的不同說法"),
        ("en", "A later document says otherwise"),
    ):
        told = with_disagreements(draft(MINUTES, 2), [PLAN, MINUTES], script)  # type: ignore[arg-type]
        assert told.checked[-1].text.startswith(words)


def test_without_a_date_neither_is_called_later() -> None:
    undated = passage("undated", "会议实录", MINUTES.chunk.text, None)
    told = with_disagreements(draft(PLAN, 1), [PLAN, undated], "zh-Hans")
    assert told.checked[-1].text.startswith("另有不同说法，《会议实录》：")


def test_nothing_is_told_where_one_document_is_or_both_agree_or_nothing_is_cited() -> None:
    alone = draft(PLAN, 1)
    assert with_disagreements(alone, [PLAN], "zh-Hans") == alone
    same = passage("same", "会议实录", "2026年改造老旧小区28个。", "2026-01-20")
    assert with_disagreements(alone, [PLAN, same], "zh-Hans") == alone
    assert with_disagreements(Draft(()), [PLAN, MINUTES], "zh-Hans") == Draft(())


def test_two_dates_are_told_newest_first_and_of_more_the_newest() -> None:
    def cited(*ons: str | None) -> list:
        return [cite(passage(str(on), "文", "文字", on), 1, 0, 2) for on in ons]

    assert dated(cited("2025-06-16", "2026-03"), "zh-Hans") == "据2026年3月的文件、据2025年6月16日的文件"
    assert dated(cited("2024", "2025-06-16", "2026-03"), "zh-Hant") == "據2026年3月的文件"
    assert dated(cited("2024", "2024"), "en") == "As of 2024"
    assert dated(cited(None), "en") == dated([], "en") == ""
