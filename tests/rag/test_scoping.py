from __future__ import annotations

from collections.abc import Callable

from rag.library import Library
from rag.questions import analyse
from rag.scoping import asked_again, scope_of
from rag.types import Filters, Turn

OLD = "老旧小区改造要点\n发布日期：2023年5月6日\n\n改造老旧小区12个。"
NEW = "老旧小区改造计划\n发布日期：2025年5月6日\n\n改造老旧小区28个。"
UNDATED = "老旧小区改造说明\n\n改造老旧小区。"


def ids(library: Library) -> dict[str, str]:
    return {version.source.title: version.id for version in library.documents()}


def test_what_a_question_states_of_time_restricts_and_leaves_its_words(
    make_library: Callable[..., Library],
) -> None:
    library = make_library({"old.txt": OLD, "new.txt": NEW})
    question = analyse("2024年以来改造多少老旧小区？", 2000)
    scope = scope_of(question, library, None, None, Filters(), True, 2000)
    assert scope.filters.since == "2024"
    assert scope.documents is not None
    assert len(scope.documents) == 1
    assert "以来" not in scope.question.text
    unread = scope_of(question, library, None, None, Filters(), False, 2000)
    assert not unread.filters
    assert unread.documents is None


def test_given_restrictions_stand_in_place_of_stated_ones_and_within_is_kept(
    make_library: Callable[..., Library],
) -> None:
    library = make_library({"old.txt": OLD, "new.txt": NEW})
    question = analyse("2024年以来改造多少老旧小区？", 2000)
    scope = scope_of(question, library, None, Filters(since="2020"), Filters(), True, 2000)
    assert scope.filters.since == "2020"
    assert scope.documents is not None
    assert len(scope.documents) == 2
    none = scope_of(question, library, set(), None, Filters(), True, 2000)
    assert none.documents == set()


def test_words_about_time_restrict_nothing_where_no_document_is_dated(
    make_library: Callable[..., Library],
) -> None:
    library = make_library({"a.txt": UNDATED})
    scope = scope_of(
        analyse("2024年以来改造多少老旧小区？", 2000), library, None, None, Filters(), True, 2000
    )
    assert not scope.filters
    assert scope.documents is None


def test_a_follow_up_that_only_restricts_asks_the_question_before_again() -> None:
    history = [Turn("user", "改造多少老旧小区？"), Turn("assistant", "28个。")]
    text, filters = asked_again("只看2024年以来的", history)
    assert text == "改造多少老旧小区？"
    assert filters.since == "2024"
    for plain in ("老旧小区呢？", "改造多少老旧小区？"):
        assert asked_again(plain, history) == (plain, Filters())
    assert asked_again("只看2024年以来的", []) == ("只看2024年以来的", Filters())
