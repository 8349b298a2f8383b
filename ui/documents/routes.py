"""The routes behind the documents' page: its parts as HTML, uploads, and what is done with documents.

What changes something takes POST with a header of the page's own script, which another site's page cannot send
(OWASP, Cross-Site Request Forgery Prevention: custom request headers).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ingest.loading import ARCHIVES, KINDS
from ingest.queue import IngestQueue
from ingest.uploads import safe_name
from rag.errors import SourceError, SourceNotFound, WenzhengError
from rag.library import Library
from rag.settings import Settings
from ui.documents.listing import chosen, rows, wanted
from ui.documents.rendering import (
    MAX_COLLECTION,
    PAGE,
    Detail,
    render_detail,
    render_frame,
    render_list,
    render_queue,
)
from ui.documents.texts import DOCUMENT_TEXTS
from ui.languages import language_of
from ui.texts import TEXTS, Language, error_heading

ROUTES: Final = "/wenzheng/library/"
GUARD: Final = "x-wenzheng"
"""The header that a request must carry which changes something."""

_MAX_JSON = 200_000
_MAX_IDS = 2000
_MAX_ID = 200
_MAX_SHOWN = 5000
_UPLOADS = 4
"""Files that are received at the same time: each is held in memory until it is on the disk."""
_UPLOAD_SECONDS = 900.0
"""Longest time for receiving one, so that a line that hangs does not keep a place for ever."""

logger = logging.getLogger(__name__)

Handler = Callable[[Request, Language], Awaitable[Response]]


class _Bad(Exception):
    """A request that the page's script does not make; told with this status."""

    def __init__(self, status: int) -> None:
        self.status = status


