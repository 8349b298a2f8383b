"""What of a document can bear a claim out: no question, hardly a heading, and of numbers only those of what was asked. Pure.

A sentence may hold all the words of a claim and still not say it: "双胞胎可以分到同一所学校吗？" asks, "一、确保新院区启用" is no sentence,
and the number may be another year's, another row's of the table, or stand in a clause about something else. Texts are taken folded
(`rag.text.fold`) where nothing else is said.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Sequence

from rag.facts import Amount, Facts, facts_of
from rag.text import bigrams, sentences
from rag.wording import AROUND

_QUESTION = re.compile(r"[?？][”\"'’」』）)]*$|^\s*(?:问|q)\s*[:：](?!.*(?:答|\ba)\s*[:：])", re.IGNORECASE)
_ANNOUNCES = re.compile(r"(?:如下|\bas follows|\bthe following)\s*[。.:：;；]?$", re.IGNORECASE)
_TERMINAL = "。！？!?；;：:，,、…."
_ORDINAL = re.compile(
    r"^(?:第[一二三四五六七八九十百\d]+[章节篇编部]|[一二三四五六七八九十]{1,3}[、.．]|[(（][一二三四五六七八九十]{1,3}[)）]|#{1,6}\s)"
)
_BULLET = re.compile(r"^\s*[-*•·●○▪‣–—]")
_LONGEST_HEADING = 48
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?=年(?!(?:代|以[来上下内]|间))|\b)")
_TOPIC = re.compile(
    r"^\W{0,2}(?:in |截至|到)?((?:19|20)\d\d)(?:年(?!代|\d|[以间])|,|\b(?![年.-]))(?!\s?\d{1,2}月)"
)
"""A sentence that begins with a year tells of that year."""
_RELATIVE = re.compile("今年|去年|明年|本年|当年|上年|前年|后年|同期|(?:this|last|next) year")
_COMPARED = re.compile(r"(?:比|较|同|与|从|由|自|than|since|from)\s*$")
"""Before a year that is only what another is held against ("比2024年增长")."""
_CELL = re.compile(r"(?:^|[；;])\s*(?P<head>[^；;：:\n]{1,24})[：:]\s*(?P<value>[^；;\n]*)")
_FEWEST_CELLS = 3
_LEAST_OF_CELL = 0.5
"""Share of a cell's pairs of characters in what is asked or claimed from which the row is about it."""
_CLAUSE = re.compile(r"[，,；;、。！？!?\n]+|\.\s")
_SAME_KIND = (
    frozenset(("分钟", "小时", "天", "日", "工作日", "个工作日", "周", "个月", "月", "年")),
    frozenset(("元", "万元", "亿元", "人民币")),
    frozenset(("人", "名", "位", "人次")),
)
_LEAST_WITH_OTHER = 0.5


def is_question(sentence: str) -> bool:
    """Whether a sentence asks and does not answer itself."""
    return _QUESTION.search(sentence.strip()) is not None


def only_announces(sentence: str) -> bool:
    """Whether a sentence says that something follows, and not what ("现就招生工作安排如下。")."""
    return _ANNOUNCES.search(sentence.strip()) is not None


def is_heading(text: str, start: int, end: int, heading: str) -> bool:
    """Whether ``text[start:end]`` is a line of its own that names what follows: without a sentence's end, without a number, and the
    known heading, numbered as one, or between empty lines.

    :param heading: the nearest heading that is known of the text
    """
    line = text[start:end]
    before, after = text[:start], text[end:]
    if (before and not before.endswith("\n")) or (after and not after.startswith("\n")):
        return False
    if len(line) > _LONGEST_HEADING or line[-1:] in _TERMINAL or _BULLET.match(line):
        return False
    if re.search(r"[：:]|\d", _ORDINAL.sub("", line)):
        return False
    if (heading and line.strip() in heading) or _ORDINAL.match(line):
        return True
    above, below = before.endswith("\n\n"), after.startswith("\n\n")
    return (above or not before.strip()) and (below or not after.strip()) and (above or below)


