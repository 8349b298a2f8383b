"""Answers in the documents' language, said in the question's. Pure but for what the chat model is asked by the pipeline.

A small model that is shown Chinese text and asked in English declines or garbles; shown the same text and the same question, but asked to
answer in Chinese, it answers, and its sentences can be held against the text word by word. What stands is then translated line by line,
and each translation must keep the numbers, dates and bodies of its line; one that does not gives way to the line itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag import prompts
from rag.bodies import bodies_in
from rag.checking import Draft
from rag.citations import Checked, without_markers
from rag.cross_lingual import Similarity
from rag.excerpts import Excerpt
from rag.facts import facts_of, missing_fact, opposed
from rag.glossary import rendered, terms_in
from rag.messages import inert
from rag.names import is_person, names_in
from rag.numerals import quantities, ungrouped
from rag.pinyin import readings
from rag.text import fold, segmenter, to_simplified
from rag.types import Script
from rag.verification import LIST_MARK, says_no_answer

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[A-Za-z]")
_LETTERS_A_SIGN = 3
"""Latin letters that say about as much as one Chinese character."""
_NUMBERED = re.compile(r"^\s*(?P<number>\d{1,2})[.、)）:：]\s*(?P<text>.+)$")
_LINE_NUMBER = re.compile(r"^\s*\d{1,2}[.、)）:：](?:\s|$)")
_SPLIT_NUMBER = re.compile(r"(?<=\d\.) (?=\d)")
"""A small model writes 8. 6 for 8.6."""
_NAME = re.compile("[\u4e00-\u9fff]{2,4}")
_MOST_NAMES = 12
_KINDS = {
    "路": "Road",
    "街": "Street",
    "桥": "Bridge",
    "湖": "Lake",
    "河": "River",
    "江": "River",
    "山": "Mountain",
    "镇": "Town",
    "乡": "Township",
    "村": "Village",
    "区": "District",
    "县": "County",
    "市": "City",
}
_BEHIND_NAMES = "(?:[路街桥湖河江山镇乡村区县市苑园里院楼厦湾巷弄坊庄屯岛洲]|花园|人家|新村|社区|小区|街道|大道|大桥|广场|中心|学校|小学|中学|医院|公司|集团|农贸|汽车站|地铁|轻轨)"
_PLACES = frozenset("苑园里院楼厦湾巷弄坊庄屯岛洲")
_LONGEST_PIECE, _USUAL_PIECE = 60, 40
_CLAUSE_END = re.compile("(?<=[，；,;])")
_MYRIADS = re.compile("[万亿]")
_PLANNED = re.compile("将(?!军)|計劃|计划|拟|擬|力争|力爭|确保|確保|预计|預計|目标|目標|承诺|承諾")
_HOUSEHOLDS = re.compile(r"(?:居民|群众)?(\d[\d,.]*[余多]?)户(?![籍口外型])")
"""Households are translated as residents otherwise."""
_UNGROUPED = re.compile(r"[1-9]\d{3,8}")
_LEAST_MEANING = 0.79
"""Of fourteen pairs the right translations were at 0.83 and more, sentences that say something else at 0.76 and less."""
_IN_WORDS = 13
"""Smaller numbers are written in words ("four schools") as often as not."""


def prompt_script(script: Script, parts: Sequence[Excerpt]) -> Script:
    """The script in which the chat model is asked: that of the question, but simplified Chinese for an English question over excerpts
    that are mostly Chinese.
    """
    if script != "en":
        return script
    return "zh-Hans" if mostly_chinese("".join(part.text for part in parts)) else "en"


def mostly_chinese(text: str) -> bool:
    """Whether a text says more in Chinese characters than in Latin letters."""
    return len(_HAN.findall(text)) * _LETTERS_A_SIGN > len(_LATIN.findall(text))


def to_translate(draft: Draft) -> list[str]:
    """The lines of a draft that are told, and still in Chinese, in their order, without the marks of a list; long sentences in pieces, for a small model
    leaves out parts of them.
    """
    return [
        piece
        for c in draft.checked
        if _is_told(c)
        for piece in _pieces(LIST_MARK.sub("", without_markers(c.text)).strip())
    ]


def spelled_out(draft: Draft) -> Draft:
    """A draft in which lines that are a person's name alone are spelled in English: a small model makes something else of them."""
    return replace(
        draft,
        checked=tuple(
            replace(c, text=_spelled(bare)) if _is_told(c) and [bare] == _persons(bare) else c
            for c in draft.checked
            for bare in [to_simplified(without_markers(c.text)).strip(" 。.")]
        ),
    )


