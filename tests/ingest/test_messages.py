from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest
from conftest import ROOT

from ingest.details import DETAILS_ZH
from ingest.messages import CHANGES, FAULTS, NOTES, change_text, fault, note_text
from rag.errors import SourceError
from rag.types import Change, Note

FIELDS = string.Formatter()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in FIELDS.parse(text) if name}


@pytest.mark.parametrize("key", FAULTS)
def test_every_fault_says_what_and_what_to_do_in_both_languages(key: str) -> None:
    entry = FAULTS[key]
    english, chinese = "".join(entry.english), "".join(entry.chinese)
    assert fields(english) == fields(chinese)
    assert "name" in fields(entry.english[0])
    assert all(part.endswith(".") for part in entry.english)
    assert all(part.endswith("。") for part in entry.chinese)
    plain = re.sub(r"\{\w+\}|[A-Z_]{6,}(?:=\w+)?|\.\w+", "", chinese)
    assert not re.search(r"[\u4e00-\u9fff][,:()]|[,:()][\u4e00-\u9fff]", plain), "half-width marks in Chinese"
    values = dict.fromkeys(fields(english) - {"name"}, "7")
    error = fault(key, "通知 【一】\udcff😀.docx", **values)
    assert isinstance(error, SourceError)
    assert "通知 【一】?😀.docx" in error.what
    assert "通知 【一】?😀.docx" in error.chinese


def test_a_slip_in_the_calling_code_is_a_slip() -> None:
    with pytest.raises(KeyError):
        fault("no such fault", "a.txt")


@pytest.mark.parametrize("key", NOTES)
def test_every_note_is_told_in_both_languages(key: str) -> None:
    english, chinese = NOTES[key]
    assert fields(english) == fields(chinese) <= {"detail"}
    assert note_text(Note(key, "3, 5"), "zh") != note_text(Note(key, "3, 5"), "en")


def test_every_change_that_is_made_has_a_name_in_both_languages() -> None:
    made = set()
    for path in (ROOT / "ingest").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        made |= set(re.findall(r"(?:Change|_removing|replace|note)\(\s*\"([a-z]+(?:-[a-z]+)*)\"", source))
        for pair in re.findall(r"kind = \"([a-z-]+)\" if .* else \"([a-z-]+)\"", source):
            made |= set(pair)
    assert {"pinyin", "page-furniture", "mojibake-repaired"} <= made
    assert made <= set(CHANGES)
    assert change_text(Change("pinyin", 3), "zh") == "拼音注音 3 处"
    assert change_text(Change("pinyin", 3), "en") == "pinyin annotations: 3"


def test_what_is_wrong_with_a_damaged_file_is_told_in_chinese() -> None:
    """Each fixed detail that a reader gives has its Chinese words, and a Chinese message holds no English ones."""
    found = set()
    for path in (Path(__file__).parents[2] / "ingest").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "fault"
            ):
                continue
            if not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == "damaged"):
                continue
            for keyword in node.keywords:
                if keyword.arg == "detail" and isinstance(keyword.value, ast.Constant):
                    found.add(keyword.value.value)
    assert len(found) > 20
    assert found - DETAILS_ZH.keys() == set()
    for detail in found:
        told = fault("damaged", "文件", detail=detail)
        assert detail in str(told)
        assert detail not in (told.chinese or "")
