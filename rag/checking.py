"""From what the chat model said to what may be called an answer: each sentence checked, put right, cited. Pure, given a comparison.

`check` gives a draft: the sentences with their verdicts and the citations of those that stand. What fails can be put right
once (`put_right` takes in what the model says then). `finish` makes the text of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from rag.citations import Checked, Sentence, assemble, parse, without_markers
from rag.cross_lingual import Comparison
from rag.names import names_in
from rag.polar import asserted
from rag.questions import Question, coverage
from rag.text import bigrams, fold
from rag.types import Citation, Claim, Passage
from rag.verification import Asked, Assertion, Finding, is_claim, says_no_answer, verify

_NUMBERED = re.compile(r"^\s*(?P<number>\d{1,2})[.、.)）:：]\s*(?P<text>.*)$")
_NONE = re.compile(
    r"^[\s（(“\"]*(?:无|無|没有|沒有|none|n/a|not (?:stated|given))[\s。.）)”\"]*$", re.IGNORECASE
)
_SAID_ALREADY = 0.9
"""Share of a sentence's character pairs in another from which it says nothing new."""
_PLACE_SIGNS = "省市县区镇乡村街道"
_BESIDE_NAMES = "年月日号由被在于的了是和与或等为以将把对从向给让使"
_SAYS = "[^，。；？?]{0,16}?(?:说(?![谎明服])|表示|承诺|表态|提出|指出|强调|回应|答复|讲)"
_COMPLEMENT = re.compile("(?:出来|起来|下来|上来|过来|出去|下去|上去)$")
Place = tuple[int, int, int]
"""A citation's number and range."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Checked sentences in order, and the citations of those that stand."""

    checked: tuple[Checked, ...]
    cited: Mapping[Place, Citation] = field(default_factory=dict)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The citations, by number and place."""
        return tuple(self.cited[place] for place in sorted(self.cited))

    @property
    def supported(self) -> tuple[Checked, ...]:
        """The sentences that the documents bear out."""
        return tuple(c for c in self.checked if c.verdict == "supported")

    @property
    def faulty(self) -> tuple[Checked, ...]:
        """The sentences that they do not bear out."""
        return tuple(c for c in self.checked if c.verdict == "unsupported")

    @property
    def says_nothing(self) -> bool:
        """Whether the model said that the documents do not tell, and nothing that stands."""
        return not self.supported and any(says_no_answer(c.text) for c in self.checked)


def check(text: str, question: Question, passages: Sequence[Passage], comparison: Comparison | None) -> Draft:
    """Check each sentence of a model's text against the passages."""
    parsed = parse(text)
    claims = _assertions(parsed, question)
    findings = iter(
        verify([claim for claim in claims if claim is not None], passages, comparison, asked_of(question))
    )
    return _draft(parsed, claims, findings, passages)


def put_right(
    draft: Draft,
    said: str,
    question: Question,
    passages: Sequence[Passage],
    comparison: Comparison | None,
) -> Draft:
    """The draft with each faulty sentence replaced by what the model made of it, where that stands and says something new.

    :param said: the model's lines, numbered in the order of ``draft.faulty``
    """
    given = _lines(said, len(draft.faulty))
    checked: list[Checked] = []
    cited = dict(draft.cited)
    heard = [c.text for c in draft.supported]
    number = 0
    for sentence in draft.checked:
        if sentence.verdict != "unsupported":
            checked.append(sentence)
            continue
        new = given.get(number, "")
        number += 1
        found = check(new, question, passages, comparison) if new else None
        kept = [
            c for c in (found.supported if found else ()) if not any(_says_same(c.text, o) for o in heard)
        ]
        if found is None or not kept:
            checked.append(sentence)
            continue
        heard += [c.text for c in kept]
        checked += [replace(c, lead=sentence.lead if n == 0 else c.lead) for n, c in enumerate(kept)]
        wanted = {
            (number_, *range_) for c in kept for number_, range_ in zip(c.numbers, c.ranges, strict=True)
        }
        cited |= {place: citation for place, citation in found.cited.items() if place in wanted}
    return Draft(tuple(checked), cited)


def finish(draft: Draft, *, strike: bool) -> tuple[str, tuple[Claim, ...]]:
    """The text of the answer with its markers, and its claims.

    That the documents do not tell is left out beside what they do tell, and so are lead-ins under which nothing is left.

    :param strike: keep sentences without support, to be shown struck out
    """
    checked = [c for c in draft.checked if not (c.verdict == "not_a_claim" and says_no_answer(c.text))]
    return assemble(_trimmed(checked, strike=strike), keep_unsupported=strike)


