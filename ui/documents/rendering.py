"""The documents' page as HTML: its frame, the list, the queue, and what is known of one document. Pure.

Everything that comes from a file, a name or a person is escaped here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePath

from ingest.messages import change_text, note_text
from ingest.queue import Item
from ingest.uploads import Earlier
from rag.catalog import Copy
from rag.filters import body_label
from rag.scripts import in_script
from rag.types import Document
from ui.documents.listing import NO_COLLECTION, Row, Wanted, size_words
from ui.documents.texts import DOCUMENT_TEXTS, DocumentTexts
from ui.rendering.page import headed
from ui.rendering.sources import file_name
from ui.texts import Language

PAGE = 100
"""Rows that are shown at first, and that "show more" adds."""
MAX_COLLECTION = 60
"""Characters of a collection's name."""
_PREVIEW = 1200
_QUEUE_SHOWN = 60
_EXAMPLE = 120


@dataclass(frozen=True, slots=True)
class Detail:
    """What is known of one document; ``upload`` is the name of its uploaded file, empty for one from a folder."""

    row: Row
    document: Document
    copies: tuple[Copy, ...] = ()
    upload: str = ""
    earlier: tuple[Earlier, ...] = ()
    original: bool = False


def render_frame(language: Language, *, limit_mb: int, hosts: Sequence[str], kinds: Sequence[str]) -> str:
    """The parts that stay: the place to drop files, the queue's place, the list's controls and place.

    :param limit_mb: the largest file
    :param hosts: sites that may be fetched from
    :param kinds: endings of the files that are read
    """
    texts = DOCUMENT_TEXTS[language]
    allowed = texts.add_url_allowed.format(hosts=", ".join(hosts)) if hosts else texts.add_url_closed
    closed = "" if hosts else " disabled"
    sorts = "".join(
        f'<option value="{name}">{escape(words)}</option>'
        for name, words in (
            ("added", texts.sort_added),
            ("published", texts.sort_published),
            ("title", texts.sort_title),
            ("size", texts.sort_size),
        )
    )
    words = " ".join(
        f'data-{name.replace("_", "-")}="{escape(getattr(texts, name))}"'
        for name in (
            *("uploading", "upload_failed", "upload_large", "upload_left", "offline", "retry", "loading"),
            *("exists", "exists_replace", "exists_both", "exists_skip", "exists_all", "cancel", "dismiss"),
            *("delete_waits", "deleted", "move_done", "selected", "delete_ask", "detail_replace_kind"),
        )
    )
    return (
        f'<div class="wz-docs" data-limit="{limit_mb}" {words}>'
        f'<section class="wz-docs-side" aria-label="{escape(texts.add_title)}">'
        f'<div class="wz-drop"><h2>{escape(texts.add_title)}</h2>'
        f'<p class="wz-drop-words">{escape(texts.add_drop)}</p>'
        f'<p><label class="wz-choose"><input type="file" multiple accept="{escape(",".join(kinds))}">'
        f"<span>{escape(texts.add_choose)}</span></label></p>"
        f'<p class="wz-soft">{escape(texts.add_hint.format(limit=limit_mb))}</p>'
        f'<label class="wz-field"><span>{escape(texts.add_collection)}</span>'
        f'<input type="text" name="into" list="wz-collections" maxlength="{MAX_COLLECTION}" autocomplete="off" '
        f'placeholder="{escape(texts.add_collection_hint)}"></label></div>'
        f'<form class="wz-address"><label class="wz-field"><span>{escape(texts.add_url)}</span>'
        f'<input type="url" name="url" maxlength="2000" placeholder="https://" autocomplete="off"{closed} required></label>'
        f'<button type="submit" class="wz-small"{closed}>{escape(texts.add_url_button)}</button>'
        f'<p class="wz-soft">{escape(allowed)}</p></form>'
        f'<ul class="wz-sending" aria-live="polite"></ul>'
        f'<div class="wz-queue" aria-live="polite"></div></section>'
        f'<section class="wz-docs-list" aria-label="{escape(texts.title)}">'
        f'<form class="wz-docs-filter" role="search"><input type="search" name="query" maxlength="200" autocomplete="off" '
        f'aria-label="{escape(texts.list_search)}" placeholder="{escape(texts.list_search)}">'
        f'<label><span>{escape(texts.list_collection)}</span><select name="collection"></select></label>'
        f'<label><span>{escape(texts.list_body)}</span><select name="body"></select></label>'
        f'<label><span>{escape(texts.list_sort)}</span><select name="sort">{sorts}</select></label></form>'
        f'<div class="wz-bulk" hidden role="group" aria-label="{escape(texts.column_select)}">'
        f'<span class="wz-bulk-count" role="status"></span>'
        f'<form class="wz-move"><input type="text" name="name" list="wz-collections" maxlength="{MAX_COLLECTION}" '
        f'autocomplete="off" aria-label="{escape(texts.move)}" placeholder="{escape(texts.list_collection)}">'
        f'<button type="submit" class="wz-small">{escape(texts.move)}</button></form>'
        f'<button type="button" class="wz-small wz-delete" data-docs="deleting">{escape(texts.delete)}</button>'
        f'<div class="wz-confirm" role="alertdialog" aria-label="{escape(texts.delete)}" hidden><p></p>'
        f'<p class="wz-actions"><button type="button" class="wz-small wz-delete" data-docs="delete">{escape(texts.delete)}'
        f'</button><button type="button" class="wz-small" data-docs="keep">{escape(texts.cancel)}</button></p></div></div>'
        f'<p class="wz-docs-said" role="status"></p><datalist id="wz-collections"></datalist>'
        f'<div class="wz-docs-table" tabindex="0" role="region" aria-label="{escape(texts.title)}">'
        f'<p class="wz-placeholder">{escape(texts.loading)}</p></div></section>'
        f'<aside class="wz-docs-detail" aria-label="{escape(texts.column_title)}" tabindex="-1" hidden></aside></div>'
    )


