"""Every language has every text, with the same places to fill in; the browser's wish is understood."""

from __future__ import annotations

import dataclasses
import string

import pytest

from rag import errors
from ui.texts import TEXTS, Texts, choose_language, error_heading

WORDS = [field.name for field in dataclasses.fields(Texts) if field.name != "errors"]


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("name", WORDS)
def test_every_text_is_there_and_takes_the_same_places(language, name):
    text = getattr(TEXTS[language], name)
    assert text.strip()
    assert places(text) == places(getattr(TEXTS["zh-Hans"], name))


@pytest.mark.parametrize("language", TEXTS)
def test_every_error_has_a_heading(language):
    def below(kind):
        return {kind.__name__}.union(*(below(child) for child in kind.__subclasses__()))

    # Only the tree that the service itself defines: tests elsewhere may derive their own.
    codes = {code for code in below(errors.WenzhengError) if hasattr(errors, code)}
    assert set(TEXTS[language].errors) == codes | {"Unexpected"}
    assert all(heading.strip() for heading in TEXTS[language].errors.values())


def test_an_unknown_error_gets_the_general_heading():
    assert error_heading(TEXTS["en"], "SomethingNew") == "This could not be done"


def test_the_languages_differ():
    assert len({texts.send for texts in TEXTS.values()}) == len({texts.tag for texts in TEXTS.values()}) == 3


@pytest.mark.parametrize(
    ("accept", "setting", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "auto", "zh-Hans"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "auto", "zh-Hant"),
        ("zh-Hant-HK", "auto", "zh-Hant"),
        ("zh-HK", "auto", "zh-Hant"),
        ("zh", "auto", "zh-Hans"),
        ("en-US,en;q=0.9", "auto", "en"),
        ("en;q=0.5, zh-CN;q=0.8", "auto", "zh-Hans"),
        ("en, zh;q=0", "auto", "en"),
        ("fr-FR,fr;q=0.9", "auto", "en"),
        ("fr-FR,fr;q=0.9,zh-CN;q=0.5", "auto", "zh-Hans"),
        ("", "auto", "zh-Hans"),
        (None, "auto", "zh-Hans"),
        ("*", "auto", "zh-Hans"),
        ("zhx;q=nonsense,;;,q=1", "auto", "en"),
        ("zh;q=1.2.3", "auto", "zh-Hans"),
        ("zh-CN", "en", "en"),
        ("en-US", "zh", "zh-Hans"),
        ("en-US,zh-TW;q=0.3", "zh", "zh-Hant"),
    ],
)
def test_choose_language(accept, setting, language):
    assert choose_language(accept, setting) == language
