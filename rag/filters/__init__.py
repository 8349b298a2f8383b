"""Restrictions to the documents of a body, the words of a speaker or a stretch of time: read, joined, applied, told. Pure."""

from rag.filters.combining import joined_filters, overridden, parts, without
from rag.filters.matching import Facts, Selection, bodies_known, facts, keeper, passes, select
from rag.filters.periods import date_given, iso_date, published_within
from rag.filters.reading import Restriction, filters_in, restriction, says_nothing
from rag.filters.wording import (
    body_given,
    body_label,
    date_words,
    dates_label,
    described,
    filters_given,
    filters_line,
    refusal,
    undated_note,
)

__all__ = [
    "Facts",
    "Restriction",
    "Selection",
    "bodies_known",
    "body_given",
    "body_label",
    "date_given",
    "date_words",
    "dates_label",
    "described",
    "facts",
    "filters_given",
    "filters_in",
    "filters_line",
    "iso_date",
    "joined_filters",
    "keeper",
    "overridden",
    "parts",
    "passes",
    "published_within",
    "refusal",
    "restriction",
    "says_nothing",
    "select",
    "undated_note",
    "without",
]
