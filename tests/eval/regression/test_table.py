from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT
from measured_sets import INFO, ranked

from eval.regression.__main__ import BENCHMARKS, READMES
from eval.regression.measuring import Measured, Row, average, row_of
from eval.regression.table import (
    END,
    JSON_FILE,
    MARKDOWN_FILE,
    START,
    Table,
    markdown,
    publish,
    read_table,
    readme_section,
    section_of,
)
from rag.errors import SourceError, SourceNotFound


def of(name: str, fused: list[int | None]) -> Measured:
    results = [[ranked(n, rank) for n, rank in enumerate(ranks)] for ranks in (fused, [1, 2, 3], [2, 2, 2])]
    legs = {"dense": results[1], "lexical": results[2]}
    return Measured(row_of(name, INFO, results[0], legs), INFO, results[0], legs)


def made(reason: str = "") -> Table:
    both = [of("路灯", [1, 1, 1]), of("two_names", [1, None, 2])]
    failed = (Row("坏", reason=reason),) if reason else ()
    rows = (*(item.row for item in both), *failed)
    return Table("2026-01-01T00:00:00", "abc1234", "x, y", "fake", 1, {"candidates": 9}, rows, average(both))


def readme(path: Path, inside: str = "\nold | table\n") -> Path:
    path.write_text(f"# 问政\n\nbefore\n\n{START}{inside}{END}\n\nafter\n", encoding="utf-8")
    return path


def test_the_json_gives_back_the_table(tmp_path: Path) -> None:
    publish(made(), tmp_path / "out", {})
    table = read_table(tmp_path / "out" / JSON_FILE)
    assert [row.name for row in table.rows] == ["路灯", "two_names"]
    assert table.rows[0].means["fused"]["ndcg@10"].value == 1.0
    assert table.rows[1].means["fused"]["mrr@10"].value == 0.5
    assert table.average is not None
    assert table.average.n == 6
    assert (tmp_path / "out" / MARKDOWN_FILE).read_text(encoding="utf-8") == markdown(table)


def test_a_row_has_its_figures_its_legs_and_the_difference() -> None:
    text = markdown(made())
    row = next(line for line in text.splitlines() if line.startswith("| 路灯 | 3 |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:8] == ["路灯", "3", "4", "3", "1.000", "1.000", "1.000", "1.000 [1.000, 1.000]"]
    assert cells[8:10] == ["0.710", "0.631"]  # (1 + 1/log2(3) + 1/log2(4)) / 3, and 1/log2(3)
    assert cells[10].startswith("+0.290 [")
    assert cells[10].endswith("(dense)")
    assert cells[11] == "20"
    assert "| average | 6 | 8 | 6 |" in text
    assert "candidates = 9" in text
    assert "two\\_names" in text


def test_tables_are_rectangular() -> None:
    table = made("It is | not\nthere.")
    for text in (markdown(table), readme_section(table, "en"), readme_section(table, "zh")):
        for block in text.split("\n\n"):
            lines = [line for line in block.splitlines() if line.startswith("|")]
            assert len({line.replace("\\|", "").count("|") for line in lines}) <= 1, block


def test_a_set_that_failed_has_its_reason() -> None:
    table = made("坏 is damaged: line 3.")
    assert markdown(table).count("坏 is damaged: line 3.") == 2
    assert "坏 (could not be measured)" in readme_section(table, "en")
    assert "坏 (未能评测)" in readme_section(table, "zh")


def test_readmes_get_the_section_and_keep_the_rest(tmp_path: Path) -> None:
    english, chinese = readme(tmp_path / "README.md"), readme(tmp_path / "README.zh.md", "\n")
    for _ in range(2):  # the second time it is in its own place again
        publish(made(), tmp_path / "out", {english: "en", chinese: "zh"})
        table = read_table(tmp_path / "out" / JSON_FILE)
        assert section_of(english) == readme_section(table, "en")
        assert section_of(chinese) == readme_section(table, "zh")
    text = english.read_text(encoding="utf-8")
    assert text.startswith("# 问政\n\nbefore\n\n")
    assert text.endswith(f"{END}\n\nafter\n")
    assert "old | table" not in text
    assert "| 平均 |" in section_of(chinese)


def test_a_readme_without_markers_stops_before_anything_is_written(tmp_path: Path) -> None:
    bare = tmp_path / "README.md"
    bare.write_text(f"# 问政\n\n{START}\n", encoding="utf-8")
    assert section_of(bare) == ""
    with pytest.raises(SourceError, match=r"README\.md has no section"):
        publish(made(), tmp_path / "out", {bare: "en"})
    assert not (tmp_path / "out").exists()


def test_a_missing_or_damaged_table_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="make bench"):
        read_table(tmp_path / JSON_FILE)
    (tmp_path / JSON_FILE).write_text('{"date": 5}', encoding="utf-8")
    with pytest.raises(SourceError, match="is damaged"):
        read_table(tmp_path / JSON_FILE)


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_the_projects_readmes_quote_the_table_that_was_measured(path: Path) -> None:
    assert path.parent == ROOT
    assert section_of(path) == readme_section(read_table(BENCHMARKS / JSON_FILE), READMES[path])


def test_the_projects_report_is_of_the_same_table() -> None:
    text = (BENCHMARKS / MARKDOWN_FILE).read_text(encoding="utf-8")
    assert text == markdown(read_table(BENCHMARKS / JSON_FILE))
