from __future__ import annotations

import pytest

from rag.bodies import BODIES, bodies_in, joint_bodies, names_body
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
