"""The routes that show a document of the library and hand over the file it came from; they only read."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Final, cast, get_args
from urllib.parse import quote, unquote

from starlette.datastructures import Headers, QueryParams
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from rag.catalog import Catalog
from rag.errors import WenzhengError
from rag.originals import Originals
from rag.settings import Settings
from ui.languages import language_of
from ui.rendering.sources import file_name
from ui.texts import TEXTS, Language, error_heading
from ui.viewing.document import Shown, View, render_document
from ui.viewing.texts import VIEWER_TEXTS

DOCUMENTS: Final = "/wenzheng/documents/"
"""``<id>/view?at=12-40,60-80&script=zh-Hant&page=3&digest=…&around=…`` and ``<id>/original``."""

MAX_RANGES: Final = 50

_PATH = re.compile(r"([^/]{1,200})/(view|original)")
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})")
_INLINE = ("application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox"
_PDF_POLICY = "object-src 'self'; script-src 'none'; base-uri 'none'; form-action 'none'"
"""A browser's own PDF viewer is an object in its frame, and does not work in a sandbox."""

logger = logging.getLogger(__name__)


class DocumentRoutes:
    """Serves what lies under `DOCUMENTS`, by GET alone."""

    def __init__(self, catalog: Catalog, originals: Originals, settings: Settings) -> None:
        self._catalog = catalog
        self._originals = originals
        self._setting = settings.language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        language = language_of(Headers(scope=scope), self._setting)
        path = _PATH.fullmatch(unquote(scope["path"].removeprefix(DOCUMENTS)))
        if path is None or scope["method"] != "GET":
            response: Response = _told(VIEWER_TEXTS[language].gone, 404)
        else:
            parameters = QueryParams(scope["query_string"])
            show = self._view if path.group(2) == "view" else self._original
            try:
                response = await asyncio.to_thread(show, path.group(1), parameters, language)
            except WenzhengError as error:
                logger.exception("A document could not be shown.")
                reason = error_heading(TEXTS[language], error.code)
                response = _told(VIEWER_TEXTS[language].failed.format(reason=reason), 500)
        response.headers["cache-control"] = "no-store"
        response.headers["x-content-type-options"] = "nosniff"
        is_pdf = response.media_type == "application/pdf"
        response.headers["content-security-policy"] = _PDF_POLICY if is_pdf else _POLICY
        await response(scope, receive, send)

    def _view(self, id_: str, parameters: QueryParams, language: Language) -> Response:
        document = self._catalog.document(id_)
        if document is None:
            return _told(VIEWER_TEXTS[language].gone, 404)
        digest = parameters.get("digest", "")
        script = parameters.get("script", "original")
        view = View(
            ranges=ranges_in(parameters.get("at", "")),
            script=cast("Shown", script) if script in get_args(Shown) else "original",
            around=_number(parameters.get("around", "")),
            page=_number(parameters.get("page", "")),
            changed=bool(digest) and digest != document.source.digest,
            original=self._originals.holds(document.source.digest),
        )
        return HTMLResponse(render_document(document, language, view))

    def _original(self, id_: str, _: QueryParams, language: Language) -> Response:
        source = self._catalog.source(id_)
        if source is None:
            return _told(VIEWER_TEXTS[language].gone, 404)
        if not self._originals.holds(source.digest):
            return _told(VIEWER_TEXTS[language].no_original, 404)
        data = self._originals.read(source.digest)
        shown = source.media_type in _INLINE
        name = quote(file_name(source.path), safe="")
        return Response(
            data,
            media_type=source.media_type if shown else "application/octet-stream",
            headers={
                "content-disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{name}"
            },
        )


def ranges_in(text: str) -> tuple[tuple[int, int], ...]:
    """The ranges of a request ("12-40,60-80"), the first `MAX_RANGES`; what is none is left out."""
    found = (_RANGE.fullmatch(part) for part in text.split(",", MAX_RANGES)[:MAX_RANGES])
    return tuple((int(match[1]), int(match[2])) for match in found if match)


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _told(words: str, status: int) -> Response:
    return PlainTextResponse(words, status)