def _pieces(sentence: str) -> list[str]:
    """A sentence, or its clauses in runs of about forty characters where it is much longer."""
    if len(sentence) <= _LONGEST_PIECE:
        return [sentence]
    pieces = [""]
    for clause in _CLAUSE_END.split(sentence):
        if pieces[-1] and len(pieces[-1]) + len(clause) > _USUAL_PIECE:
            pieces.append("")
        pieces[-1] += clause
    return [piece for piece in pieces if piece]


def romanised(simplified: str) -> dict[str, str]:
    """The names in a Chinese text that no dictionary has, with their spelling in English: 陆振邦 Lu Zhenbang, 康宁路 Kangning Road."""
    found = {name: _spelled(name) for name in _persons(simplified)}
    known = [*found, *(chinese for chinese, _ in terms_in(simplified))]
    rest = re.sub("|".join(map(re.escape, known)), "，", simplified) if known else simplified
    dictionary = segmenter()
    for word in dictionary.cut(rest):
        if _NAME.fullmatch(word) and not dictionary.FREQ.get(word) and _names_place(word, rest):
            found.setdefault(word, _spelled(word))
    return dict(list(found.items())[:_MOST_NAMES])


def _names_place(word: str, text: str) -> bool:
    """Whether a word that no dictionary has stands where places and organisations are named: unknown verbs (投用) do not."""
    return word[-1] in _PLACES or word[-1] in _KINDS or re.search(f"{word}{_BEHIND_NAMES}", text) is not None


def _persons(simplified: str) -> list[str]:
    named = (name.folded for name in names_in(simplified) if name.person)
    return [name for name in dict.fromkeys(named) if is_person(name) and not {name[-1]} & {*_PLACES, *_KINDS}]


def _spelled(name: str) -> str:
    """A name by its sounds (Hanyu Pinyin, GB/T 28039-2011 for persons), its last character in English where that tells what it names."""
    sounds = [(readings(character) or ("",))[0].replace("v", "ü") for character in name]
    if name[-1] in _KINDS and len(name) > 2:
        return f"{''.join(sounds[:-1]).capitalize()} {_KINDS[name[-1]]}"
    if name in _persons(name):
        return f"{sounds[0].capitalize()} {''.join(sounds[1:]).capitalize()}"
    return "".join(sounds).capitalize()


def is_planned(draft: Draft) -> bool:
    """Whether what a draft cites is to come: its own words may leave that out ("改造老旧小区28个")."""
    return any(_PLANNED.search(citation.quote) for citation in draft.citations)


def translation(lines: Sequence[str], *, planned: bool = False) -> list[BaseMessage]:
    """The messages that ask for lines in English, with the usual English of the terms they hold.

    :param planned: whether they tell what is to come
    """
    from langchain_core.messages import HumanMessage

    said = [
        _HOUSEHOLDS.sub(r"\1户家庭", _without_myriads(inert(to_simplified(without_markers(line)))))
        for line in lines
    ]
    text = "\n".join(said)
    terms = "; ".join(f"{one} = {other}" for one, other in (*terms_in(text), *romanised(text).items()))
    order = prompts.TRANSLATE_PLANS if planned else prompts.TRANSLATE
    asked = [order, *([prompts.GLOSSARY + terms] if terms else [])]
    if len(said) == 1:
        return [HumanMessage("\n".join((*asked, said[0])))]
    return [HumanMessage("\n".join((*asked, *(f"{n}. {line}" for n, line in enumerate(said, start=1)))))]


