"""Filters as a user types them and as a reader is told of them, in each script. Pure."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable

from rag.bodies import BODIES, Body, bodies_in
from rag.errors import SettingsError
from rag.filters.periods import date_given, published_within
from rag.scripts import in_script
from rag.text import fold, joined
from rag.types import Filters, Script

_NEAR = 3
_LONG_NAME = 32
"""Characters from which a body's full English name gives way to the next one."""


def filters_given(
    bodies: Iterable[str], speaker: str, since: str | None, until: str | None, collection: str = ""
) -> Filters:
    """The filters that a user typed.

    :raises SettingsError: a body is not known, a date is none, or the first date is after the last
    """
    filters = Filters(
        bodies=tuple(dict.fromkeys(body_given(name).name for name in bodies)),
        speaker=speaker.strip(),
        since=date_given(since) if since else None,
        until=date_given(until) if until else None,
        collection=collection.strip(),
    )
    if filters.since and filters.until and not published_within(filters.since, None, filters.until):
        raise SettingsError(
            f"{filters.since} is after {filters.until}: no document is of both.",
            "Exchange the two dates.",
            chinese=f"{filters.since} 晚于 {filters.until}，没有文件同时符合。请对调两个日期。",
        )
    return filters


def body_given(text: str) -> Body:
    """The body that a user named, in full or in short, in Chinese or English.

    :raises SettingsError: there is none of that name; near names are told
    """
    folded = fold(text).strip()
    found = bodies_in(folded)
    if len(found) == 1:
        return found[0]
    names = {name: body for body in BODIES for name in (*body.chinese, *body.english)}
    near = difflib.get_close_matches(folded, names, n=_NEAR * 3, cutoff=0.3)
    shown = list(dict.fromkeys(_short(names[name], text) for name in near))[:_NEAR]
    hint = f"Near ones: {', '.join(shown)}." if shown else "Give its full or short name, such as 住建局."
    told = f"相近的有：{'、'.join(shown)}。" if shown else "请写全称或简称，例如住建局。"
    if len(found) > 1:
        return _refuse_several(text)
    raise SettingsError(f"No body is called {text!r}.", hint, chinese=f"没有名为“{text}”的部门。{told}")


def _refuse_several(text: str) -> Body:
    raise SettingsError(
        f"{text!r} names several bodies.",
        "Give --body once for each.",
        chinese=f"“{text}”包含几个部门。请对每个部门各写一次 --body。",
    )


def _short(body: Body, like: str) -> str:
    return body_label(body.name, "en" if like.isascii() else "zh-Hans")


def body_label(name: str, script: Script) -> str:
    """What a reader of that script calls a body of this full name."""
    body = _by_name().get(name)
    if body is None:
        return in_script(name, script, ())
    if script == "en":
        long = len(body.english) > 1 and len(body.english[0]) > _LONG_NAME
        return body.english[int(long)] if body.english else body.name
    return in_script(body.short[0] if body.short else body.name, script, ())


@functools.cache
def _by_name() -> dict[str, Body]:
    return {body.name: body for body in BODIES}


_WORDS: dict[Script, dict[str, str]] = {
    "zh-Hans": {
        "since": "{since}以来",
        "until": "{until}及以前",
        "both": "{since}至{until}",
        "one": "{since}",
        "speaker": "{speaker}的发言",
        "collection": "“{name}”中",
        "any": "的文件",
        "documents": "{whose}的文件",
        "nothing": "在{where}里没有找到与这个问题有关的内容；去掉筛选再试。",
        "only": "{why}（只查了{where}；去掉筛选再试。）",
        "undated": "另有{count}份文件没有注明日期，没有计入。",
        "line": "筛选：{where}",
    },
    "zh-Hant": {
        "since": "{since}以來",
        "until": "{until}及以前",
        "both": "{since}至{until}",
        "one": "{since}",
        "speaker": "{speaker}的發言",
        "collection": "“{name}”中",
        "any": "的文件",
        "documents": "{whose}的文件",
        "nothing": "在{where}裡沒有找到與這個問題有關的內容；去掉篩選再試。",
        "only": "{why}（只查了{where}；去掉篩選再試。）",
        "undated": "另有{count}份文件沒有註明日期，沒有計入。",
        "line": "篩選：{where}",
    },
    "en": {
        "since": "since {since}",
        "until": "up to {until}",
        "both": "from {since} to {until}",
        "one": "of {since}",
        "speaker": "words of {speaker}",
        "collection": "in “{name}”",
        "documents": "documents of the {whose}",
        "nothing": "Nothing on this question was found in the {where}; remove the filter and try again.",
        "only": "{why} (Only the {where} were searched; remove the filter and try again.)",
        "undated": "{count} more document(s) bear no date and were left out.",
        "line": "Only {where}.",
    },
}
"""What a reader is told of filters. Dates are filled in as `date_words` writes them."""


def date_words(iso: str, script: Script) -> str:
    """A partial ISO date as it is read: "2024年3月"; in English as it is."""
    if script == "en":
        return iso
    year, *rest = iso.split("-")
    return "".join([f"{year}年", *(f"{int(n)}{unit}" for n, unit in zip(rest, "月日", strict=False))])


def dates_label(filters: Filters, script: Script) -> str:
    """The stretch of time of a filter in words; empty where it has none."""
    since, until = filters.since, filters.until
    words = _WORDS[script]
    if not (since or until):
        return ""
    kind = "both" if since and until else "since" if since else "until"
    kind = "one" if since == until else kind
    return words[kind].format(
        since=date_words(since, script) if since else "", until=date_words(until, script) if until else ""
    )


def described(filters: Filters, script: Script) -> str:
    """What the filters leave to search in, in words: "住建局2024年以来的文件"."""
    words = _WORDS[script]
    bodies = joined([body_label(name, script) for name in filters.bodies], script)
    dates = dates_label(filters, script)
    speaker = in_script(filters.speaker, script, ())
    # Its name as whoever gave it wrote it.
    among = words["collection"].format(name=filters.collection) if filters.collection else ""
    if script == "en":
        what = words["speaker"].format(speaker=speaker) if speaker else "documents"
        whose = (
            f" of the {bodies}"
            if bodies and not speaker
            else f" in documents of the {bodies}"
            if bodies
            else ""
        )
        return " ".join(part for part in (f"{what}{whose}", dates, among) if part)
    if speaker:
        return among + words["speaker"].format(speaker=f"{bodies}{dates}{speaker}")
    whose = f"{bodies}{dates}"
    return among + (words["documents"].format(whose=whose) if whose else words["any"])


def refusal(filters: Filters, script: Script, why: str = "", undated: int = 0) -> str:
    """What a reader is told when nothing that the filters let through answers.

    :param why: the reason where there were passages; without it nothing at all was found
    :param undated: documents left out for having no date
    """
    words, where = _WORDS[script], described(filters, script)
    text = words["only"].format(why=why, where=where) if why else words["nothing"].format(where=where)
    return (
        f"{text}{undated_note(undated, script)}"
        if script != "en"
        else f"{text} {undated_note(undated, script)}".strip()
    )


def filters_line(filters: Filters, script: Script) -> str:
    """One line that says what was looked in."""
    return _WORDS[script]["line"].format(where=described(filters, script))


def undated_note(undated: int, script: Script) -> str:
    """That documents without a date were left out; empty for none."""
    return _WORDS[script]["undated"].format(count=undated) if undated else ""
