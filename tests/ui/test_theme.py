"""The colours keep WCAG AA in both schemes, and the style sheet holds none of its own."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from ui.theme import DARK, LIGHT, SHAPE, gradio_theme, token_css

TEXT_ON = [
    ("ink", "page"),
    ("ink", "surface"),
    ("ink", "sunken"),
    ("ink", "target"),
    ("ink", "notice-wash"),
    ("ink", "danger-wash"),
    ("ink", "accent-wash"),
    ("ink-soft", "page"),
    ("ink-soft", "surface"),
    ("ink-soft", "sunken"),
    ("ink-soft", "target"),
    ("accent", "page"),
    ("accent", "surface"),
    ("accent", "sunken"),
    ("accent", "accent-wash"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-mark", "mark"),
    ("notice", "notice-wash"),
    ("notice", "surface"),
    ("danger", "danger-wash"),
    ("danger", "surface"),
    ("danger", "page"),
]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_contrast(scheme, text, ground):
    assert contrast(scheme[text], scheme[ground]) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "surface"])
def test_control_borders_and_focus_contrast(scheme, ground):
    assert contrast(scheme["line-strong"], scheme[ground]) >= 3
    assert contrast(scheme["accent"], scheme[ground]) >= 3


def test_both_schemes_name_the_same_colours():
    assert set(LIGHT) == set(DARK)


def test_the_style_sheet_uses_only_known_tokens_and_no_colours_of_its_own():
    sheet = files("ui").joinpath("assets", "chat.css").read_text(encoding="utf-8")
    known = set(LIGHT) | set(SHAPE)
    assert set(re.findall(r"var\(--wz-([a-z0-9-]+)\)", sheet)) <= known
    assert not re.findall(r":[^;{}]*#[0-9a-f]{3,8}\b[^;{}]*;", sheet)
    assert "http" not in sheet
    assert "@import" not in sheet


def test_the_lines_stay_under_forty_han_characters():
    assert float(SHAPE["measure"].removesuffix("em")) < 40


def test_nothing_is_fetched_for_the_theme():
    assert gradio_theme()._stylesheets == []
    assert "url(" not in token_css()