def asked_of(question: Question) -> Asked:
    """What verification knows of a question."""
    # Words that the dictionary lacks are cut at what often stands beside a name: "2024年澄岭" gives 年澄岭, "指挥长由谁" 长由.
    cut = (_COMPLEMENT.sub("", name).strip(_BESIDE_NAMES) for name in question.names)
    # The name of a place is left out: a district's own report seldom repeats it. Other places are refused before.
    names = tuple(dict.fromkeys(name for name in cut if len(name) > 1 and name[-1] not in _PLACE_SIGNS))
    folded = fold(question.text)
    persons = dict.fromkeys(name.folded for name in names_in(folded) if name.person)
    speakers = tuple(name for name in persons if re.search(f"{re.escape(name)}{_SAYS}", folded) is not None)
    years = tuple(sorted(question.years))
    return Asked(folded, names, partial(coverage, question), years, speakers, question.asks_statement)


def unplaced(draft: Draft, reason: str = "") -> tuple[Claim, ...]:
    """The draft's claims for an answer that was withheld: none of them stands in its text.

    :param reason: why those are withheld that the documents bear out
    """
    return tuple(
        Claim(c.text, 0, 0, (), "unsupported", c.reason or reason)
        for c in draft.checked
        if c.verdict != "not_a_claim"
    )


def _assertions(parsed: Sequence[Sentence], question: Question) -> list[Assertion | None]:
    """What each sentence asserts, None where it asserts nothing; items of a list stand under the line that leads into it, and a bare
    yes or no asserts what the question asks.
    """
    claims: list[Assertion | None] = []
    lead = ""
    for sentence in parsed:
        text = asserted(question.text, sentence.text) or sentence.text
        claim = is_claim(text) and not says_no_answer(text)
        claims.append(Assertion(text, lead) if claim else None)
        if not claim and _leads_in(sentence.text):
            lead = sentence.text
    return claims


def _draft(
    parsed: Sequence[Sentence],
    claims: Sequence[Assertion | None],
    findings: Iterable[Finding],
    passages: Sequence[Passage],
) -> Draft:
    checked: list[Checked] = []
    cited: dict[Place, Citation] = {}
    found = iter(findings)
    for sentence, claim in zip(parsed, claims, strict=True):
        if claim is None:
            checked.append(Checked(sentence.text, sentence.lead, (), "not_a_claim"))
            continue
        finding = next(found)
        if finding.support is None:
            checked.append(Checked(sentence.text, sentence.lead, (), "unsupported", finding.fault))
            continue
        support = finding.support
        passage = passages[support.passage]
        citation = cite(passage, support.passage + 1, support.start, support.end)
        cited.setdefault((citation.number, citation.start, citation.end), citation)
        checked.append(
            Checked(
                sentence.text,
                sentence.lead,
                (citation.number,),
                "supported",
                ranges=((citation.start, citation.end),),
            )
        )
    return Draft(tuple(checked), cited)


def cite(passage: Passage, number: int, start: int, end: int) -> Citation:
    """A citation of a range of the passage's document that lies inside the passage."""
    quote = passage.chunk.text[start - passage.chunk.start : end - passage.chunk.start]
    return Citation(number, passage, start, end, quote)


def _lines(said: str, count: int) -> dict[int, str]:
    """The model's line for each faulty sentence, by position; without numbers, the lines in order."""
    found: dict[int, str] = {}
    plain: list[str] = []
    for line in said.splitlines():
        match = _NUMBERED.match(line)
        text = (match["text"] if match else line).strip()
        if match and 1 <= int(match["number"]) <= count:
            found[int(match["number"]) - 1] = text
        elif text:
            plain.append(text)
    if not found:
        found = dict(enumerate(plain[:count]))
    return {n: text for n, text in found.items() if not _NONE.match(without_markers(text))}


def _says_same(text: str, other: str) -> bool:
    pairs, held = set(bigrams(text)), set(bigrams(other))
    return bool(pairs) and len(pairs & held) >= _SAID_ALREADY * len(pairs)


def _trimmed(checked: Sequence[Checked], *, strike: bool) -> list[Checked]:
    """Without lead-ins ("……包括：") under which nothing is left."""
    kept: list[Checked] = []
    for index, sentence in enumerate(checked):
        if sentence.verdict == "not_a_claim" and _leads_in(sentence.text):
            left = {"supported", "unsupported"} if strike else {"supported"}
            if not any(later.verdict in left for later in checked[index + 1 :]):
                continue
        kept.append(sentence)
    return kept


def _leads_in(text: str) -> bool:
    return text.rstrip().endswith((":", "："))
