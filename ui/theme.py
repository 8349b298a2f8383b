"""The look in one place: tokens of colour, space and type, as CSS variables and as a Gradio theme.

System fonts only: the page works in an office without a way out, so nothing is fetched from a font service.
The style sheet itself (`assets/chat.css`) uses these tokens and holds no colour of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import gradio as gr

FONT: Final = (
    '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", '
    'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
)
FONT_HANT: Final = (
    '"PingFang TC", "Microsoft JhengHei", "Noto Sans CJK TC", "Noto Sans TC", "Source Han Sans TC", '
    'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
)
FONT_EN: Final = f'-apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, {FONT}'

LIGHT: Final[Mapping[str, str]] = {
    "page": "#f4f6f8",
    "surface": "#ffffff",
    "sunken": "#eef1f5",
    "line": "#d8dee6",
    "line-strong": "#788594",
    "ink": "#1c2733",
    "ink-soft": "#55616f",
    "accent": "#1b4f8a",
    "accent-strong": "#143d6b",
    "accent-wash": "#e6eef7",
    "on-accent": "#ffffff",
    "mark": "#ffeea8",
    "on-mark": "#1c2733",
    "target": "#fff9e3",
    "notice": "#7a4b00",
    "notice-wash": "#fcf4e3",
    "danger": "#9b1f1f",
    "danger-wash": "#fbeeed",
    "good": "#1f6b45",
}
"""Colours on a light background. `tests/ui/test_theme.py` holds their contrast to WCAG AA."""

DARK: Final[Mapping[str, str]] = {
    "page": "#12161b",
    "surface": "#1a1f26",
    "sunken": "#222933",
    "line": "#303946",
    "line-strong": "#7c8896",
    "ink": "#e3e8ee",
    "ink-soft": "#a4afbc",
    "accent": "#8fb8ea",
    "accent-strong": "#b4d0f2",
    "accent-wash": "#1f2d3f",
    "on-accent": "#0e1a28",
    "mark": "#574611",
    "on-mark": "#fbf3d4",
    "target": "#262417",
    "notice": "#e8bd72",
    "notice-wash": "#2b2415",
    "danger": "#f1a3a0",
    "danger-wash": "#311d1e",
    "good": "#7fcaa2",
}
"""Colours on a dark background, under the same names."""

SHAPE: Final[Mapping[str, str]] = {
    "font": FONT,
    "text": "16px",
    "text-small": "14px",
    "text-tiny": "13px",
    "leading": "1.75",
    # One em is one Han character: lines stay under 40 of them.
    "measure": "38em",
    "space-1": "4px",
    "space-2": "8px",
    "space-3": "12px",
    "space-4": "16px",
    "space-5": "24px",
    "space-6": "40px",
    "radius": "6px",
    "panel": "27rem",
}
"""Type, space and sizes; the same in both schemes."""


def token_css() -> str:
    """The tokens as CSS variables ``--wz-*``; dark ones where the system asks for dark."""
    return (
        f":root{{color-scheme:light dark;{_variables(SHAPE)}{_variables(LIGHT)}}}\n"
        f"@media (prefers-color-scheme: dark){{:root{{{_variables(DARK)}}}}}\n"
        f":root:lang(zh-TW){{--wz-font:{FONT_HANT}}}\n"
        f":root:lang(en){{--wz-font:{FONT_EN}}}\n"
    )


def gradio_theme() -> gr.themes.Base:
    """A Gradio theme that takes every colour it needs from the tokens, in the light and in the dark scheme.

    Fonts are given as plain names: Gradio turns only its own font classes into requests.
    """
    values = {
        "body_background_fill": "var(--wz-page)",
        "body_text_color": "var(--wz-ink)",
        "body_text_color_subdued": "var(--wz-ink-soft)",
        "background_fill_primary": "var(--wz-surface)",
        "background_fill_secondary": "var(--wz-page)",
        "border_color_primary": "var(--wz-line)",
        "border_color_accent": "var(--wz-accent)",
        "color_accent_soft": "var(--wz-accent-wash)",
        "block_background_fill": "transparent",
        "block_border_width": "0px",
        "input_background_fill": "var(--wz-surface)",
        "input_background_fill_focus": "var(--wz-surface)",
        "input_border_color": "var(--wz-line-strong)",
        "input_border_color_focus": "var(--wz-accent)",
        "input_placeholder_color": "var(--wz-ink-soft)",
        "button_primary_background_fill": "var(--wz-accent)",
        "button_primary_background_fill_hover": "var(--wz-accent-strong)",
        "button_primary_text_color": "var(--wz-on-accent)",
        "button_secondary_background_fill": "var(--wz-surface)",
        "button_secondary_background_fill_hover": "var(--wz-sunken)",
        "button_secondary_text_color": "var(--wz-ink)",
        "button_secondary_border_color": "var(--wz-line-strong)",
        "link_text_color": "var(--wz-accent)",
    }
    theme = gr.themes.Base(font=["var(--wz-font)"], font_mono=["monospace"])
    both = values | {
        f"{name}_dark": value for name, value in values.items() if hasattr(theme, f"{name}_dark")
    }
    return theme.set(**both)


def _variables(tokens: Mapping[str, str]) -> str:
    return "".join(f"--wz-{name}:{value};" for name, value in tokens.items())
