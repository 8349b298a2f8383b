"""The rendering: untrusted text stays text, numbers lead to sources, marks stand where citations say."""

from __future__ import annotations

import dataclasses
import re
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import EndpointUnreachable
from rag.types import Answer, Chunk, Citation, Claim, Passage, Source
from ui.rendering import (
    Exchange,
    Failure,
    announcement,
    group_citations,
    render_answer_text,
    render_connection,
    render_exchange,
    render_exchanges,
    render_failure,
    render_hint,
    render_marked,
    render_no_sources,
    render_note,
    render_panel_head,
    render_rated,
    render_sources,
    render_status,
    render_welcome,
    source_id,
)
from ui.texts import TEXTS

ZH = TEXTS["zh-Hans"]
TAGS = {
    *(
        "a",
        "article",
        "blockquote",
        "br",
        "button",
        "del",
        "details",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "header",
    ),
    *("li", "mark", "ol", "p", "section", "span", "summary", "ul"),
}
ATTRIBUTES = {
    *("class", "id", "href", "title", "lang", "type", "value", "role", "tabindex"),
    *("aria-label", "aria-hidden", "aria-busy", "aria-live"),
    *(
        "data-turn",
        "data-phase",
        "data-outcome",
        "data-source",
        "data-quote",
        "data-title",
        "data-ask",
        "data-copy",
    ),
    *("data-done", "data-action", "data-state"),
    *("data-document", "data-at", "data-page", "data-digest"),
}


