"""The numbers that an office program writes before list paragraphs: "（二）", "3.1", "c)". Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

BULLET = "•"
_DIGITS = "〇一二三四五六七八九"
_LEGAL_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_LEGAL_DIGITS_TRADITIONAL = "零壹貳參肆伍陸柒捌玖"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_LARGEST_CHINESE = 9999


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a numbering: "%1.%2" with its format and first number. ``decimal`` writes the upper levels so too."""

    format: str = "decimal"
    text: str = ""
    start: int = 1
    decimal: bool = False


@dataclass(slots=True)
class Counter:
    """Counts the paragraphs of one numbering."""

    levels: Mapping[int, Level]
    numbers: dict[int, int] = field(default_factory=dict)

    def restart(self, depth: int, number: int) -> None:
        """Let the next paragraph on this level have this number."""
        self.numbers[depth] = number - 1
        self._forget(depth)

    def next(self, depth: int) -> str:
        """The number of the next paragraph on a level (from 0), "" where it shows none."""
        level = self.levels.get(depth)
        if level is None:
            return ""
        self.numbers[depth] = self.numbers.get(depth, level.start - 1) + 1
        self._forget(depth)
        if level.format == "bullet":
            return BULLET
        text = level.text
        for upper in range(depth + 1):
            if f"%{upper + 1}" in text:
                other = self.levels.get(upper, level)
                number = self.numbers.get(upper, other.start)
                style = "decimal" if level.decimal else other.format
                text = text.replace(f"%{upper + 1}", format_number(number, style))
        return text.strip()

    def _forget(self, depth: int) -> None:
        for lower in [lower for lower in self.numbers if lower > depth]:
            del self.numbers[lower]


def with_number(number: str, text: str) -> str:
    """A number and its text: a space between them except after Chinese punctuation ("一、", "（二）")."""
    if not number or not text:
        return number or text
    return number + text if number[-1] > "\u2fff" and number != BULLET else f"{number} {text}"


def format_number(number: int, style: str) -> str:
    """A number in one of Word's formats; in digits where the format is unknown or has no such number."""
    if style in ("none", "bullet"):
        return ""
    formatter = _FORMATS.get(style)
    written = formatter(number) if formatter and number > 0 else ""
    return written or str(number)


def chinese(number: int, digits: str = _DIGITS, units: str = "十百千") -> str:
    """A number up to 9999 as Chinese reads it: 十二, 一百零五."""
    if not 0 < number <= _LARGEST_CHINESE:
        return ""
    text = ""
    gap = False
    for power in range(3, -1, -1):
        digit = number // 10**power % 10
        if not digit:
            gap = bool(text)
            continue
        text += ("零" if gap else "") + digits[digit] + (units[power - 1] if power else "")
        gap = False
    # 十二, not 一十二; the legal digits keep it.
    return text[1:] if digits == _DIGITS and 10 <= number < 20 else text


def _letters(number: int) -> str:
    # Word goes on after z with aa, bb.
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1) if number <= 26 * 20 else ""


def _roman(number: int) -> str:
    if number >= 4000:
        return ""
    text = ""
    for value, sign in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
        strict=True,
    ):
        text += sign * (number // value)
        number %= value
    return text


def _from(first: str, count: int) -> Callable[[int], str]:
    return lambda number: chr(ord(first) + number - 1) if number <= count else ""


def _of(signs: str) -> Callable[[int], str]:
    return lambda number: signs[number - 1] if number <= len(signs) else ""


def _digit_by_digit(number: int) -> str:
    return "".join(_DIGITS[int(digit)] for digit in str(number))


def _counting(number: int) -> str:
    return chinese(number).replace("〇", "零")


_FORMATS: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda number: f"{number:02d}",
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerLetter": _letters,
    "upperRoman": lambda number: _roman(number).upper(),
    "lowerRoman": _roman,
    "chineseCounting": _counting,
    "chineseCountingThousand": _counting,
    "taiwaneseCounting": _counting,
    "taiwaneseCountingThousand": _counting,
    "japaneseCounting": _counting,
    "chineseLegalSimplified": lambda number: chinese(number, _LEGAL_DIGITS, "拾佰仟"),
    "ideographLegalTraditional": lambda number: chinese(number, _LEGAL_DIGITS_TRADITIONAL, "拾佰仟"),
    "ideographDigital": _digit_by_digit,
    "taiwaneseDigital": _digit_by_digit,
    "japaneseDigitalTenThousand": _digit_by_digit,
    "ideographTraditional": _of(_STEMS),
    "ideographZodiac": _of(_BRANCHES),
    "decimalEnclosedCircle": _from("①", 20),
    "decimalEnclosedCircleChinese": _from("①", 20),
    "decimalEnclosedParen": _from("⑴", 20),
    "decimalEnclosedFullstop": _from("⒈", 20),
    "ideographEnclosedCircle": _from("㊀", 10),
    "decimalFullWidth": lambda number: str(number).translate({48 + i: 0xFF10 + i for i in range(10)}),
    "decimalFullWidth2": lambda number: str(number).translate({48 + i: 0xFF10 + i for i in range(10)}),
}
