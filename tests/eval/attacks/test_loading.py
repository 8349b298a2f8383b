from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from pathlib import Path, PurePath
from typing import Any

import pytest

from eval.attacks.loading import FORMATS, as_file, load_attacks, load_harmless
from eval.attacks.verdicts import holds
from ingest.documents import load
from rag.errors import SourceError, SourceNotFound
from rag.text import english_stem, script_of, words

ATTACKS = load_attacks()
HARMLESS = load_harmless()
COMMON = {
    *[
        "what",
        "is",
        "the",
        "of",
        "how",
        "much",
        "many",
        "does",
        "do",
        "a",
        "when",
        "where",
        "for",
        "which",
        "are",
        "there",
        "an",
    ],
    "是",
    "的",
    "多少",
    "什么",
    "由",
    "到",
    "哪里",
    "几",
    "为",
    "谁",
    "元",
    "名",
    "个",
    "每",
    "何时",
    "负责",
}


def test_there_are_enough_attacks_in_each_script_and_format_and_of_each_kind_in_each_script() -> None:
    scripts = Counter(attack.lang for attack in ATTACKS)
    assert set(scripts) == {"zh-Hans", "zh-Hant", "en"}
    assert min(scripts.values()) >= 18
    assert {PurePath(attack.file).suffix for attack in ATTACKS} == set(FORMATS)
    for kind in {attack.kind for attack in ATTACKS}:
        assert {attack.lang for attack in ATTACKS if attack.kind == kind} == set(scripts), kind


def test_ids_files_and_questions_are_each_there_once() -> None:
    for values in (
        [attack.id for attack in ATTACKS],
        [attack.question for attack in ATTACKS],
        [document.file for document in (*ATTACKS, *HARMLESS)],
    ):
        assert max(Counter(values).values()) == 1


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_an_attack_can_be_measured(attack: Any, tmp_path: Path) -> None:
    path = tmp_path / attack.file
    path.write_bytes(as_file(attack.file, attack.text))
    document = load(path)
    assert script_of(attack.question) == attack.lang or attack.lang != "en"
    for word in attack.answer:
        assert holds(document.text, word), f"the ordinary text does not hold {word}"
        assert not holds(attack.question, word), f"the question tells the answer {word}"
    asked = [word for word in words(attack.question) if word not in COMMON and len(word) > 1]
    stems = {english_stem(word) for word in words(document.text)}
    held = [word for word in asked if english_stem(word) in stems or holds(document.text, word)]
    assert len(held) >= len(asked) / 2, f"the document does not speak of what is asked: {asked}"
    assert not holds(attack.question, attack.trace)
    for word in attack.canary:
        assert not holds(attack.question, word)
        # Every word of the canary is in the document or its name: an attack is planted there and nowhere else.
        if attack.kind != "encoded":
            assert holds(f"{attack.file}\n{_all_text(path)}", word), f"the attack does not hold {word}"
    for word in attack.only_cited:
        assert holds(f"{document.source.title}\n{document.text}", word), f"{word} cannot be quoted"


def _all_text(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix != ".docx":
        return data.decode().replace("\u200b", "")
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return re.sub("<[^>]+>", " ", "".join(package.read(name).decode() for name in package.namelist()))


def test_no_canary_is_in_a_harmless_document_an_answer_or_another_question() -> None:
    honest = [f"{document.file}\n{document.text}" for document in HARMLESS]
    honest += [text for attack in ATTACKS for text in (attack.question, *attack.answer)]
    for attack in ATTACKS:
        for word in attack.forbidden:
            assert not any(holds(text, word) for text in honest), word


def test_no_forbidden_word_of_one_attack_is_in_the_document_of_another() -> None:
    for attack in ATTACKS:
        for word in attack.forbidden:
            others = [other.id for other in ATTACKS if other is not attack and holds(other.text, word)]
            assert not others or any(word in other.forbidden for other in ATTACKS if other.id in others), word


def test_addresses_are_of_no_one() -> None:
    for document in (*ATTACKS, *HARMLESS):
        for host in re.findall(r"(?:@|://)([\w.-]+)", document.text):
            assert host.endswith((".invalid", ".example")), host
        for number in re.findall(r"\d{3,4}-\d{7,8}", document.text):
            assert number.startswith("0600-555"), number


def test_a_docx_shows_paragraphs_and_headings_and_neither_what_is_hidden_nor_its_foot(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(
        as_file(path.name, "# 借阅 <规定>\n每次借五本。\n[hidden] 借五百本。\n[footer] 借五千本。")
    )
    document = load(path)
    assert document.text == "借阅 <规定>\n每次借五本。"
    assert [mark.kind for mark in document.marks] == ["heading", "paragraph"]
    assert as_file("a.docx", "x") == as_file("a.docx", "x")


LINE = {
    "id": "a",
    "kind": "override",
    "lang": "en",
    "file": "a.txt",
    "text": "A.",
    "question": "A?",
    "answer": ["A"],
    "trace": "A",
    "forbidden": ["B"],
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"forbidden": []}, "canary"),
        ({"answer": []}, "answer"),
        ({"answer": [" "]}, "empty"),
        ({"lang": "fr"}, "lang"),
        ({"file": "a.exe"}, "a.exe"),
        ({"file": "../a.txt"}, "no file's name"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_line_that_cannot_be_measured_is_refused_with_its_number(
    change: dict[str, Any], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "planted.jsonl"
    good = json.dumps(LINE)
    path.write_text(
        f"{good}\n\n{json.dumps(LINE | {'id': 'b', 'file': 'b.txt'} | change)}\n", encoding="utf-8"
    )
    with pytest.raises(SourceError, match=rf"Line 3 .*{re.escape(told)}"):
        load_attacks(path)


def test_what_occurs_twice_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "planted.jsonl"
    with pytest.raises(SourceNotFound):
        load_attacks(path)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(SourceError, match="holds nothing"):
        load_harmless(path)
    for again in (LINE | {"file": "b.txt"}, LINE | {"id": "b"}):
        path.write_text(f"{json.dumps(LINE)}\n{json.dumps(again)}\n", encoding="utf-8")
        with pytest.raises(SourceError, match="occurs twice"):
            load_attacks(path)
