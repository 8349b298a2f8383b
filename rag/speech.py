"""Who speaks in a text: "区住建局局长田禾表示，……". Pure.

Used to cut chunks so that no chunk mixes what two people said where that can be helped, and to prefer, for a question
what a body promised, the passage in which it speaks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.bodies import Body
from rag.types import Speech

_OFFICE = (
    "局长|局長|主任|书记|書記|部长|部長|区长|區長|市长|市長|县长|縣長|镇长|鎮長|乡长|院长|院長|所长|所長|处长|處長|科长|科長|"
    "校长|校長|行长|行長|董事长|董事長|总经理|總經理|负责人|負責人|发言人|發言人|委员|委員|主席|会长|會長|秘书长|秘書長|专员|代表|教授|专家|專家"
)
_SAYING = "表示|指出|强调|強調|介绍|介紹|说|說|认为|認為|提出|要求|透露|坦言|谈到|談到|回应|回應|告诉|告訴|称|稱|部署|承诺|承諾|表态|表態|解读|解讀"
_SPEAKER = re.compile(
    rf"(?:[^。！？；\n]{{0,40}}?(?:{_OFFICE})(?:、[^，。：:]{{1,12}})?[\u4e00-\u9fff·]{{2,4}}"
    rf"|[\u4e00-\u9fff·]{{2,4}})(?:在[^，。]{{1,20}}[时上中]|同时|還|还|也|就[^，。]{{1,16}})?[，,]?(?:{_SAYING})(?:道)?[，,：:了]"
)
_LEAST_QUOTED = re.compile(r"^(?:记者|記者|答|问|問)[：:]")


def opens_speech(sentence: str) -> bool:
    """Whether a sentence begins what a named person says."""
    sentence = sentence.lstrip('“"「『')
    return _SPEAKER.match(sentence) is not None or _LEAST_QUOTED.match(sentence) is not None


def speaks(folded: str, body: Body) -> bool:
    """Whether a folded text has somebody of that body say something."""
    names = "|".join(
        re.escape(name) for name in sorted((*body.chinese, *body.english), key=len, reverse=True)
    )
    return (
        re.search(
            rf"(?:{names})[^。；;！？\n]{{0,24}}?(?:{_SAYING}|\b(?:said|says|pledged|promised)\b)", folded
        )
        is not None
    )


def bodies_speaking(speeches: Sequence[Speech]) -> frozenset[str]:
    """The bodies for which somebody speaks in these speeches, by the name that `Speech.body` gives."""
    return frozenset(speech.body for speech in speeches if speech.body)
