from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.diversity import Part, covering, distinct, parts
from rag.library import Library
from rag.questions import analyse
from rag.retrieval import Retriever
from rag.types import Chunk, Passage, Source, Speech


def passage(
    text: str,
    score: float = 1.0,
    title: str = "",
    published: str | None = None,
    speeches: tuple[Speech, ...] = (),
) -> Passage:
    source = Source(f"id of {text}", "/a.txt", title, "0", "text/plain", published=published)
    return Passage(Chunk(source.id, 0, 0, len(text), text, speeches=speeches), source, score)


def texts(found: Sequence[Passage]) -> list[str]:
    return [one.chunk.text for one in found]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("住建局和教育局分别承诺了什么？", ["住房和城乡建设局", "教育局"]),
        ("住建、教育部门分别说了什么？", ["住房和城乡建设局", "教育局"]),
        ("What did the housing bureau and the education bureau promise?", ["住房和城乡建设局", "教育局"]),
        ("2023年和2024年的目标有什么不同？", ["2023", "2024"]),
        ("社區工作者2024年入職工資比2023年多多少？", ["2023", "2024"]),
        ("How did the price change from 2023 to 2025?", ["2023", "2025"]),
        ("《林语条例》与《湖畔办法》哪个更早？", ["林语条例", "湖畔办法"]),
        ("云栖区和鹿汀区的热费各是多少？", ["云栖区", "鹿汀区"]),
        ("小麦、玉米和水稻的补贴标准", ["小麦", "玉米", "水稻"]),
        ("会计学专业与市场学专业有哪些区别？", ["会计学", "市场学"]),
        ("2020年湖光建筑有限公司和2021年山色食品有限公司，哪家更大？", ["湖光建筑", "山色食品"]),
        ("What is the difference between rents and prices?", ["rents", "prices"]),
        ("Compare the fees of Larkhill Gardens in winter and Fenmoor Court.", ["larkhill gardens", "fenmoor court"]),
        ("住建局和供电公司分别承诺了什么？", ["住房和城乡建设局", "供电公司"]),
        # One part, or none that anybody names
        ("住建局承诺了什么？", []),
        ("住房和城乡建设局、住建局是一个部门吗？", []),
        ("2024年的目标是什么？", []),
        ("什么时候、在哪里报名？", []),
        ("有哪些共同点和不同点？", []),
        ("“山与湖和林”是什么活动？", []),
        ("What is the lift subsidy?", []),
        ("和", []),
        ("A和", []),
    ],
)  # fmt: skip
def test_the_parts_of_a_question(question: str, names: list[str]) -> None:
    assert [part.name for part in parts(analyse(question, 2000))] == names


def test_a_long_text_has_no_parts_and_no_question_many() -> None:
    assert parts(analyse("住建局和教育局说了什么？" * 40, 2000)) == ()
    many = "、".join(f"{a}{b}村" for a in "东西南北" for b in "山水林田")
    assert 2 <= len(parts(analyse(f"{many}的面积", 2000))) <= 8


HOUSING, EDUCATION = parts(analyse("住建局和教育局分别承诺了什么？", 2000))


def test_each_part_is_covered_though_the_best_are_all_of_one() -> None:
    ranked = [
        passage(f"区住建局将办第{n}件事。", 1.0 - 0.1 * n) for n in range(5)
    ] + [passage("区教育局将新建小学3所。", 0.1)]  # fmt: skip
    found = covering(ranked, (HOUSING, EDUCATION))
    assert texts(found)[:2] == ["区住建局将办第0件事。", "区教育局将新建小学3所。"]
    assert sorted(texts(found)) == sorted(texts(ranked))
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    # What is drawn forward must not be left out for its score.
    assert found[1].score == found[0].score


def test_what_next_to_nothing_speaks_for_is_not_drawn_forward() -> None:
    ranked = [passage(f"区住建局将办第{n}件事。", 1.0 - 0.1 * n) for n in range(5)]
    junk = passage("教育局食堂招租。", 1e-5)
    assert covering([*ranked, junk], (HOUSING, EDUCATION)) == [*ranked, junk]


