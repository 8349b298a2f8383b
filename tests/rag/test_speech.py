from __future__ import annotations

import pytest

from rag.bodies import bodies_in
from rag.speech import bodies_speaking, opens_speech, speaks
from rag.text import fold
from rag.types import Speech


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("区住建局局长田禾表示，将改造老旧小区。", True),
        ("“我们将尽快开工。”区水务局局长祝海说。", False),
        ("青笠镇党委书记邵云峰说，今年完成改造。", True),
        ("先进技术转化中心主任张杰表示，将聚焦产业。", True),
        ("記者：何時完工？", True),
        ("将改造老旧小区28个。", False),
        ("重大项目是稳增长的“压舱石”。", False),
    ],
)
def test_opens_speech(sentence: str, expected: bool) -> None:
    assert opens_speech(sentence) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("区住建局局长田禾表示，将改造老旧小区。", True),
        ("住房和城乡建设局有关负责人介绍", True),
        ("由区住建局负责受理。咨询电话见附件，说明见后。", False),
        ("区住建局、区财政局列席会议。", False),
    ],
)
def test_speaks(text: str, expected: bool) -> None:
    folded = fold(text)
    assert speaks(folded, bodies_in(folded)[0]) is expected


def test_bodies_speaking() -> None:
    speeches = [Speech(0, 5, "局长田禾", "住房和城乡建设局"), Speech(6, 9, "会议", "")]
    assert bodies_speaking(speeches) == {"住房和城乡建设局"}
