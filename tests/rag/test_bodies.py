from __future__ import annotations

import pytest

from rag.bodies import BODIES, bodies_in, joint_bodies, mistyped, names_body
from rag.text import fold


def names(text: str) -> list[str]:
    return [body.name for body in bodies_in(fold(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("区住建局局长田禾", ["住房和城乡建设局"]),
        ("住房和城鄉建設局", ["住房和城乡建设局"]),
        ("What did the Housing Bureau promise?", ["住房和城乡建设局"]),
        ("发改委和教育局", ["发展和改革委员会", "教育局"]),
        ("the finance bureau's budget", ["财政局"]),
        ("rehousing bureaus", []),
        ("今天股市怎么样", []),
    ],
)
def test_bodies_in(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_names_body_knows_every_form() -> None:
    for body in BODIES:
        for form in (*body.chinese, *body.english):
            assert names_body(fold(form), body), form


def test_no_form_means_two_bodies() -> None:
    forms = [form for body in BODIES for form in (*body.chinese, *body.english)]
    assert len(forms) == len(set(forms))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("住建、城管、交通等部门", ["住房和城乡建设局", "城市管理局", "交通运输局"]),
        ("住建、電力、水務等部門負責人", ["住房和城乡建设局", "水务局"]),
        ("教育和卫健两部门", ["教育局", "卫生健康委员会"]),
        ("住建部门", ["住房和城乡建设局"]),
        ("教育、交通事业发展", []),
        ("住建部公布", []),
    ],
)
def test_joint_bodies(text: str, expected: list[str]) -> None:
    assert [body.name for body in joint_bodies(fold(text))] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("都市發展局與工務局", ["都市发展局", "工务局"]),
        ("食物環境衞生署", ["食物环境卫生署"]),
        ("香港房屋委員會", ["香港房屋委员会"]),
    ],
)
def test_bodies_of_taiwan_and_hong_kong(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("助建局什么时候改造", [("助建局", "住建局")]),
        ("區教譽局局長是誰", [("教誉局", "教育局")]),
        ("新房局接访时间", [("新房局", "信访局")]),
        ("法改委和财证局", [("法改委", "发改委"), ("财证局", "财政局")]),
        ("税污局", [("税污局", "税务局")]),
        ("住方和城乡建设局", [("住方和城乡建设局", "住房和城乡建设局")]),
    ],
)
def test_a_name_in_wrong_characters_of_the_same_sound_is_known(
    text: str, expected: list[tuple[str, str]]
) -> None:
    folded = fold(text)
    assert [(folded[start:end], name) for start, end, name in mistyped(folded)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "交通局",
        "水务局和税务局",
        "睡务局",  # 水务局 or 税务局
        "新房局部漏水",
        "文化剧场",
        "帮助建局",
        "住建为居民做了什么",
        "卫监局",
        "组织不力",
        "housing bureau",
        "",
    ],
)
def test_what_is_typed_right_or_may_be_meant_is_left_alone(text: str) -> None:
    assert mistyped(fold(text)) == []


def test_no_name_of_a_body_is_taken_for_another() -> None:
    for body in BODIES:
        for name in body.chinese:
            assert mistyped(fold(name)) == [], name
