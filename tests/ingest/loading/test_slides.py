"""Presentations, slide by slide."""

from __future__ import annotations

import io
import random
from typing import Any

import pptx
import pytest
from pptx.util import Cm

from ingest.loading.blocks import Block, Limits, Task
from ingest.loading.slides import load
from rag import errors


def saved(presentation: Any) -> bytes:
    buffer = io.BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def sample() -> Any:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "湖堤路改造"
    for text, left, top in (("右", 12, 8), ("下", 1, 12), ("左", 1, 8.2)):
        slide.shapes.add_textbox(Cm(left), Cm(top), Cm(3), Cm(1)).text_frame.text = text
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(Cm(1), Cm(14), Cm(3), Cm(1)).text_frame.text = "组内"
    table = slide.shapes.add_table(3, 2, Cm(1), Cm(16), Cm(8), Cm(2)).table
    for row, cells in enumerate((("姓名", "职务"), ("祝青禾", "局长"), ("合计一人", ""))):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    table.cell(2, 0).merge(table.cell(2, 1))
    slide.notes_slide.notes_text_frame.text = "请讲慢些"
    second = presentation.slides.add_slide(presentation.slide_layouts[1])
    second.shapes.title.text = "Plan"
    second.placeholders[1].text = "Build\nRepair"
    second.notes_slide.notes_text_frame.text = "Be slow"
    return presentation


def test_slides_are_read_in_order_with_tables_and_notes() -> None:
    parsed = load(Task(saved(sample()), "a.pptx"))
    assert parsed.pages == 2
    assert parsed.blocks == (
        Block("湖堤路改造", "heading", 1, 1),
        *(Block(text, page=1) for text in ("左", "右", "下", "组内")),
        Block("姓名：祝青禾；职务：局长", "row", page=1),
        Block("合计一人", "row", page=1),
        Block("备注：请讲慢些", page=1),
        Block("Plan", "heading", 1, 2),
        Block("Build", page=2),
        Block("Repair", page=2),
        Block("Notes: Be slow", page=2),
    )


def test_hidden_slides_are_left_out_and_said() -> None:
    presentation = sample()
    presentation.slides[0].element.set("show", "0")
    parsed = load(Task(saved(presentation), "a.pptx"))
    assert {block.page for block in parsed.blocks} == {2}
    assert [note.key for note in parsed.notes] == ["hidden_text"]


def test_limits_and_empty_files() -> None:
    with pytest.raises(errors.SourceTooLarge):
        load(Task(saved(sample()), "a.pptx", Limits(pages=1)))
    with pytest.raises(errors.SourceTooLarge):
        load(Task(saved(sample()), "a.pptx", Limits(text_chars=10)))
    with pytest.raises(errors.SourceEmpty):
        load(Task(saved(pptx.Presentation()), "a.pptx"))


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_end_in_a_refusal_or_a_text(seed: int) -> None:
    data = bytearray(saved(sample()))
    chance = random.Random(seed)
    if seed % 2:
        del data[chance.randrange(len(data)) :]
    else:
        for _ in range(chance.choice((1, 5, 50))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    try:
        assert load(Task(bytes(data), "a.pptx")).blocks
    except errors.SourceError as error:
        assert error.chinese
