from __future__ import annotations

import pytest

from rag.bodies import BODIES, bodies_in, names_body
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
