from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from conftest import NOTICE
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import SettingsError
from rag.filters import (
    bodies_known,
    body_given,
    date_given,
    dates_label,
    described,
    filters_in,
    iso_date,
    joined_filters,
    keeper,
    overridden,
    parts,
    passes,
    published_within,
    refusal,
    restriction,
    without,
)
from rag.library import Library
from rag.pipeline import Pipeline
from rag.questions import analyse
from rag.retrieval import Retriever
from rag.serialization import answer_record
from rag.types import Chunk, Filters, Source, Speech, Turn

TODAY = date(2026, 3, 15)
HOUSING, SCHOOLS = "住房和城乡建设局", "教育局"
Make = Callable[..., Pipeline]


def since(value: str) -> Filters:
    return Filters(since=value)


def until(value: str) -> Filters:
    return Filters(until=value)


def within(first: str, last: str) -> Filters:
    return Filters(since=first, until=last)


def of(*bodies: str) -> Filters:
    return Filters(bodies=bodies)


@pytest.mark.parametrize(
    ("question", "filters", "rest"),
    [
        ("只看住建局的：老旧小区改造多少个？", of(HOUSING), "老旧小区改造多少个？"),
        ("請只看住建局的文件：電梯補貼多少？", of(HOUSING), "電梯補貼多少？"),
        ("仅限教育局，招生政策有哪些变化", of(SCHOOLS), "招生政策有哪些变化"),
        ("電梯補貼多少（只看住建局）", of(HOUSING), "電梯補貼多少"),
        ("住建局的文件里怎么说加装电梯", of(HOUSING), "怎么说加装电梯"),
        ("在区教育局发布的通知中，报名时间是什么时候", of(SCHOOLS), "报名时间是什么时候"),
        ("只看住建局和教育局的文件，校门口停车怎么办", of(HOUSING, SCHOOLS), "校门口停车怎么办"),
        ("only the housing bureau: what is the subsidy?", of(HOUSING), "what is the subsidy?"),
        ("look only at the housing bureau: what is the subsidy?", of(HOUSING), "what is the subsidy?"),
        ("In the education bureau's documents, what is the deadline?", of(SCHOOLS), "what is the deadline?"),
        ("elevator subsidy, only 住建局", of(HOUSING), "elevator subsidy"),
        ("2024年以来住建局承诺了什么", since("2024"), "住建局承诺了什么"),
        ("2024年以來住建局承諾了什麼", since("2024"), "住建局承諾了什麼"),
        ("二〇二四年以来的电梯政策", since("2024"), "电梯政策"),
        ("民國113年以來的補助", since("2024"), "補助"),
        ("自2023年3月起教育局说了什么", since("2023-03"), "教育局说了什么"),
        ("今年以来新增停车位多少", since("2026"), "新增停车位多少"),
        ("2024年至2025年住建局说了什么", within("2024", "2025"), "住建局说了什么"),
        ("2024年3月至5月发布的通知里有没有电梯", within("2024-03", "2024-05"), "有没有电梯"),
        ("2023年3月以前住建局说了什么", until("2023-02"), "住建局说了什么"),
        ("截至2024年6月的文件里，改造了多少个小区", until("2024-06"), "改造了多少个小区"),
        ("去年的文件里有没有提到电梯", within("2025", "2025"), "有没有提到电梯"),
        ("只看2024年的文件，电梯补贴多少", within("2024", "2024"), "电梯补贴多少"),
        (
            "since 2024, what did the housing bureau promise?",
            since("2024"),
            "what did the housing bureau promise?",
        ),
        (
            "What did the housing bureau say before March 2023?",
            until("2023-02"),
            "What did the housing bureau say?",
        ),
        (
            "What is said about elevators in 2024 documents?",
            within("2024", "2024"),
            "What is said about elevators?",
        ),
        (
            "What did the police promise between 2023 and 2024?",
            within("2023", "2024"),
            "What did the police promise?",
        ),
        ("What has been promised since last year?", since("2025"), "What has been promised?"),
        ("住建局2024年以来的文件里有没有电梯补贴", Filters((HOUSING,), since="2024"), "有没有电梯补贴"),
        ("只看王强说的，电梯怎么办", Filters(speaker="王强"), "电梯怎么办"),
        ("只看住建局局长王强的发言，电梯怎么办", Filters((HOUSING,), "王强"), "电梯怎么办"),
    ],
)
def test_what_is_plainly_said_restricts_and_is_not_searched_for(
    question: str, filters: Filters, rest: str
) -> None:
    found = restriction(question, TODAY)
    assert (found.filters, found.rest) == (filters, rest)


