from __future__ import annotations

from rag.scripts import in_script


def test_a_name_is_written_as_the_source_writes_it() -> None:
    original = "區科技局局長范冬霖表示，將推動创新。"
    assert in_script("科技局局长范冬霖表示", "zh-Hant", [original]) == "科技局局長范冬霖表示"


def test_without_a_source_the_text_is_converted() -> None:
    assert in_script("住建局承诺改造", "zh-Hant", []) == "住建局承諾改造"
    assert in_script("住建局承諾改造", "zh-Hans", []) == "住建局承诺改造"
    assert in_script("renewal of 老旧小区", "en", []) == "renewal of 老旧小区"