def translated(draft: Draft, said: str, similarity: Similarity | None = None) -> Draft:
    """A draft with its lines in the model's translation, where that keeps what they state and means about the same.

    :param said: what the model answered to `translation` of `to_translate`
    :param similarity: without it what a line states decides alone
    """
    lines = _lines(said, len(to_translate(draft)))
    checked: list[Checked] = []
    place = 0
    for sentence in draft.checked:
        if _is_told(sentence):
            mark = LIST_MARK.match(sentence.text)
            old = sentence.text[mark.end() :] if mark else sentence.text
            count = len(_pieces(without_markers(old).strip()))
            new = rendered(_joined([lines.get(place + n, "") for n in range(count)]))
            place += count
            alike = similarity is None or float(similarity([new], [old])[0, 0]) >= _LEAST_MEANING
            if new and alike and keeps(new, old):
                text = f"{mark.group().strip()} {new}" if mark else new
                lead = sentence.lead or (" " if checked else "")
                sentence = replace(sentence, text=text, lead=lead)
        checked.append(sentence)
    return replace(draft, checked=tuple(checked))


def _joined(pieces: Sequence[str]) -> str:
    """The translations of a sentence's pieces as one sentence; nothing where one is missing."""
    if len(pieces) < 2 or not all(pieces):
        return pieces[0] if len(pieces) == 1 else ""
    stripped = [piece.rstrip(" .,;") for piece in pieces]
    rest = [piece if piece[:2].isupper() else piece[:1].lower() + piece[1:] for piece in stripped[1:]]
    return "; ".join((stripped[0], *rest)) + "."


def as_it_comes(said: str) -> str:
    """The model's translation so far, without the numbers of the lines."""
    return " ".join(_LINE_NUMBER.sub("", row).strip() for row in said.splitlines()).strip()


def keeps(english: str, chinese: str) -> bool:
    """Whether a translation is English and has the amounts, dates, bodies and persons of what it translates, no other amounts,
    and denies only what that denies.
    """
    new, old = (ungrouped(fold(without_markers(text))) for text in (english, chinese))
    if _HAN.search(english):
        return False
    theirs, ours = facts_of(new, persons=False), facts_of(old, persons=False)
    if missing_fact(theirs, new, ours, old):
        return False
    large = tuple(amount for amount in ours.amounts if not _is_small(amount.value))
    if missing_fact(replace(ours, amounts=large), old, theirs, new):
        return False
    if not set(bodies_in(new)) <= set(bodies_in(old)):
        return False
    if opposed(new, old) or opposed(old, new):
        return False
    persons = _persons(to_simplified(chinese))
    return all(_letters(_spelled(name).lower()) in _letters(new) for name in persons)


def _letters(text: str) -> str:
    """A small text's letters alone; ü is seldom typed."""
    return re.sub("[^a-z]", "", text.replace("ü", "u"))


def _is_small(value: str) -> bool:
    return value.isdigit() and int(value) < _IN_WORDS


def _without_myriads(text: str) -> str:
    """A text with numbers such as 25万 or 1180 in grouped digits: English counts in thousands, which a small model gets wrong."""
    kept, last = [], 0
    for quantity in quantities(text):
        written = text[quantity.start : quantity.end]
        large = _MYRIADS.search(written) or (
            _UNGROUPED.fullmatch(written) and not text[quantity.end :].startswith("年")
        )
        if large and quantity.value.isdigit():
            kept += [text[last : quantity.start], f"{int(quantity.value):,}"]
            last = quantity.end - (1 if text[quantity.end - 1] == "年" else 0)
    return "".join((*kept, text[last:]))


def _is_told(sentence: Checked) -> bool:
    """Whether a sentence is told and still in Chinese."""
    told = sentence.verdict != "unsupported" and not says_no_answer(sentence.text)
    return told and mostly_chinese(sentence.text)


def _lines(said: str, count: int) -> Mapping[int, str]:
    """The translation of each line by position."""
    rows = [_SPLIT_NUMBER.sub("", without_markers(row)).strip() for row in said.splitlines()]
    rows = [row for row in rows if row and not row.startswith(prompts.GLOSSARY.strip())]
    if count == 1:
        return {0: rows[0]} if rows else {}
    found: dict[int, str] = {}
    for row in rows:
        match = _NUMBERED.match(row)
        if match and 1 <= int(match["number"]) <= count:
            found.setdefault(int(match["number"]) - 1, match["text"].strip())
    return found
