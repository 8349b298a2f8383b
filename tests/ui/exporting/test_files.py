"""Exported conversations: everything is there, nothing that was written by others becomes markup."""

from __future__ import annotations

import io
import re
from urllib.parse import unquote

import docx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from rag.types import Answer, Claim
from ui.conversations.records import Conversation
from ui.exporting import FORMATS
from ui.exporting.files import exported, file_name
from ui.exporting.markdown import escaped
from ui.exporting.outline import clean
from ui.rendering import Exchange, Failure
from ui.texts import TEXTS

ZH = TEXTS["zh-Hans"]
HOSTILE = "<script>alert(1)</script> [x](javascript:1) ![i](http://e/x) # *b* `c` <img src=x onerror=1> \x00\x0b\ud800\u202e&amp;"


@pytest.fixture
def conversation(answer) -> Conversation:
    text = answer.text + "还要建三座公园[1]。"
    start = len(answer.text)
    claim = Claim(text[start:], start, len(text), (1,), "unsupported", "没有")
    struck = Answer(
        answer.question, "zh-Hans", text, claims=(claim,), citations=answer.citations,
        passages=answer.passages, done=True,
    )  # fmt: skip
    refused = Answer("校长轮岗？", "zh-Hans", outcome="refused", reason="资料没有提到。", done=True)
    return Conversation(
        "0" * 32,
        "旧改 / 计划？",
        "2026-03-01T02:03:04+00:00",
        "2026-03-01T02:03:04+00:00",
        (
            Exchange(1, answer.question, "done", struck, id="a"),
            Exchange(2, "校长轮岗？", "done", refused, id="b"),
            Exchange(3, "坏了？", "failed", None, Failure("ModelError", "没有回答。", "再试。"), id="c"),
            Exchange(4, "停了？", "stopped", id="d"),
        ),
    )


def hostile(answer) -> Conversation:
    bad = Answer(HOSTILE, "zh-Hans", HOSTILE + "[1]\n" + HOSTILE, citations=answer.citations, done=True)
    return Conversation("0" * 32, HOSTILE, HOSTILE, "", (Exchange(1, HOSTILE, "done", bad, id="a"),))


def words(content: bytes, kind: str) -> str:
    if kind == "docx":
        return "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(content)).paragraphs)
    text = content.decode()
    shown = MarkdownIt("commonmark").enable("strikethrough").render(text) if kind == "md" else text
    return lxml_html.document_fromstring(
        shown.encode(), parser=lxml_html.HTMLParser(encoding="utf-8")
    ).text_content()


@pytest.mark.parametrize("kind", FORMATS)
def test_all_of_it_is_there(conversation, kind):
    file = exported(conversation, kind, "zh-Hans")
    text = words(file.content, kind)
    for part in (
        *("旧改 / 计划？", "住建局承诺了什么？", "住建局计划改造老旧小区28个[1]。", "还要建三座公园[1]。"),
        *(
            "2026年老旧小区改造计划",
            "2026-02-10",
            "区住建局",
            "2026/计划.md",
            "2026年全区计划改造老旧小区28个。",
        ),
        *(ZH.outcome_refused, "资料没有提到。", ZH.errors["ModelError"], "没有回答。", ZH.stopped_title),
        ZH.export_unsupported,
    ):
        assert part in text, part
    assert text.index("住建局承诺") < text.index("校长轮岗？") < text.index("坏了？")
    assert unquote(file.disposition.rpartition("''")[2]) == f"旧改 计划？.{kind}"
    assert file.disposition.isascii()
    assert file.disposition.startswith("attachment; ")


def test_what_did_not_pass_the_check_is_struck_through(conversation):
    page = lxml_html.document_fromstring(exported(conversation, "html", "zh-Hans").content)
    assert [found.text for found in page.iter("del")] == ["还要建三座公园[1]。"]
    assert "<del>还要建三座公园[1]。</del>" in exported(conversation, "md", "zh-Hans").content.decode()
    document = docx.Document(io.BytesIO(exported(conversation, "docx", "zh-Hans").content))
    struck = [run.text for paragraph in document.paragraphs for run in paragraph.runs if run.font.strike]
    assert struck == ["还要建三座公园[1]。"]


def test_the_page_needs_nothing_and_runs_nothing(answer):
    text = exported(hostile(answer), "html", "zh-Hans").content.decode()
    page = lxml_html.document_fromstring(text.encode())
    assert not list(page.iter("script", "img", "a", "link", "iframe", "object"))
    assert not [name for element in page.iter() for name in element.attrib if name.startswith("on")]
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in text


def test_markdown_of_others_stays_text(answer):
    shown = MarkdownIt("commonmark").render(exported(hostile(answer), "md", "zh-Hans").content.decode())
    assert not re.search(r"<(script|img|a|code)\b", shown)
    assert "&lt;script&gt;" in shown
    assert "# *b* `c`" in shown


def test_word_is_read_back_by_the_projects_own_reader(conversation, answer, tmp_path):
    from ingest.documents import load

    for name, one in (("plain", conversation), ("hostile", hostile(answer))):
        file = tmp_path / f"{name}.docx"
        file.write_bytes(exported(one, "docx", "zh-Hans").content)
        document = load(file)
        assert "28个" in document.text


@given(st.text(max_size=60))
@example("1. a")
@example("- a")
@example("+ a\n- b")
@example("===")
@example(": a")
@example("[a]: http://e")
@example("[1]: http://e")
@example("![1](x)")
@example("a\\")
@example("&amp; &#60;")
@example("~~x~~ http://e www.e.com a@b.c")
@example("    code")
def test_escaped_markdown_shows_the_text_itself(text):
    line = " ".join(clean(text).split())
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(escaped(clean(text)))
    tree = lxml_html.fragment_fromstring(
        shown.encode(), create_parent="div", parser=lxml_html.HTMLParser(encoding="utf-8")
    )
    assert [element.tag for element in tree.iter() if element.tag not in ("div", "p")] == []
    assert " ".join(tree.text_content().split()) == line


@given(st.text(max_size=200), st.sampled_from(list(FORMATS)))
@example("../../etc/passwd", "md")
@example("CON:\u202egnp.exe", "docx")
@example("...", "html")
def test_names_are_safe(title, kind):
    name = file_name(clean(title), kind)
    assert name.endswith(f".{kind}")
    assert not re.search(r'[\\/:*?"<>|\x00-\x1f\u202e]', name)
    assert not name.startswith(".")
    assert len(name) <= 66
