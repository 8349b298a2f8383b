"""What a speaker is, where a sentence names one, and what may follow the name before the verb."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What may stand between the speaker and the verb begins with one of these.
AFTER = re.compile(
    r"在|近日|日前|今日|今天|昨日|昨天|当天|当日|当场|现场|随后|稍后|\d{1,2}日|\d{1,2}月|对|就|接受|面对|回应|回答|谈到|谈及|提到|说起|谈起|向|跟|"
    r"则|还|也|又|再次|再|同时|进一步|特别|明确|一再|多次|反复|着重|郑重|公开|率先|分别|均|都|一致|纷纷|这样|这么|如此|曾|应询|笑着|"
    r"补充|总结|最后|首先|表态|发言|坦率|致辞|致词|于|通过|告诉|[\u4e00-\u9fff]{2}地$|[\u4e00-\u9fff]{4}地$|\(|$"
)


@dataclass(frozen=True, slots=True)
class Who:
    """A speaker, with the body spoken for."""

    speaker: str
    body: str
    personal: bool = False
    """Whether it is one person, whom a pronoun or the bare name can mean afterwards."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A place that says that somebody speaks; ``who`` is None where it is not clear who does."""

    start: int
    end: int
    who: Who | None
    alone: bool = False
    """Whether it covers its own sentence only."""
