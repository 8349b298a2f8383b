"""The route that hands a visitor's conversation over as a file; whose it is, the cookie alone says."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Final, cast

from starlette.datastructures import Headers, QueryParams
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from rag.errors import WenzhengError
from rag.settings import Settings
from ui.conversations.store import FOLDER, ConversationStore, NoSuchConversation
from ui.conversations.users import cookies_in, user_of
from ui.exporting import FORMATS, Format
from ui.exporting.files import exported
from ui.languages import language_of
from ui.texts import TEXTS, Language, error_heading

EXPORTS: Final = "/wenzheng/conversations/"
"""Where conversations are exported: ``<id>/export?format=md``, ``html`` or ``docx``."""

_PATH = re.compile(r"([0-9a-f]{32})/export")

logger = logging.getLogger(__name__)


class Exports:
    """Serves what lies under `EXPORTS`, by GET alone."""

    def __init__(self, settings: Settings) -> None:
        self._setting = settings.language
        self._store = ConversationStore(settings.home / FOLDER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Headers(scope=scope)
        language = language_of(request, self._setting)
        path = _PATH.fullmatch(scope["path"].removeprefix(EXPORTS))
        kind = QueryParams(scope["query_string"]).get("format", "md")
        if path is None or kind not in FORMATS or scope["method"] != "GET":
            response: Response = PlainTextResponse(TEXTS[language].history_gone, 404)
        else:
            user = user_of(cookies_in(request.get("cookie")))
            # Reading and writing the file takes time that belongs to the other visitors.
            response = await asyncio.to_thread(
                self._file, user, path.group(1), cast("Format", kind), language
            )
        response.headers["cache-control"] = "no-store"
        response.headers["x-content-type-options"] = "nosniff"
        response.headers["content-security-policy"] = "default-src 'none'; sandbox"
        await response(scope, receive, send)

    def _file(self, user: str, id_: str, kind: Format, language: Language) -> Response:
        texts = TEXTS[language]
        try:
            file = exported(self._store.load(user, id_), kind, language)
        except NoSuchConversation:
            return PlainTextResponse(texts.history_gone, 404)
        except WenzhengError as error:
            logger.exception("A conversation could not be exported.")
            reason = error_heading(texts, error.code)
            return PlainTextResponse(texts.history_failed.format(reason=reason), 500)
        return Response(
            file.content, media_type=file.media_type, headers={"content-disposition": file.disposition}
        )