def render_list(
    found: Sequence[Row],
    every: Sequence[Row],
    asked: Wanted,
    language: Language,
    shown: int = PAGE,
    noted: frozenset[str] = frozenset(),
) -> str:
    """The table of documents, and the choices for narrowing it.

    :param found: the rows that are asked for, in order
    :param every: all rows of the library
    :param shown: how many of them are shown
    :param noted: ids of documents of which there is something to know
    """
    texts = DOCUMENT_TEXTS[language]
    names = sorted({row.collection for row in every if row.collection})
    bodies = sorted({body for row in every for body in row.bodies})
    choices = _choices(
        "collection", names, asked.collection, texts, none=any(not row.collection for row in every)
    )
    choices += _choices(
        "body", bodies, asked.body, texts, labels={b: headed(body_label(b, language)) for b in bodies}
    )
    if not every:
        return f'{choices}<p class="wz-placeholder">{escape(texts.list_empty)}</p>'
    narrowed = bool(asked.query.strip() or asked.collection or asked.body)
    count = (texts.list_found if narrowed else texts.list_count).format(count=f"{len(found):,}")
    head = f'<p class="wz-docs-count" role="status">{escape(count)}</p>'
    if not found:
        return f'{choices}{head}<p class="wz-placeholder">{escape(texts.list_no_match)}</p>'
    columns = "".join(
        f'<th scope="col" class="wz-col-{name}">{escape(words)}</th>'
        for name, words in (
            ("title", texts.column_title),
            ("status", texts.column_status),
            ("published", texts.column_published),
            ("body", texts.column_body),
            ("collection", texts.column_collection),
            ("pages", texts.column_pages),
            ("chunks", texts.column_chunks),
            ("size", texts.column_size),
        )
    )
    body = "".join(_row(row, texts, row.id in noted) for row in found[:shown])
    left = len(found) - shown
    more = (
        f'<p class="wz-actions"><button type="button" class="wz-small" data-docs="more">'
        f"{escape(texts.list_more.format(count=min(PAGE, left)))}</button></p>"
        if left > 0
        else ""
    )
    return (
        f'{choices}{head}<table><thead><tr><th scope="col" class="wz-col-select"><input type="checkbox" '
        f'class="wz-pick-all" aria-label="{escape(texts.select_all)}"></th>{columns}</tr></thead>'
        f"<tbody>{body}</tbody></table>{more}"
    )


def render_queue(items: Sequence[Item], language: Language) -> str:
    """What became of the files that were added, those under way first.

    :param items: the newest first
    """
    texts = DOCUMENT_TEXTS[language]
    # In the order in which they are dealt with.
    active = [item for item in reversed(items) if item.active]
    finished = [item for item in items if not item.active]
    if not items:
        return ""
    count = texts.queue_active.format(count=len(active)) if active else texts.queue_idle
    clear = (
        f'<button type="button" class="wz-small" data-queue="clear">{escape(texts.queue_clear)}</button>'
        if finished
        else ""
    )
    first = active[:_QUEUE_SHOWN]
    more = (
        f'<p class="wz-soft">{escape(texts.queue_more.format(count=len(active) - len(first)))}</p>'
        if len(active) > len(first)
        else ""
    )
    entries = "".join(_item(item, texts, language) for item in (*first, *finished[:_QUEUE_SHOWN]))
    return (
        f'<div class="wz-queue-head"><h2>{escape(texts.queue_title)}</h2>{clear}</div>'
        f'<p class="wz-soft" role="status">{escape(count)}</p>{more}<ul class="wz-queue-items">{entries}</ul>'
    )