@pytest.mark.parametrize(
    "question",
    [
        "2024年的目标是多少",
        "2001年建的房子可以加装电梯吗",
        "2001年以前建的房子怎么办",
        "住建局承诺对2001年以前建的房子怎么处理",
        "2024年住建局承诺了什么",
        "2024年政府工作报告提出了什么目标",
        "2024年到2026年要改造多少小区",
        "2024-2025学年校历",
        "预算2024.5万元",
        "去年改造了多少小区",
        "今年的招生計劃是什麼",
        "自2024年3月起执行的标准是多少",
        "被告从2014年起每年给付多少",
        "住建局承诺了什么",
        "只有住建局负责吗",
        "只要住建局同意就可以加装吗",
        "不要只看住建局的",
        "培训仅限教育局干部参加吗",
        "办理需要教育局的材料吗",
        "住建局文件中心在哪里",
        "只看高新区的表态",
        "houses built before 2001",
        "houses built since 2001",
        "what is the target for 2024?",
        "What was built in 2024?",
        "What did it promise for houses built before 2001?",
        "Is it only the housing bureau that approves?",
        "Does only the police handle it?",
    ],
)
def test_what_describes_the_thing_asked_about_does_not_restrict(question: str) -> None:
    assert restriction(question, TODAY).filters == Filters()
    assert restriction(question, TODAY).rest == question


def test_years_that_count_from_today_need_it() -> None:
    assert filters_in("去年以来有哪些新政策") == Filters()
    assert filters_in("去年以来有哪些新政策", date(2030, 1, 1)) == since("2029")


def test_a_date_that_does_not_exist_does_not_restrict() -> None:
    assert filters_in("2024年13月以来有哪些新政策") == Filters()
    assert filters_in("2025年至2024年住建局说了什么").since is None


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "只看",
                "住建局",
                "的",
                "2024年",
                "3月",
                "31日",
                "以来",
                "至",
                "since ",
                "before ",
                "March ",
                "2023 ",
                "文件里",
                "王强说的",
                "only ",
                "the housing bureau",
            ]
        ),
        max_size=10,
    ).map("".join)
)
def test_any_text_is_read_without_an_error_into_dates_that_exist(text: str) -> None:
    found = restriction(text, TODAY)
    for value in (found.filters.since, found.filters.until):
        assert value is None or iso_date(value) == value
    assert bool(found.filters) or found.rest == text


@given(st.dates(), st.dates(), st.sampled_from([4, 7, 10]), st.sampled_from([4, 7, 10]))
def test_a_partial_date_covers_its_whole_period(published: date, bound: date, shown: int, kept: int) -> None:
    document, limit = published.isoformat()[:shown], bound.isoformat()[:kept]
    after, before = (published_within(document, limit, None), published_within(document, None, limit))
    assert after or before
    if published == bound:
        assert after
        assert before
    if published.year < bound.year:
        assert not after
    if published.year > bound.year:
        assert not before


def test_what_bears_no_date_is_in_no_stretch_of_time() -> None:
    assert not published_within(None, "2024", None)
    assert published_within(None, None, None)


def source(title: str = "简报", issuer: str | None = None, published: str | None = "2024-05-01") -> Source:
    return Source("d", "d.txt", title, "0", "text/plain", published=published, issuer=issuer)


def chunk(*speeches: tuple[str, str]) -> Chunk:
    return Chunk("d", 0, 0, 4, "文字文字", speeches=tuple(Speech(0, 4, who, body) for who, body in speeches))


def test_of_a_report_in_which_several_speak_only_the_bodys_own_words_pass() -> None:
    only = of(HOUSING)
    assert passes(only, chunk(("局长田禾", HOUSING)), source())
    assert passes(only, chunk(("", HOUSING), ("局长白露", SCHOOLS)), source())
    assert not passes(only, chunk(("局长白露", SCHOOLS)), source("住建局等部门发言"))
    assert not passes(only, chunk(), source())


def test_what_a_body_issued_passes_and_a_title_counts_where_nothing_else_tells() -> None:
    only = of(HOUSING)
    assert passes(only, chunk(), source(issuer="澄江区住建局"))
    assert passes(only, chunk(), source("区住建局2024年工作总结"))
    assert not passes(only, chunk(), source("转发住建局通知", issuer="区教育局"))


