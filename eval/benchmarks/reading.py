"""Reads JSON and JSON lines, plain or gzipped, so that whatever is wrong in them is named with its place.

Everything that can go wrong in a file that somebody else wrote ends as a `SourceError`, in English and Chinese: it is not
there, not UTF-8, cut off, no JSON, or a record of it lacks a key or holds the wrong type.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from rag.errors import (
    SourceDamaged,
    SourceEmpty,
    SourceError,
    SourceNotFound,
    SourceTooLarge,
    SourceUndecodable,
)

MAX_LINE = 64 * 1024 * 1024
"""Bytes that one line may have, so that a damaged or hostile file does not fill the memory."""

MAX_FILE = 2 * 1024 * 1024 * 1024
"""Bytes that a file may have, unpacked, that is one JSON value and has to be read whole."""

_GZIP = b"\x1f\x8b"
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE = re.compile(r", line (\d+),?")
_MEND = "Mend the record or take it out, and load again."
_MEND_ZH = "请改正或删去这条记录后重新读取。"
_AGAIN = "Get the file again."
_AGAIN_ZH = "请重新获取这个文件。"
_TEXT, _FLAG, _LIST = ("text", "文本"), ("true or false", "true 或 false"), ("a list", "列表")
_OTHER = ("something else", "其他类型")
_TYPES = {
    str: _TEXT,
    bool: _FLAG,
    int: ("a number", "数字"),
    float: ("a number", "数字"),
    list: _LIST,
    dict: ("an object", "对象"),
    type(None): ("null", "null"),
}
"""What a value is called, in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object with the place it was read from ("queries.jsonl, line 3"), which every error names.

    All accessors raise `SourceError` for a missing key or a wrong type.
    """

    fields: Mapping[str, Any]
    place: str

    def wrong(self, what: str, chinese: str = "") -> SourceError:
        """The error for this record: ``what`` is wrong with it, as the predicate of its sentence, and the same in Chinese."""
        return SourceError(
            f"{self.place} {what}.",
            _MEND,
            chinese=f"{place_in_chinese(self.place)}{chinese}。{_MEND_ZH}" if chinese else "",
        )

    def has(self, key: str) -> bool:
        """Whether the key is there with something other than null."""
        return self.fields.get(key) is not None

    def get(self, key: str) -> Any:
        """The value of a key that must be there, null included."""
        if key not in self.fields:
            raise self.wrong(f'has no "{key}"', f"缺少“{key}”")
        return self.fields[key]

    def text(self, key: str, *, blank: bool = True) -> str:
        """A text that must be there; where ``blank`` is False it must hold more than white space."""
        return self._text(key, self.get(key), blank=blank)

    def optional_text(self, key: str) -> str:
        """A text, or empty where the key is missing or null."""
        return self.text(key) if self.has(key) else ""

    def identifier(self, key: str) -> str:
        """An id: a text that is not blank, or a whole number, as text."""
        return self._identifier(key, self.get(key))

    def identifiers(self, key: str) -> tuple[str, ...]:
        """A list of ids, each once, in order; empty where the key is missing or null."""
        return tuple(dict.fromkeys(self._identifier(key, item) for item in self.optional_values(key)))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts that must be there."""
        return tuple(self._text(f"{key}[{i}]", item) for i, item in enumerate(self.values(key)))

    def flag(self, key: str) -> bool:
        """True or false, also where it was written as the text "true" or "false" (CAIL 2019)."""
        value = self.get(key)
        if isinstance(value, str) and value.strip().casefold() in ("true", "false"):
            return value.strip().casefold() == "true"
        if not isinstance(value, bool):
            raise self._type(key, value, _FLAG)
        return value

    def values(self, key: str) -> list[Any]:
        """A list that must be there, of anything."""
        value = self.get(key)
        if not isinstance(value, list):
            raise self._type(key, value, _LIST)
        return value

    def optional_values(self, key: str) -> list[Any]:
        """A list, or an empty one where the key is missing or null."""
        return self.values(key) if self.has(key) else []

    def records(self, key: str) -> Iterator[Record]:
        """The objects of a list that must be there, each with its place."""
        for i, item in enumerate(self.values(key)):
            yield record(item, f"{self._inside}, {key}[{i}]")

    def record(self, key: str) -> Record:
        """An object that must be there, with its place."""
        return record(self.get(key), f"{self._inside}, {key}")

    @property
    def _inside(self) -> str:
        return self.place.removesuffix(",")

    def flat(self, key: str) -> tuple[str, ...]:
        """All texts of a value that is a text or a list of texts, nested at will; numbers as text; null is nothing."""
        return tuple(self._flat(key, self.fields.get(key)))

    def _flat(self, key: str, value: Any) -> Iterator[str]:
        if value is None:
            return
        if isinstance(value, list):
            for i, item in enumerate(value):
                yield from self._flat(f"{key}[{i}]", item)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield str(value)
        else:
            yield self._text(key, value)

    def _text(self, key: str, value: Any, *, blank: bool = True) -> str:
        if not isinstance(value, str):
            raise self._type(key, value, _TEXT)
        if _SURROGATE.search(value):
            raise self.wrong(
                f'has half of a character (an unpaired surrogate) in "{key}"', f"的“{key}”里有半个字符"
            )
        if not blank and not value.strip():
            raise self.wrong(f'has nothing in "{key}"', f"的“{key}”是空的")
        return value

    def _identifier(self, key: str, value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self._text(key, value, blank=False)

    def _type(self, key: str, value: Any, expected: tuple[str, str]) -> SourceError:
        found = _TYPES.get(type(value), _OTHER)
        return self.wrong(
            f'has {found[0]} in "{key}" where {expected[0]} belongs',
            f"的“{key}”应为{expected[1]}，却是{found[1]}",
        )


def record(value: Any, place: str) -> Record:
    """A JSON value as a record. Raises `SourceError` where it is no object."""
    if not isinstance(value, dict):
        found = _TYPES.get(type(value), _OTHER)
        raise Record({}, place).wrong(f"is {found[0]}, not an object", f"应为对象，却是{found[1]}")
    return Record(value, place)


def place_in_chinese(place: str) -> str:
    """A record's place as Chinese sentences begin: "queries.jsonl, line 3," is “queries.jsonl”第3行."""
    file, line, inside = place, "", ""
    if found := _LINE.search(place):
        file, line, inside = place[: found.start()], f"第{found[1]}行", place[found.end() :]
    elif ", " in place:
        file, _, inside = place.partition(", ")
    inside = inside.strip(", ")
    return f"“{file}”{line}" + (f"（{inside}）" if inside else "")


def lines(path: Path) -> Iterator[Record]:
    """The objects of a JSON-lines file, one at a time, each with its line; blank lines are skipped."""
    for number, line in text_lines(path):
        place = f"{path.name}, line {number},"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Record({}, place).wrong(
                f"is no JSON: {_reason(error)}", f"不是 JSON（{_reason(error)}）"
            ) from error
        yield record(value, place)


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file that are not blank, with their numbers from 1, a byte order mark taken off."""
    with _open(path) as file:
        number = 0
        while raw := file.readline(MAX_LINE + 1):
            number += 1
            if len(raw) > MAX_LINE:
                raise SourceTooLarge(
                    f"{path.name}, line {number}, has more than {MAX_LINE // 1024**2} MB.",
                    "Give one record a line.",
                    chinese=f"“{path.name}”第{number}行超过{MAX_LINE // 1024**2} MB。请每行只写一条记录。",
                )
            line = _decode(raw, path, number, first=number == 1)
            if line.strip():
                yield number, line


def whole(path: Path) -> Any:
    """The one JSON value that a file is."""
    with _open(path) as file:
        raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise SourceTooLarge(
            f"{path.name} has more than {MAX_FILE // 1024**3} GB.",
            "Split the file.",
            chinese=f"“{path.name}”超过{MAX_FILE // 1024**3} GB。请拆分文件。",
        )
    text = _decode(raw, path, None, first=True)
    if not text.strip():
        raise SourceEmpty(f"{path.name} is empty.", _AGAIN, chinese=f"“{path.name}”是空文件。{_AGAIN_ZH}")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceDamaged(
            f"{path.name} is no JSON: {_reason(error)}.",
            _AGAIN,
            chinese=f"“{path.name}”不是 JSON（{_reason(error)}）。{_AGAIN_ZH}",
        ) from error


def first_line(path: Path) -> str:
    """The first line that is not blank, empty where there is none."""
    return next((line for _, line in text_lines(path)), "")


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked where it is gzipped whatever its name; faults of the file as `SourceError`."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _GZIP
            plain.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=plain) as unpacked:
                    yield cast("BinaryIO", unpacked)
            else:
                yield plain
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceDamaged(
            f"{path.name} is a damaged gzip file: {error}.",
            _AGAIN,
            chinese=f"“{path.name}”是损坏的 gzip 文件（{error}）。{_AGAIN_ZH}",
        ) from error
    except OSError as error:
        why = error.strerror or error
        raise SourceNotFound(
            f"{path} cannot be read: {why}.",
            "Check the path.",
            chinese=f"无法读取“{path}”：{why}。请检查路径。",
        ) from error


def _decode(raw: bytes, path: Path, line: int | None, *, first: bool) -> str:
    try:
        return raw.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        where = f"line {line}" if line is not None else f"byte {error.start}"
        where_zh = f"第{line}行" if line is not None else f"第{error.start}个字节"
        raise SourceUndecodable(
            f"{path.name}, {where}, is not UTF-8.",
            "Convert the file to UTF-8.",
            chinese=f"“{path.name}”{where_zh}不是 UTF-8 编码。请将文件转换为 UTF-8。",
        ) from error


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (line {error.lineno}, column {error.colno})"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