def render_detail(detail: Detail, language: Language) -> str:
    """All that is known of one document, and what can be done with it."""
    texts = DOCUMENT_TEXTS[language]
    row, document = detail.row, detail.document
    source = document.source
    facts = [
        (texts.column_published, row.published or texts.detail_undated),
        (texts.column_body, row.issuer or texts.detail_undated),
        (texts.column_pages, f"{row.pages:,}" if row.pages else ""),
        (texts.detail_characters, f"{len(document.text):,}"),
        (texts.column_chunks, f"{row.chunks:,}"),
        (texts.detail_file, row.file),
        (texts.column_size, size_words(row.size)),
        (texts.detail_kind, source.media_type),
        (texts.detail_encoding, source.encoding),
        (texts.detail_added, _stamp(row.added)),
        ("" if detail.upload else texts.detail_place, "" if detail.upload else _folder(source.path)),
    ]
    listed = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts if k and v)
    id_ = escape(row.id)
    original = (
        f'<a class="wz-small" href="wenzheng/documents/{id_}/original" target="_blank" rel="noopener">'
        f"{escape(texts.detail_original)}</a>"
        if detail.original
        else ""
    )
    parts = [
        f'<header><h2>{escape(row.title)}</h2><button type="button" class="wz-small" data-docs="close">'
        f"{escape(texts.detail_close)}</button></header>",
        f'<p class="wz-actions"><button type="button" class="wz-small wz-submit" data-docs="text" data-id="{id_}">'
        f"{escape(texts.detail_open)}</button>{original}"
        f'<button type="button" class="wz-small wz-delete" data-docs="deleting" data-id="{id_}">'
        f"{escape(texts.delete)}</button></p>",
        f"<dl>{listed}</dl>",
        f'<form class="wz-collect" data-id="{id_}"><label class="wz-field"><span>{escape(texts.list_collection)}</span>'
        f'<input type="text" name="name" list="wz-collections" maxlength="{MAX_COLLECTION}" autocomplete="off" '
        f'value="{escape(row.collection)}"></label><button type="submit" class="wz-small">{escape(texts.save)}</button></form>',
        _versions(detail, texts),
        _notes(document, texts, language),
        _changes(document, texts, language),
    ]
    if detail.copies:
        copies = "".join(f"<li>{escape(file_name(copy.path))}</li>" for copy in detail.copies)
        parts.append(f"<h3>{escape(texts.detail_copies)}</h3><ul>{copies}</ul>")
    text = document.text.strip()
    shown = text[:_PREVIEW] + ("……" if len(text) > _PREVIEW else "")
    parts.append(f'<h3>{escape(texts.detail_preview)}</h3><div class="wz-preview">{escape(shown)}</div>')
    return "".join(parts)


def _choices(
    name: str,
    values: Sequence[str],
    asked: str,
    texts: DocumentTexts,
    *,
    none: bool = False,
    labels: dict[str, str] | None = None,
) -> str:
    """The options of a control outside the table, for the page's script to put there."""
    options = [("", texts.list_all), *((value, (labels or {}).get(value, value)) for value in values)]
    if none and values:
        options.append((NO_COLLECTION, texts.list_none_collection))
    listed = "".join(
        f'<option value="{escape(value)}"{" selected" if value == asked else ""}>{escape(label)}</option>'
        for value, label in options
    )
    return f'<template data-options="{name}">{listed}</template>'


def _row(row: Row, texts: DocumentTexts, noted: bool) -> str:
    title = escape(row.title)
    status = texts.status_notes if noted else texts.status_ready
    cells = (
        (
            "status",
            f'<span class="wz-state" data-state="{"noted" if noted else "done"}">{escape(status)}</span>',
        ),
        ("published", escape(row.published)),
        ("body", escape(row.issuer)),
        ("collection", escape(row.collection)),
        ("pages", f"{row.pages:,}" if row.pages else ""),
        ("chunks", f"{row.chunks:,}"),
        ("size", escape(size_words(row.size))),
    )
    rest = "".join(f'<td class="wz-col-{name}">{value}</td>' for name, value in cells)
    return (
        f'<tr data-id="{escape(row.id)}"><td class="wz-col-select"><input type="checkbox" class="wz-pick" '
        f'aria-label="{title}"></td><td class="wz-col-title"><button type="button" class="wz-docs-open" data-docs="open">'
        f'{title}</button><span class="wz-docs-file">{escape(row.file)}</span></td>{rest}</tr>'
    )