class LibraryRoutes:
    """Serves what lies under `ROUTES`."""

    def __init__(
        self, library: Library, queue: IngestQueue, settings: Settings, hosts: tuple[str, ...] = ()
    ) -> None:
        """Serve the documents of a library that is open for writing.

        :param hosts: sites that may be fetched from, as they are shown
        """
        self._library = library
        self._queue = queue
        self._settings = settings
        self._hosts = hosts
        self._receiving = asyncio.Semaphore(_UPLOADS)
        self._get: dict[str, Handler] = {
            "frame": self._frame,
            "list": self._list,
            "queue": self._shown_queue,
            "detail": self._detail,
            "earlier": self._earlier,
        }
        self._post: dict[str, Handler] = {
            "upload": self._upload,
            "address": self._address,
            "queue": self._change_queue,
            "delete": self._delete,
            "collect": self._collect,
            "restore": self._restore,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        language = language_of(request.headers, self._settings.language)
        handlers = self._post if request.method == "POST" else self._get if request.method == "GET" else {}
        handler = handlers.get(scope["path"].removeprefix(ROUTES))
        if handler is None:
            response: Response = _problem(404, DOCUMENT_TEXTS[language].detail_gone)
        elif request.method == "POST" and not _is_own(request.headers):
            response = _problem(403, DOCUMENT_TEXTS[language].closed)
        else:
            response = await self._answered(handler, request, language)
        response.headers["cache-control"] = "no-store"
        response.headers["x-content-type-options"] = "nosniff"
        response.headers["content-security-policy"] = "default-src 'none'; sandbox"
        await response(scope, receive, send)

    async def _answered(self, handler: Handler, request: Request, language: Language) -> Response:
        try:
            return await handler(request, language)
        except _Bad as bad:
            return _problem(bad.status, DOCUMENT_TEXTS[language].closed)
        except SourceNotFound as error:
            return _problem(404, _words(error, language))
        except SourceError as error:
            return _problem(422, _words(error, language))
        except WenzhengError as error:
            logger.exception("A request of the documents' page failed.")
            return _problem(507 if error.code == "StorageFull" else 500, _words(error, language))
        except TimeoutError:
            return _problem(408, DOCUMENT_TEXTS[language].offline)
        except ClientDisconnect:
            return Response(status_code=400)

    # Parts of the page

    async def _frame(self, _: Request, language: Language) -> Response:
        kinds = sorted({*KINDS, *ARCHIVES})
        limit = self._settings.max_file_mb
        return HTMLResponse(render_frame(language, limit_mb=limit, hosts=self._hosts, kinds=kinds))

    async def _list(self, request: Request, language: Language) -> Response:
        asked = wanted(request.query_params)
        shown = _number(request.query_params.get("shown"), PAGE, _MAX_SHOWN)

        def listed() -> str:
            catalog = self._library.catalog
            versions = catalog.versions()
            sizes = self._library.originals.sizes({version.source.digest for version in versions})
            every = rows(versions, catalog.collections(), sizes)
            found = chosen(every, asked)
            return render_list(found, every, asked, language, shown, catalog.noted())

        return HTMLResponse(await asyncio.to_thread(listed))

    async def _shown_queue(self, request: Request, language: Language) -> Response:
        revision = self._queue.revision
        if request.query_params.get("revision") == str(revision):
            return Response(status_code=204)
        items = self._queue.items()
        headers = {
            "x-revision": str(revision),
            "x-active": str(sum(item.active for item in items)),
            "x-done": str(sum(item.state == "done" for item in items)),
        }
        return HTMLResponse(render_queue(items, language), headers=headers)

    async def _detail(self, request: Request, language: Language) -> Response:
        id_ = request.query_params.get("id", "")[:_MAX_ID]
        detail = await asyncio.to_thread(self._found, id_)
        if detail is None:
            return _problem(404, DOCUMENT_TEXTS[language].detail_gone)
        return HTMLResponse(render_detail(detail, language))

    def _found(self, id_: str) -> Detail | None:
        catalog = self._library.catalog
        document = catalog.document(id_)
        version = next((one for one in catalog.versions() if one.source.id == id_), None)
        if document is None or version is None:
            return None
        source = document.source
        sizes = self._library.originals.sizes({source.digest})
        (row,) = rows([version], catalog.collections(), sizes)
        upload = self._queue.uploads.name_at(source.path)
        return Detail(
            row,
            document,
            tuple(copy for copy in catalog.copies() if copy.document_id == id_),
            upload,
            tuple(self._queue.uploads.earlier(upload)) if upload else (),
            sizes.get(source.digest) is not None,
        )

    async def _earlier(self, request: Request, _: Language) -> Response:
        id_ = request.query_params.get("id", "")[:_MAX_ID]
        version = request.query_params.get("version", "")[:_MAX_ID]
        upload = await asyncio.to_thread(self._upload_of, id_)
        data = await asyncio.to_thread(self._queue.uploads.read_earlier, upload, version)
        disposition = f"attachment; filename*=UTF-8''{quote(upload, safe='')}"
        return Response(
            data, media_type="application/octet-stream", headers={"content-disposition": disposition}
        )

    # What changes something

    async def _upload(self, request: Request, language: Language) -> Response:
        parameters = request.query_params
        name = safe_name(parameters.get("name", "")[:1000])
        conflict = parameters.get("conflict", "ask")
        if conflict not in ("ask", "replace", "both"):
            raise _Bad(400)
        if conflict == "ask" and self._queue.knows(name):
            return JSONResponse({"exists": name})
        limit = self._settings.max_file_mb * 10**6
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > limit:
            return self._too_large(language)
        async with self._receiving:
            body = bytearray()
            async with asyncio.timeout(_UPLOAD_SECONDS):
                async for part in request.stream():
                    body.extend(part)
                    if len(body) > limit:
                        return self._too_large(language)
            collection = _collection(parameters.get("collection", ""))
            item = await asyncio.to_thread(
                self._queue.add, name, bytes(body), collection, keep_both=conflict == "both"
            )
        return JSONResponse({"id": item.id, "name": item.name})

    def _too_large(self, language: Language) -> Response:
        words = DOCUMENT_TEXTS[language].upload_large.format(limit=self._settings.max_file_mb)
        return _problem(413, words)

    async def _address(self, request: Request, language: Language) -> Response:
        given = await _json(request)
        url = _text(given, "url", 2000).strip()
        if not self._hosts:
            return _problem(403, DOCUMENT_TEXTS[language].add_url_closed)
        item = await asyncio.to_thread(self._queue.add_url, url, _collection(_text(given, "collection", 200)))
        return JSONResponse({"id": item.id})

    async def _change_queue(self, request: Request, _: Language) -> Response:
        given = await _json(request)
        action, id_ = _text(given, "action", 20), _text(given, "id", 40)
        actions: Mapping[str, Callable[[str], object]] = {
            "cancel": self._queue.cancel,
            "retry": self._queue.retry,
            "clear": self._queue.clear,
        }
        if action not in actions:
            raise _Bad(400)
        return JSONResponse({"done": bool(await asyncio.to_thread(actions[action], id_))})

    async def _delete(self, request: Request, _: Language) -> Response:
        ids = _ids(await _json(request))
        return JSONResponse({"deleted": await asyncio.to_thread(self._queue.remove, ids)})

    async def _collect(self, request: Request, _: Language) -> Response:
        given = await _json(request)
        name = _collection(_text(given, "name", 200))
        return JSONResponse(
            {"moved": await asyncio.to_thread(self._library.catalog.collect, _ids(given), name)}
        )

    async def _restore(self, request: Request, _: Language) -> Response:
        given = await _json(request)
        id_, version = _text(given, "id", _MAX_ID), _text(given, "version", 40)
        upload = await asyncio.to_thread(self._upload_of, id_)
        item = await asyncio.to_thread(self._queue.restore, upload, version)
        return JSONResponse({"id": item.id})

    def _upload_of(self, id_: str) -> str:
        source = self._library.catalog.source(id_)
        return self._queue.uploads.name_at(source.path) if source is not None else ""


def _is_own(headers: Headers) -> bool:
    """Whether a request comes from the service's own page."""
    origin = headers.get("origin", "")
    return headers.get(GUARD) == "1" and (not origin or urlsplit(origin).netloc == headers.get("host", ""))


def _problem(status: int, words: str) -> Response:
    return JSONResponse({"problem": words}, status)


def _words(error: WenzhengError, language: Language) -> str:
    """An error in the page's language; those of the stores only by their heading, for their text names folders."""
    if isinstance(error, SourceError):
        from rag.scripts import in_script

        return str(error) if language == "en" else in_script(error.chinese or str(error), language, ())
    return error_heading(TEXTS[language], error.code)


async def _json(request: Request) -> dict[str, Any]:
    body = bytearray()
    async for part in request.stream():
        body.extend(part)
        if len(body) > _MAX_JSON:
            raise _Bad(413)
    try:
        given = json.loads(bytes(body))
    except (ValueError, RecursionError) as error:
        raise _Bad(400) from error
    if not isinstance(given, dict):
        raise _Bad(400)
    return given


def _text(given: Mapping[str, Any], key: str, limit: int) -> str:
    value = given.get(key, "")
    if not isinstance(value, str) or len(value) > limit:
        raise _Bad(400)
    return value


def _ids(given: Mapping[str, Any]) -> list[str]:
    ids = given.get("ids")
    if not isinstance(ids, list) or len(ids) > _MAX_IDS:
        raise _Bad(400)
    if not all(isinstance(id_, str) and 0 < len(id_) <= _MAX_ID for id_ in ids):
        raise _Bad(400)
    return ids


def _collection(name: str) -> str:
    """A collection's name as it is stored: one line, without space around it, bounded."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:MAX_COLLECTION]


def _number(given: str | None, usual: int, most: int) -> int:
    return min(int(given), most) if given is not None and given.isdecimal() and len(given) < 7 else usual
