"""A stored answer comes back equal, through JSON; what is no stored answer is refused."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import LibraryDamaged
from rag.serialization import restored_answer, stored_answer
from rag.types import (
    Answer,
    Chunk,
    Citation,
    Claim,
    Filters,
    Passage,
    Source,
    Speech,
    Usage,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WHOLE = st.integers(0, 10**6)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
MAYBE = st.none()
SPEECHES = st.builds(Speech, WHOLE, WHOLE, TEXT, TEXT)
SOURCES = st.builds(
    Source,
    *(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT),
    published=MAYBE | TEXT,
    issuer=MAYBE | TEXT,
    pages=MAYBE | WHOLE,
)
CHUNKS = st.builds(
    Chunk,
    *(TEXT, WHOLE, WHOLE, WHOLE, TEXT, TEXT),
    page=MAYBE | WHOLE,
    speeches=st.lists(SPEECHES, max_size=2).map(tuple),
)
PASSAGES = st.builds(
    Passage,
    *(CHUNKS, SOURCES, NUMBER),
    similarity=MAYBE | NUMBER,
    coverage=NUMBER,
    dense_rank=MAYBE | WHOLE,
    lexical_rank=MAYBE | WHOLE,
)
PAIRS = st.lists(st.tuples(WHOLE, WHOLE), max_size=3).map(tuple)
CLAIMS = st.builds(
    Claim,
    *(TEXT, WHOLE, WHOLE, st.lists(WHOLE, max_size=3).map(tuple)),
    verdict=st.sampled_from(["supported", "unsupported", "not_a_claim"]),
    reason=TEXT,
    ranges=PAIRS,
)


@st.composite
def answers(draw) -> Answer:
    passages = draw(st.lists(PASSAGES, max_size=3))
    # A citation rests on a passage that was found, or on one of its own.
    cited = st.sampled_from(passages) | PASSAGES if passages else PASSAGES
    citations = draw(st.lists(st.builds(Citation, WHOLE, cited, WHOLE, WHOLE, TEXT), max_size=3))
    return Answer(
        draw(TEXT),
        draw(st.sampled_from(["zh-Hans", "zh-Hant", "en"])),
        draw(TEXT),
        draw(st.sampled_from(["answered", "partial", "refused", "clarify"])),
        draw(TEXT),
        tuple(draw(st.lists(CLAIMS, max_size=2))),
        tuple(citations),
        tuple(passages),
        draw(TEXT),
        draw(TEXT),
        draw(st.dictionaries(TEXT, NUMBER, max_size=3)),
        draw(st.booleans()),
        tuple(draw(st.lists(WHOLE, max_size=3))),
        draw(MAYBE | NUMBER),
        draw(MAYBE | st.builds(Usage, WHOLE, WHOLE)),
        draw(st.builds(Filters, st.lists(TEXT, max_size=2).map(tuple), TEXT, MAYBE | TEXT, MAYBE | TEXT)),
        draw(WHOLE),
    )


def through_json(answer: Answer) -> dict:
    return json.loads(json.dumps(stored_answer(answer), allow_nan=False))


@given(answers())
def test_an_answer_comes_back_equal(answer):
    assert restored_answer(through_json(answer)) == answer


def made() -> Answer:
    source = Source("a", "2026/a.md", "计划", "0", "text/markdown", published="2026-02-10", issuer="区住建局")
    passage = Passage(Chunk("a", 0, 0, 4, "改造28", speeches=(Speech(0, 2, "周建明", ""),)), source, 1.0)
    citation = Citation(1, passage, 0, 4, "改造28")
    return Answer("问", "zh-Hans", "答[1]", citations=(citation, citation), passages=(passage,), done=True)


def test_a_passage_stands_in_it_once():
    record = through_json(made())
    assert len(record["passages"]) == 1
    assert json.dumps(record).count("2026/a.md") == 1


def test_a_record_without_fields_that_have_come_later_is_read():
    record = through_json(made())
    del record["undated"], record["filters"], record["usage"]
    assert restored_answer(record) == made()


def changed(*path, value=None, drop=False):
    record = copy.deepcopy(through_json(made()))
    at = record
    for step in path[:-1]:
        at = at[step]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return record


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {},
        "text",
        changed("version", value=2),
        changed("version", drop=True),
        changed("question", drop=True),
        changed("question", value=1),
        changed("script", value="fr"),
        changed("outcome", value=None),
        changed("done", value=1),
        changed("found", value=2),
        changed("found", value=True),
        changed("found", value=-1),
        changed("shown", value=["1"]),
        changed("timings", value={"done": "1"}),
        changed("unheard_of", value=1),
        changed("passages", value={}),
        changed("passages", 0, "score", value="1"),
        changed("passages", 0, "chunk", "speeches", 0, "speaker", value=None),
        changed("passages", 0, "source", "path", drop=True),
        changed("citations", value=None),
        changed("citations", 0, value=[]),
        changed("citations", 0, "passage", value=1),
        changed("citations", 0, "passage", value=-1),
        changed("citations", 0, "quote", value=None),
        changed("filters", value={"bodies": "住建局"}),
        changed("claims", value=[{"text": "", "ranges": [[1]]}]),
    ],
)
def test_what_is_no_stored_answer_is_refused(record):
    with pytest.raises(LibraryDamaged, match=r"stored answer cannot be read"):
        restored_answer(record)