def test_a_speaker_passes_by_name_and_all_restrictions_hold_together() -> None:
    words = chunk(("局长王强", HOUSING))
    assert passes(Filters(speaker="王强"), words, source())
    assert not passes(Filters(speaker="王刚"), words, source())
    assert not passes(Filters(speaker="王强", since="2025"), words, source())
    assert not passes(Filters((SCHOOLS,), "王强"), words, source())


def test_dates_alone_are_settled_by_documents() -> None:
    assert keeper(since("2024")) is None
    assert keeper(of(HOUSING)) is not None


def test_restrictions_are_taken_apart_and_put_together() -> None:
    whole = Filters((HOUSING, SCHOOLS), "王强", "2024", "2025")
    rebuilt = Filters()
    for _, one in parts(whole):
        rebuilt = joined_filters(rebuilt, one)
    assert rebuilt == whole
    left = whole
    for name, _ in parts(whole):
        left = without(left, name)
    assert not left
    assert without(whole, "dates") == Filters((HOUSING, SCHOOLS), "王强")
    assert without(whole, "nonsense") == whole


def test_what_is_given_holds_in_place_of_what_is_stated() -> None:
    assert overridden(since("2025"), Filters((HOUSING,), until="2023")) == Filters((HOUSING,), since="2025")
    assert overridden(of(SCHOOLS), of(HOUSING)) == of(SCHOOLS)


def test_names_and_dates_that_a_user_types() -> None:
    assert (
        body_given("住建局").name
        == body_given("housing bureau").name
        == body_given("區住建局").name
        == HOUSING
    )
    assert date_given("2024-3") == "2024-03"
    with pytest.raises(SettingsError, match=r"2024-03-15") as wrong:
        date_given("昨天")
    assert "昨天" in wrong.value.chinese
    with pytest.raises(SettingsError, match="住建局") as near:
        body_given("住建厅")
    assert "住建局" in near.value.chinese
    with pytest.raises(SettingsError, match="several"):
        body_given("住建局和教育局")


def test_a_refusal_names_the_filter_in_the_questions_script() -> None:
    only = Filters((HOUSING,), since="2024-03")
    assert (
        refusal(only, "zh-Hans")
        == "在住建局2024年3月以来的文件里没有找到与这个问题有关的内容；去掉筛选再试。"
    )
    assert refusal(only, "zh-Hant").startswith("在住建局2024年3月以來的文件裡沒有找到")
    assert "housing" in refusal(only, "en")
    assert "since 2024-03" in refusal(only, "en")
    assert "3份" in refusal(only, "zh-Hans", undated=3)
    assert dates_label(within("2024", "2024"), "zh-Hans") == "2024年"
    assert described(Filters(speaker="王强"), "zh-Hans") == "王强的发言"


# -- In a library

SESSION = """区委全会召开
发布日期：2025年12月29日

区住建局局长田禾表示，将改造老旧小区28个，加快建设好房子，推动建筑业转型升级，让群众住得更安心。

区文旅局局长白露表示，将打造湖畔音乐节品牌，全年接待游客300万人次，改造老旧景区9个，加快建设智慧文旅。

区教育局局长李清表示，将改造老旧校舍12栋，新增学位3000个，加快建设优质学校，推动教育均衡发展。
"""
FILES = {
    "session.txt": SESSION,
    "notice.txt": NOTICE,
    "old.txt": "关于老旧小区改造的旧闻\n发布日期：2019年3月2日\n\n2019年计划改造老旧小区5个。\n",
}
GOOD = "将改造老旧小区28个[1]。"


def texts(pipeline: Pipeline, question: str, **given: object) -> list[str]:
    return [passage.chunk.text for passage in pipeline.retrieve(question, **given)]  # type: ignore[arg-type]


def test_only_the_bodys_own_passages_are_found(make_pipeline: Make) -> None:
    pipeline = make_pipeline(files=FILES, chunk_chars=60)
    question = "老旧小区、校舍和景区改造多少？"
    everything = texts(pipeline, question)
    assert any("校舍" in text for text in everything)
    for found in (
        texts(pipeline, f"只看教育局的：{question}"),
        texts(pipeline, question, filters=of(SCHOOLS)),
        texts(pipeline, f"只看住建局的：{question}", filters=of(SCHOOLS)),
    ):
        assert found
        assert all("校舍" in text for text in found)