def _item(item: Item, texts: DocumentTexts, language: Language) -> str:
    reason = item.reason if language == "en" else in_script(item.reason_zh, language, ())
    details: list[str] = []
    state = getattr(texts, f"state_{item.state}", "")
    if item.state == "done":
        state = getattr(texts, f"outcome_{item.outcome}", texts.outcome_added)
        state = state.format(same=file_name(item.same_as))
        if item.parts:
            details.append(texts.outcome_parts.format(count=item.parts))
        if item.pages:
            details.append(texts.facts_pages.format(count=item.pages))
        if item.chunks:
            details.append(texts.facts_chunks.format(count=item.chunks))
        if item.failed_parts:
            details.append(texts.outcome_failed_parts.format(count=item.failed_parts, reason=reason))
    elif item.state == "failed":
        details.append(reason)
    tone = (
        "failed"
        if item.state == "failed" or item.failed_parts
        else "done"
        if item.state == "done"
        else item.state
    )
    buttons = ""
    if item.state in ("waiting", "fetching"):
        buttons = _queue_button("cancel", texts.cancel, item)
    elif item.state == "failed":
        buttons = _queue_button("retry", texts.retry, item) + _queue_button("clear", texts.dismiss, item)
    told = " · ".join(details)
    return (
        f'<li class="wz-queue-item" data-state="{item.state}"><p class="wz-queue-name" title="{escape(item.name)}">'
        f'{escape(item.name)}</p><p class="wz-queue-told"><span class="wz-state" data-state="{tone}">{escape(state)}</span>'
        f"{f'<span>{escape(told)}</span>' if told else ''}</p>"
        f"{f'<p class=wz-actions>{buttons}</p>' if buttons else ''}</li>"
    )


def _queue_button(action: str, words: str, item: Item) -> str:
    label = escape(f"{words}: {item.name}")
    return (
        f'<button type="button" class="wz-small" data-queue="{action}" data-id="{escape(item.id)}" '
        f'aria-label="{label}">{escape(words)}</button>'
    )


def _versions(detail: Detail, texts: DocumentTexts) -> str:
    if not detail.upload:
        return f'<p class="wz-soft">{escape(texts.detail_folder)}</p>'
    suffix = PurePath(detail.upload).suffix
    inside = file_name(detail.document.source.path) != detail.upload
    name = escape(detail.upload)
    replace = (
        f'<label class="wz-choose wz-replace"><input type="file" accept="{escape(suffix)}" data-replaces="{name}">'
        f"<span>{escape(texts.detail_replace)}</span></label>"
    )
    items = "".join(
        f"<li><span>{escape(texts.detail_replaced.format(date=_stamp(one.replaced)))} · {escape(size_words(one.size))}</span>"
        f'<a class="wz-small" href="wenzheng/library/earlier?id={escape(detail.row.id)}&amp;version={escape(one.id)}" download>'
        f'{escape(texts.detail_download)}</a><button type="button" class="wz-small" data-docs="restore" '
        f'data-id="{escape(detail.row.id)}" data-version="{escape(one.id)}">{escape(texts.detail_restore)}</button></li>'
        for one in detail.earlier
    )
    listed = f'<h3>{escape(texts.detail_versions)}</h3><ul class="wz-versions">{items}</ul>' if items else ""
    return f'<p class="wz-actions">{replace}</p>{listed}' if not inside else listed


def _notes(document: Document, texts: DocumentTexts, language: Language) -> str:
    if not document.notes:
        return ""
    items = "".join(
        f"<li>{escape(_told(note_text(note, 'en' if language == 'en' else 'zh'), language))}</li>"
        for note in document.notes
    )
    return f"<h3>{escape(texts.detail_notes)}</h3><ul>{items}</ul>"


def _changes(document: Document, texts: DocumentTexts, language: Language) -> str:
    head = f"<h3>{escape(texts.detail_changes)}</h3>"
    if not document.changes:
        return f'{head}<p class="wz-soft">{escape(texts.detail_no_changes)}</p>'
    items = []
    for change in document.changes:
        told = _told(change_text(change, "en" if language == "en" else "zh"), language)
        examples = "".join(
            f"<tr><td>{_example(before, texts)}</td><td>{_example(after, texts)}</td></tr>"
            for before, after in change.examples
        )
        table = (
            f'<table><thead><tr><th scope="col">{escape(texts.detail_before)}</th><th scope="col">'
            f"{escape(texts.detail_after)}</th></tr></thead><tbody>{examples}</tbody></table>"
            if examples
            else ""
        )
        items.append(
            f"<details><summary>{escape(told)}</summary>{table}</details>"
            if table
            else f"<p>{escape(told)}</p>"
        )
    return f'{head}<div class="wz-changes">{"".join(items)}</div>'


def _example(text: str, texts: DocumentTexts) -> str:
    if not text.strip():
        return f'<span class="wz-soft">{escape(texts.detail_removed)}</span>'
    return escape(text[:_EXAMPLE])


def _told(text: str, language: Language) -> str:
    return text if language == "en" else in_script(text, language, ())


def _folder(path: str) -> str:
    """The last folder of a path: enough to find a file by, and nothing of how the server's disk is laid out."""
    return PurePath(path.replace("\\", "/")).parent.name


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