def other_year(claim: str, facts: Facts, evidence: str, asked: Collection[str]) -> str:
    """The year of a claim, or else of its question, where the sentence that holds the claim's amounts, or the claim itself, is of
    other years; "" where nothing speaks against it.

    What the claim dates itself must be of its year; that the question's year counts, the sentence must begin with another
    ("2024年，全区…"): it may speak of the day when something was decided.

    :param asked: the years that the question names
    """
    own: set[str] = set(_YEAR.findall(claim))
    wanted = own or set(asked)
    amounts = [amount for amount in facts.amounts if amount.value not in wanted]
    bare = claim.strip(AROUND)
    if not wanted or not (amounts or bare):
        return ""
    for start, end in sentences(evidence):
        sentence = evidence[start:end]
        years = _years(sentence) if own else set(_TOPIC.findall(sentence))
        said = bool(wanted & set(_YEAR.findall(sentence))) or _RELATIVE.search(sentence) is not None
        held = _holds_any(sentence, amounts) if amounts else bare in sentence
        if years and not said and held:
            return min(wanted)
    return ""


def other_row(facts: Facts, evidence: str, known: str) -> bool:
    """Whether a claim's amounts stand in rows of a table alone ("小区名称：…；户数：…；…") of which none is about what is asked or claimed.

    :param known: question and claim together
    """
    amounts = [amount for amount in facts.amounts if not _YEAR.fullmatch(amount.value)]
    every = [evidence[start:end] for start, end in sentences(evidence)]
    rows = [_cells(sentence) for sentence in every if _holds_any(sentence, amounts)]
    if not rows or not all(rows):
        return False
    held = set(bigrams(known))
    named = [[value for value in cells if _tells_what(value)] for cells in rows]
    return all(values and not any(_shared(value, held) for value in values) for values in named)


def misplaced(claim: str, facts: Facts, evidence: str) -> str:
    """The amount of a claim that its evidence has in a clause about something else, while what the claim says of it stands beside
    another amount of the kind ("24小时内反馈", where "24小时内到场核查、7个工作日内反馈"); "" where there is none.
    """
    if "分别" in evidence or len(facts.amounts) != 1:
        return ""
    amount = facts.amounts[0]
    said = [pair for pair in bigrams(claim) if not any(character.isdigit() for character in pair)]
    said = [pair for pair in said if pair not in set(bigrams(amount.unit)) and amount.unit[-1:] not in pair]
    if not said or not amount.unit:
        return ""
    clauses = [clause for clause in _CLAUSE.split(evidence) if clause.strip()]
    mine = [clause for clause in clauses if _holds_any(clause, [amount])]
    if not mine or any(_of(said, clause) for clause in mine):
        return ""
    for clause in clauses:
        others = [other for other in _amounts(clause) if other.value != amount.value]
        alike = any(_same_kind(other.unit, amount.unit) for other in others)
        if alike and _of(said, clause) >= _LEAST_WITH_OTHER:
            return amount.value
    return ""


def _years(sentence: str) -> set[str]:
    found = set()
    for match in _YEAR.finditer(sentence):
        if not _COMPARED.search(sentence[max(0, match.start() - 6) : match.start()]):
            found.add(match.group())
    return found


def _holds_any(sentence: str, amounts: Iterable[Amount]) -> bool:
    held = {amount.value for amount in _amounts(sentence)}
    return any(amount.value in held for amount in amounts)


@functools.lru_cache(maxsize=1024)
def _amounts(text: str) -> tuple[Amount, ...]:
    return facts_of(text, persons=False).amounts


def _cells(sentence: str) -> list[str]:
    cells = [match["value"].strip() for match in _CELL.finditer(sentence)]
    return cells if len(cells) >= _FEWEST_CELLS else []


def _tells_what(value: str) -> bool:
    """Whether a cell names something: it is no number, date or measure."""
    return len(re.sub(r"[\d\W年月日时分前底元万亿个户人]", "", value)) > 1


def _shared(value: str, held: Collection[str]) -> bool:
    pairs = bigrams(value)
    return sum(pair in held for pair in pairs) >= _LEAST_OF_CELL * len(pairs)


def _of(pairs: Sequence[str], clause: str) -> float:
    held = set(bigrams(clause))
    return sum(pair in held for pair in pairs) / len(pairs)


def _same_kind(one: str, other: str) -> bool:
    return bool(one) and (one == other or any(one in kind and other in kind for kind in _SAME_KIND))