def test_dates_choose_documents_and_what_bears_none_is_counted(make_pipeline: Make) -> None:
    pipeline = make_pipeline(GOOD, files=FILES)
    answer = pipeline.ask("2020年以来要改造多少老旧小区？")
    assert answer.filters == since("2020")
    assert answer.undated == 1
    assert "2020" not in answer.standalone
    assert {passage.source.path.rpartition("/")[2] for passage in answer.passages} == {"session.txt"}
    record = answer_record(answer)
    assert record["filters"] == {
        "bodies": [],
        "speaker": "",
        "since": "2020",
        "until": None,
        "collection": "",
    }


def test_a_restriction_that_is_not_to_hold_is_not_searched_for_either(make_pipeline: Make) -> None:
    answer = make_pipeline(GOOD, files=FILES).ask("2020年以来要改造多少老旧小区？", read=False)
    assert not answer.filters
    assert "2020" not in answer.standalone
    assert any("旧闻" in passage.source.title for passage in answer.passages)


def test_nothing_under_a_filter_is_a_refusal_that_names_it(make_pipeline: Make) -> None:
    pipeline = make_pipeline(files=FILES)
    answer = pipeline.ask("老旧小区改造多少个？", filters=Filters(("气象局",), since="2021"))
    assert answer.outcome == "refused"
    assert "气象局2021年以来的文件" in answer.text
    assert "去掉筛选" in answer.text
    assert not pipeline.model.asked  # type: ignore[attr-defined]
    english = pipeline.ask("How many old estates are renovated?", filters=until("1999"))
    assert "up to 1999" in english.text


def test_a_follow_up_that_only_restricts_asks_the_question_before_it_again(make_pipeline: Make) -> None:
    pipeline = make_pipeline(GOOD, files=FILES)
    history = [Turn("user", "只看住建局的：要改造多少老旧小区？"), Turn("assistant", "28个。")]
    answer = pipeline.ask("只看2024年以来的", history)
    assert answer.filters == Filters((HOUSING,), since="2024")
    assert "老旧小区" in answer.standalone
    assert answer.outcome == "answered"


def test_words_about_time_are_no_restriction_where_no_document_bears_a_date(make_pipeline: Make) -> None:
    pipeline = make_pipeline(GOOD, files={"a.txt": "老旧小区改造\n\n住建局将改造老旧小区28个。\n"})
    answer = pipeline.ask("2020年以来要改造多少老旧小区？")
    assert not answer.filters
    assert answer.passages
    assert pipeline.ask("要改造多少老旧小区？", filters=since("2020")).outcome == "refused"


def test_documents_asked_alone_are_filtered_too(make_pipeline: Make) -> None:
    pipeline = make_pipeline(files=FILES)
    old = next(v.source.id for v in pipeline.library.documents() if "旧闻" in v.source.title)
    assert texts(pipeline, "老旧小区改造多少个？", within=[old])
    assert not texts(pipeline, "老旧小区改造多少个？", within=[old], filters=since("2020"))


def test_the_library_knows_its_bodies_and_follows_its_documents(
    make_library: Callable[..., Library],
) -> None:
    library = make_library({"session.txt": SESSION})
    assert set(bodies_known(library.facts())) >= {HOUSING, SCHOOLS}
    assert library.matching(of(SCHOOLS)).documents
    (known,) = library.facts()
    library.remove(known.source.id)
    assert library.facts() == []
    assert not library.matching(of(SCHOOLS)).documents


def test_what_may_be_found_is_found_however_many_others_lie_nearer(
    make_library: Callable[..., Library],
) -> None:
    near = {
        f"{n}.txt": f"第{n}号简报\n\n老旧小区改造多少个：第{n}批改造老旧小区{n}个。\n" for n in range(10, 60)
    }
    library = make_library({**near, "far.txt": "校舍\n\n新增学位三千。\n"})
    question = analyse("老旧小区改造多少个？", 100)
    retriever = Retriever(library, candidates=2)
    assert all("校舍" not in passage.source.title for passage in retriever.search(question, 3))
    (found,) = retriever.search(question, 3, keep=lambda _, source: source.title == "校舍")
    assert "学位" in found.chunk.text
    assert retriever.search(question, 3, keep=lambda *_: False) == ()