class Page(HTMLParser):
    """Reads a page: its tags and attributes, its text, its marked text, its links and ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.marked: list[bool] = []
        self.pieces: list[str] = [""]
        self.links: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self._gap = False
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        values = dict(attrs)
        self.attributes |= set(values)
        if "href" in values:
            self.links.append(values["href"])
        if "id" in values:
            self.ids.append(values["id"])
        if tag not in ("br", "input"):
            self.open.append(tag)
        if values.get("class") == "wz-gap":
            self._gap = True
            self.pieces.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self._gap = False

    def handle_data(self, data):
        self.text += data
        if not self._gap:
            self.pieces[-1] += data
            self.marked += ["mark" in self.open] * len(data)

    def handle_comment(self, data):
        raise AssertionError("a comment has been let through")

    handle_decl = handle_pi = unknown_decl = handle_comment


def text_of(html: str) -> str:
    return Page(html).text


# -- Nothing untrusted becomes markup

NASTY = st.lists(
    st.sampled_from(
        [
            *(
                "<script>alert(1)</script>",
                "<img src=x onerror=alert(1)>",
                "</div>",
                "<!--",
                "-->",
                "]]>",
                "<",
            ),
            *(
                '"',
                "'",
                "&",
                "&lt;",
                "&#60;",
                "` onclick=x ",
                "[1]",
                "[2]",
                "[99]",
                "${alert(1)}",
                "{{value}}",
            ),
            *(
                "\n",
                "\n\n",
                "- ",
                "1. ",
                "2、",
                "**",
                "[x](javascript:alert(1))",
                "\u202e",
                "\x00",
                "住建局",
                " ",
            ),
        ]
    )
    | st.text(max_size=6),
    max_size=8,
).map("".join)
OFFSETS = st.tuples(st.integers(-5, 60), st.integers(-5, 60))


@st.composite
def passages(draw) -> Passage:
    start = draw(st.integers(0, 20))
    text = draw(NASTY)
    chunk = Chunk(draw(st.sampled_from(["a", "b"])), 0, start, start + len(text), text, heading=draw(NASTY))
    source = Source(
        draw(NASTY),
        *(draw(NASTY), draw(NASTY), "0", draw(NASTY)),
        published=draw(st.none() | NASTY),
        issuer=draw(st.none() | NASTY),
    )
    return Passage(chunk, source, 1.0)


@st.composite
def answers(draw) -> Answer:
    found = draw(st.lists(passages(), max_size=3))
    citations = [
        Citation(draw(st.integers(1, 3)), passage, *draw(OFFSETS), draw(NASTY))
        for passage in found
        if draw(st.booleans())
    ]
    claims = [
        Claim(
            draw(NASTY),
            *draw(OFFSETS),
            (1,),
            draw(st.sampled_from(["supported", "unsupported"])),
            draw(NASTY),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    return Answer(
        draw(NASTY),
        "zh-Hans",
        text=draw(NASTY),
        outcome=draw(st.sampled_from(["answered", "partial", "refused", "clarify"])),
        reason=draw(NASTY),
        claims=tuple(claims),
        citations=tuple(citations),
        passages=tuple(found),
        model=draw(NASTY),
        timings={"done": 1.0},
        done=True,
    )


EXCHANGES = st.builds(
    Exchange,
    st.integers(1, 3),
    NASTY,
    st.sampled_from(["queued", "searching", "loading", "reading", "writing", "done", "stopped", "failed"]),
    st.none() | answers(),
    st.none() | st.builds(Failure, NASTY, NASTY, NASTY),
)


@given(EXCHANGES, st.sampled_from(list(TEXTS)), st.booleans())
def test_no_field_becomes_markup(exchange, language, past):
    main = Page(render_exchange(exchange, language))
    side = Page(render_sources(exchange, language, past=past))
    for page in (main, side):
        assert page.tags <= TAGS
        assert page.attributes <= ATTRIBUTES
    assert exchange.question in main.text
    # A number leads to a source that is there, and each source is there once.
    assert set(main.links) <= {f"#{name}" for name in side.ids}
    assert len(side.ids) == len(set(side.ids))


@given(NASTY, NASTY, NASTY)
def test_no_text_around_the_answers_becomes_markup(one, other, third):
    class Library:
        documents = 2
        latest = one
        examples = (other, third)

    class Model:
        state = one
        detail = other

    for html in (
        render_welcome(Library(), "en"),
        render_status(Library(), Model(), "en"),
        render_failure(Failure(one, other, third), "zh-Hans", question=one),
        render_hint(one),
    ):
        page = Page(html)
        assert page.tags <= TAGS
        assert page.attributes <= ATTRIBUTES


def test_markup_is_shown_as_text():
    html = render_answer_text(Answer("q", "en", text="<script>alert(1)</script> & <b>"), 1, ZH)
    assert html == "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;</p>"


# -- The answer's text


def test_paragraphs_line_breaks_and_lists():
    text = "甲\n乙\n\n- 丙\n- 丁\n3. 戊\n4、己\n末\n2026.5 不是列表\n12.5亿元"
    assert render_answer_text(Answer("q", "zh-Hans", text=text), 1, ZH) == (
        "<p>甲<br>乙</p><ul><li>丙</li><li>丁</li></ul>"
        '<ol><li value="3">戊</li><li value="4">己</li></ol><p>末<br>2026.5 不是列表<br>12.5亿元</p>'
    )


def test_no_text_is_no_markup():
    assert render_answer_text(Answer("q", "en", text=" \n "), 1, ZH) == ""


def test_numbers_link_to_citations_that_exist_and_to_no_others(answer):
    answer = dataclasses.replace(answer, text="甲[1]，乙[2]，丙[01]。")
    html = render_answer_text(answer, 7, ZH)
    page = Page(html)
    assert page.links == [f"#{source_id(7, 1)}"] * 2
    assert page.text == "甲[1]，乙[2]，丙[01]。"
    assert '<span class="wz-ref-open">[2]</span>' in html
    assert f'data-quote="{answer.citations[0].quote}"' in html


def test_the_same_number_shows_all_its_quotes(make):
    passage = make.passage()
    citations = (make.citation(1, passage), make.citation(1, passage, "所有项目8月底前全部开工。"))
    answer = Answer("q", "zh-Hans", text="甲[1]", citations=citations, passages=(passage,), done=True)
    html = render_answer_text(answer, 1, ZH)
    assert f"{make.promise} …… 所有项目8月底前全部开工。" in html
    side = render_sources(Exchange(1, "q", "done", answer), "zh-Hans")
    assert side.count("<mark>") == 1, "touching ranges are one mark"
    assert f"<mark>{make.promise}所有项目8月底前全部开工。</mark>" in side


def test_a_long_quote_is_cut_in_the_tooltip_only(make):
    text = "字" * 400
    passage = make.passage(text)
    answer = Answer(
        "q",
        "zh-Hans",
        text="甲[1]",
        citations=(Citation(1, passage, 0, 400, text),),
        passages=(passage,),
        done=True,
    )
    quote = re.search('data-quote="([^"]*)"', render_answer_text(answer, 1, ZH))
    assert quote is not None
    assert len(quote[1]) == 160
    assert text in render_sources(Exchange(1, "q", "done", answer), "zh-Hans")


def test_unsupported_claims_are_struck_through_with_the_reason(answer):
    text = "真的[1]。\n假的<b>[1]。真的。"
    bad = "假的<b>[1]。"
    start = text.index(bad)
    claims = (
        Claim("真的[1]。", 0, 6, (1,), "supported"),
        Claim(bad, start, start + len(bad), (1,), "unsupported", 'no "park" <here>'),
    )
    html = render_answer_text(dataclasses.replace(answer, text=text, claims=claims), 1, ZH)
    struck = re.findall(r'<del class="wz-unsupported" title="([^"]*)">(.*?)</del>', html)
    assert [(escape(ZH.unsupported.format(reason='no "park" <here>')), bad)] == [
        (title, text_of(inner)) for title, inner in struck
    ]
    assert "真的。" in html.rpartition("</del>")[2]


def test_a_claim_over_several_lines_is_struck_in_each():
    text = "- 甲\n- 乙"
    answer = Answer("q", "zh-Hans", text=text, claims=(Claim(text, 0, len(text), (), "unsupported"),))
    html = render_answer_text(answer, 1, ZH)
    assert html.count("<del") == html.count("</del></li>") == 2
    assert escape(ZH.unsupported_plain) in html


# -- The sources


@st.composite
def cited_chunks(draw):
    document = draw(st.text(alphabet="甲乙丙<&\n ", min_size=1, max_size=40))
    spot = st.integers(0, len(document))
    start, end = sorted((draw(spot), draw(spot)))
    chunk = Chunk("d", 0, start, end, document[start:end])
    passage = Passage(chunk, Source("d", "d", "d", "0", "text/plain"), 1.0)
    ranges = draw(st.lists(st.tuples(spot, spot).map(sorted), max_size=4))
    return document, chunk, [Citation(1, passage, a, b, document[a:b]) for a, b in ranges]


@given(cited_chunks())
def test_marks_stand_exactly_at_the_offsets_of_the_citations(case):
    document, chunk, citations = case
    page = Page(render_marked(chunk, citations))
    shown = set(range(chunk.start, chunk.end)).union(*(range(c.start, c.end) for c in citations))
    cited = set().union(*(range(c.start, c.end) for c in citations))
    visible = sorted(shown)
    assert "".join(page.pieces) == "".join(document[i] for i in visible)
    assert page.marked == [i in cited for i in visible]


def test_a_citation_that_begins_before_and_ends_after_its_passage(make):
    passage = make.passage(start=12, end=20)
    citation = make.citation(1, passage)
    assert citation.start < 12
    assert citation.end > 20
    assert render_marked(passage.chunk, [citation]) == f"<mark>{make.promise}</mark>"


def test_a_citation_beside_its_passage_is_shown_with_a_gap(make):
    passage = make.passage(start=0, end=4)
    assert render_marked(passage.chunk, [make.citation(1, passage)]) == (
        f'{make.document[:4]}<span class="wz-gap">……</span><mark>{make.promise}</mark>'
    )


def test_a_quote_that_belies_its_offsets_moves_no_mark(make):
    passage = make.passage(start=0, end=10)
    citation = Citation(1, passage, 2, 14, "short")
    assert render_marked(passage.chunk, [citation]) == (
        f"{make.document[:2]}<mark>{make.document[2:10]}</mark>"
    )


def test_cited_sources_come_first_and_the_others_are_folded_away(answer):
    html = render_sources(Exchange(1, answer.question, "done", answer), "zh-Hans")
    cited, _, others = html.partition("<details")
    assert f'id="{source_id(1, 1)}"' in cited
    assert "<mark>" in cited
    assert all(part in cited for part in ("2026年老旧小区改造计划", "2026-02-10", "区住建局", "计划.md"))
    assert ZH.sources_other in others
    assert "报告.txt" in others
    assert "<mark>" not in others
    assert " open" not in others.partition(">")[0]


def test_a_refusal_shows_the_nearest_passages_without_marks(answer):
    refused = dataclasses.replace(answer, outcome="refused", text="", reason="资料没有提到。")
    exchange = Exchange(1, "q", "done", refused)
    side = render_sources(exchange, "zh-Hans")
    assert ZH.sources_nearest in side
    assert side.count("<article") == 2
    assert "<mark" not in side
    assert "<details" not in side
    main = render_exchange(exchange, "zh-Hans")
    assert 'data-outcome="refused"' in main
    assert ZH.outcome_refused in main
    assert "资料没有提到。" in main


def test_while_writing_the_passages_are_shown_as_found(answer):
    side = render_sources(Exchange(1, "q", "writing", dataclasses.replace(answer, citations=())), "zh-Hans")
    assert ZH.sources_found in side
    assert side.count("<article") == 2


def test_no_passages_no_sources():
    assert render_sources(Exchange(1, "q", "done", Answer("q", "en")), "en") == ""
    assert render_sources(Exchange(1, "q", "searching"), "en") == ""


def test_an_earlier_question_is_named_above_its_sources(answer):
    html = render_sources(Exchange(2, "前面的<问题>", "done", answer), "zh-Hans", past=True)
    assert "前面的&lt;问题&gt;" in html
    assert 'data-action="latest"' in html


def test_a_source_without_title_or_date_or_with_a_windows_path(answer):
    passage = answer.passages[0]
    bare = dataclasses.replace(
        passage.source, title=" ", path="C:\\文件\\通知.txt", published=None, issuer=None
    )
    found = dataclasses.replace(answer, citations=(), passages=(dataclasses.replace(passage, source=bare),))
    html = render_sources(Exchange(1, "q", "done", found), "zh-Hans")
    assert ">通知.txt</button></h4>" in html
    assert ZH.undated in html
    assert 'title="C:\\文件\\通知.txt"' in html


def test_group_citations_orders_by_number_and_place(make):
    passage = make.passage()
    late, early = make.citation(2, passage), make.citation(1, passage)
    assert list(group_citations([late, early])) == [1, 2]


# -- States


def test_partial_differs_from_answered(answer):
    whole = render_exchange(Exchange(1, "q", "done", answer), "zh-Hans")
    part = dataclasses.replace(answer, outcome="partial", reason="没有提到公园。")
    partial = render_exchange(Exchange(1, "q", "done", part), "zh-Hans")
    assert "wz-notice" not in whole
    assert "wz-partial" in partial
    assert "没有提到公园。" in partial


def test_a_reason_that_is_also_the_text_is_said_once(answer):
    asked = dataclasses.replace(
        answer, outcome="clarify", text="请说明年份。", reason="请说明年份。", citations=()
    )
    html = render_exchange(Exchange(1, "q", "done", asked), "zh-Hans")
    assert html.partition("wz-actions")[0].count("请说明年份。") == 1


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ("queued", ZH.phase_queued.format(ahead=3)),
        ("searching", ZH.phase_searching),
        ("loading", ZH.phase_loading),
        ("reading", ZH.phase_reading),
        ("writing", ZH.phase_writing),
    ],
)
def test_what_is_going_on_is_said(phase, words):
    html = render_exchange(Exchange(1, "q", phase, ahead=3), "zh-Hans")
    assert words in html
    assert 'aria-busy="true"' in html


def test_an_error_is_an_error_and_not_an_answer(answer):
    failure = Failure.of(EndpointUnreachable("Nothing answers at x.", "Start it."))
    html = render_exchange(Exchange(1, "住建局？", "failed", None, failure), "en")
    assert TEXTS["en"].errors["EndpointUnreachable"] in html
    assert "Nothing answers at x." in html
    assert "Start it." in html
    assert 'data-ask="住建局？"' in html
    assert "wz-text" not in html


def test_a_stopped_answer_says_that_it_was_not_checked(answer):
    html = render_exchange(Exchange(1, "q", "stopped", answer), "zh-Hans")
    assert ZH.stopped_text in html
    assert "data-copy" not in html
    assert ZH.stopped_text not in render_exchange(Exchange(1, "q", "stopped"), "zh-Hans")


def test_the_copy_carries_the_sources(answer):
    html = render_exchange(Exchange(1, "q", "done", answer), "zh-Hans")
    assert "[1] 2026年老旧小区改造计划（计划.md）" in html


def test_several_exchanges_are_one_after_the_other(answer):
    html = render_exchanges([Exchange(1, "甲", "done", answer), Exchange(2, "乙", "stopped")], "zh-Hans")
    assert html.index("甲") < html.index("乙")


def test_announcements_say_the_answer_once_it_is_whole(answer):
    assert announcement(Exchange(1, "q", "writing", answer), "zh-Hans") == ZH.announce_working
    assert announcement(Exchange(1, "q", "done", answer), "zh-Hans") == (
        f"{ZH.announce_done} 住建局计划改造老旧小区28个。"
    )
    assert announcement(Exchange(1, "q", "stopped", answer), "zh-Hans") == ZH.announce_stopped
    assert announcement(Exchange(1, "q", "failed"), "zh-Hans") == ""
    refused = dataclasses.replace(answer, outcome="refused", text="", reason="资料没有提到。")
    assert "资料没有提到。" in announcement(Exchange(1, "q", "done", refused), "zh-Hans")


@pytest.mark.parametrize("state", ["stopped", "loading", "ready", "restarting", "failed"])
@pytest.mark.parametrize("language", TEXTS)
def test_the_model_state_is_said_in_words(make, state, language):
    html = render_status(make.overview(), make.status(state, "detail <x>"), language)
    assert getattr(TEXTS[language], f"model_{state}") in html
    assert "2026-03-15" in html
    assert "18" in html
    assert "detail &lt;x&gt;" in html


def test_an_empty_library_says_what_to_do(make):
    empty = make.overview(documents=0, latest=None)
    assert ZH.empty_text in render_welcome(empty, "zh-Hans")
    assert "data-ask" not in render_welcome(empty, "zh-Hans")
    assert ZH.status_empty in render_status(empty, make.status(), "zh-Hans")


def test_no_examples_no_heading_for_them(make):
    assert ZH.examples_title not in render_welcome(make.overview(examples=()), "zh-Hans")


def test_fixed_parts():
    assert ZH.sources_empty in render_no_sources("zh-Hans")
    assert ZH.composer_note in render_note("zh-Hans")
    assert ZH.sources_title in render_panel_head("zh-Hans")
    assert ZH.connection_lost in render_connection("zh-Hans")
    assert ZH.service_restarted in render_connection("zh-Hans")


def test_the_page_of_a_source_is_shown_where_it_has_one() -> None:
    source = Source("d", "/a/规划.pdf", "规划", "x", "application/pdf", published="2026-01-05", pages=9)
    passage = Passage(Chunk("d", 0, 0, 3, "正文。", page=7), source, 1.0)
    answer = Answer("问？", "zh-Hans", outcome="refused", passages=(passage,), done=True)
    assert "第7页" in Page(render_sources(Exchange(1, "问？", "done", answer), "zh-Hans")).text
    bare = dataclasses.replace(passage, chunk=Chunk("d", 0, 0, 3, "正文。"))
    answer = dataclasses.replace(answer, passages=(bare,))
    assert "页" not in Page(render_sources(Exchange(1, "问？", "done", answer), "zh-Hans")).text.replace(
        "页面", ""
    )


# -- Feedback


FORM = {"form", "fieldset", "legend", "label", "input", "textarea", "svg", "path"}


@pytest.mark.parametrize("language", TEXTS)
def test_a_finished_answer_can_be_judged_in_every_language(answer, language):
    html = render_exchange(Exchange(1, "问？", "done", answer, id="a1"), language)
    page, texts = Page(html), TEXTS[language]
    assert page.tags <= TAGS | FORM
    assert not [name for name in page.attributes if name.startswith("on")]
    assert html.count('aria-pressed="false"') == 2
    for label in (texts.feedback_up, texts.feedback_down, texts.feedback_label):
        assert f'aria-label="{escape(label)}"' in html
    for words in (
        texts.reason_off_topic,
        texts.reason_should_answer,
        texts.reason_other,
        texts.feedback_send,
    ):
        assert words in page.text
    assert html.count('type="radio"') == 6


@pytest.mark.parametrize("verdict", ["up", "down"])
def test_the_verdict_is_shown_pressed(answer, verdict):
    html = render_exchange(Exchange(1, "问？", "done", answer, id="a1", verdict=verdict), "zh-Hans")
    assert re.findall(r'data-rate="(\w+)"[^>]*aria-pressed="true"', html) == [verdict]


def test_what_is_not_finished_or_has_no_id_is_not_judged(answer):
    for exchange in (
        Exchange(1, "问？", "done", answer),
        *(
            Exchange(1, "问？", phase, answer, id="a1")
            for phase in ("searching", "writing", "stopped", "failed")
        ),
    ):
        html = render_exchange(exchange, "zh-Hans")
        assert "data-rate" not in html
        assert "<form" not in html


def test_a_refusal_can_be_judged(answer):
    refused = dataclasses.replace(answer, outcome="refused", text="", citations=(), reason="没有提到。")
    assert "data-rate" in render_exchange(Exchange(1, "问？", "done", refused, id="a1"), "zh-Hans")


@given(st.text())
def test_what_a_page_sends_back_stays_text(text):
    page = Page(render_rated(text, None, text, 1))
    assert page.tags == {"p"}
    assert page.attributes == {"data-answer", "data-serial"}