def test_a_first_passage_that_covers_all_leaves_the_next_where_they_are() -> None:
    both = passage("区住建局改造小区，区教育局新建小学。")
    rest = [passage("区住建局将办一件事。", 0.9), passage("区教育局将办一件事。", 0.3)]
    assert covering([both, *rest], (HOUSING, EDUCATION))[0] == both


def test_being_named_is_less_than_speaking() -> None:
    speech = (Speech(0, 9, "局长", "教育局"),)
    ranked = [
        passage("区住建局将改造小区。"),
        passage(
            "区住建局局长表示，教育局等列席。", 0.5, speeches=(Speech(0, 9, "局长", "住房和城乡建设局"),)
        ),
        passage("将新建小学3所。", 0.3, speeches=speech),
    ]
    assert texts(covering(ranked, (HOUSING, EDUCATION)))[1] == "将新建小学3所。"


def test_a_year_in_the_title_is_more_than_one_that_is_compared_with() -> None:
    years = parts(analyse("2023年和2024年的热费相差多少？", 2000))
    ranked = [
        passage("每平方米21元。", 1.0, "2024年供热公告"),
        passage("比2023年多2元。", 0.6, "2024年供热公告"),
        passage("每平方米19元。", 0.5, "供热公告", "2023-10-01"),
    ]
    assert texts(covering(ranked, years))[1] == "每平方米19元。"


_RANKED = st.lists(
    st.tuples(
        st.sampled_from(["住建局甲", "教育局乙", "住建局和教育局丙", "谁也没有丁"]),
        st.floats(1e-6, 1.0),
    ),
    max_size=12,
).map(
    lambda rows: [passage(f"{text}{n}", score) for n, (text, score) in enumerate(sorted(rows, key=lambda row: -row[1]))]
)  # fmt: skip


@given(_RANKED)
def test_nothing_is_lost_the_first_stays_and_scores_fall(ranked: list[Passage]) -> None:
    found = covering(ranked, (HOUSING, EDUCATION))
    assert sorted(texts(found)) == sorted(texts(ranked))
    assert found[:1] == ranked[:1]
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


@given(_RANKED, st.sampled_from([(), (HOUSING,), (EDUCATION,)]))
def test_for_one_part_the_order_is_that_of_the_scores(
    ranked: list[Passage], wanted: tuple[Part, ...]
) -> None:
    assert covering(ranked, wanted) == ranked


@given(st.lists(st.sampled_from("甲乙丙丁12"), max_size=8).map("".join), st.integers(0, 9))
def test_the_same_is_said_once(text: str, number: int) -> None:
    one = passage(f"区住建局将改造老旧小区并加装电梯{number}部。{text}")
    other = passage(f"区住建局将改造老旧小区并加装电梯{number + 1}部。{text}")
    assert list(distinct([one, one, other, one])) == [one, other]


@pytest.mark.parametrize("k", [2, 4])
def test_a_search_over_two_documents_gets_both(make_library: Callable[..., Library], k: int) -> None:
    files = {f"住建{n}.txt": f"区住建局局长田禾承诺，将在{place}改造老旧小区。" for n, place in enumerate(
        ["东山街道的松林路一带", "西湖镇新建的三个社区", "南门外旧纺织厂宿舍", "北仓货场以东各楼栋", "老城中心的文庙坊"]
    )}  # fmt: skip
    files["教育.txt"] = "区教育局今年会新开办幼儿园，校舍已经动工，秋天招生。"
    retriever = Retriever(make_library(files))
    question = "住建局和教育局分别承诺了什么？"
    found = retriever.search(analyse(question, 2000), k)
    assert any("教育局" in text for text in texts(found))
    assert any("住建局" in text for text in texts(found))
    assert texts(retriever.search(analyse(question, 2000), 6))[:k] == texts(found)
    alone = retriever.search(analyse("住建局承诺了什么？", 2000), 6)
    assert [p.score for p in alone] == sorted((p.score for p in alone), reverse=True)
