"""The service's web page: builds it, and serves it from this machine alone.

Gradio's own page is kept from reaching for anything outside: its references to other hosts are taken out of
it, and a Content-Security-Policy forbids the browser to follow what may be left.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from importlib.resources import files
from types import FrameType
from typing import Final, TypeVar

# Before Gradio is imported: it reads this when it loads, and would report its use to its makers.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import fastapi
import gradio as gr
import uvicorn
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.fetching import allowed_sites, fetch
from ingest.queue import Fetch, IngestQueue
from rag.errors import SettingsError, WenzhengError
from rag.library import Library
from rag.settings import Settings
from ui.chat import build_chat
from ui.conversations.serving import EXPORTS, Exports
from ui.conversations.users import cookie_header, cookies_in
from ui.conversing import Conversations
from ui.documents.routes import ROUTES, LibraryRoutes
from ui.languages import language_of
from ui.runs import AnswerSource
from ui.texts import TEXTS
from ui.theme import gradio_theme, token_css
from ui.viewing.routes import DOCUMENTS, DocumentRoutes

ASSETS: Final = "/wenzheng/"
"""Where the page's own script, style and icon are served."""

_T = TypeVar("_T")

_START_TIMEOUT: Final = 30.0
_STOP_TIMEOUT: Final = 5.0


class _Service(gr.Blocks):
    """The page together with the conversations on it, which end when it is closed."""

    conversations: Conversations
    library: Library | None = None
    uploads: IngestQueue | None = None

    def close(self, verbose: bool = True) -> None:
        """Stop the answers and uploads that are under way, end the server and give the port free."""
        self.conversations.close()
        if self.uploads is not None:
            self.uploads.close()
        super().close(verbose)


def build_app(pipeline: AnswerSource, settings: Settings, library: Library | None = None) -> gr.Blocks:
    """The page, ready to be served by `launch`.

    :param library: what the pipeline answers from; documents can be managed on the page where it is open for writing,
        and nothing is said of them without it
    """

    def build() -> gr.Blocks:
        app = _Service(title=TEXTS["zh-Hans"].page_title, analytics_enabled=False)
        app.library = library
        if library is not None and library.writable:
            app.uploads = IngestQueue(library, settings, _fetcher(settings))
        with app:
            app.conversations = build_chat(
                app, pipeline, settings, documents=app.uploads is not None, viewer=library is not None
            )
        return app

    return _in_loop(build)


def _fetcher(settings: Settings) -> Fetch | None:
    """What fetches addresses for the library; None where the settings allow no site."""
    sites = allowed_sites(settings.fetch_allow)
    if not sites:
        return None

    def fetched(url: str) -> tuple[str, bytes]:
        found = fetch(url, sites, max_bytes=settings.max_file_mb * 10**6, seconds=settings.fetch_seconds)
        return found.name, found.data

    return fetched


def launch(app: gr.Blocks, settings: Settings, *, block: bool) -> str:
    """Serve the page at the host and port of the settings, and return its address.

    With `block` the call returns when the process is interrupted (Ctrl-C) or terminated, after the server has
    been closed; without it at once, and `close` ends the service. Port 0 takes any free port.

    :raises WenzhengError: when the port is taken or the address is not this machine's
    """
    listener = _listen(settings.host, settings.port)
    queue = app.uploads if isinstance(app, _Service) else None
    page = _asgi(app, settings)
    server = _Server(page, listener)
    app.server = server  # type: ignore[assignment]  # what `gr.Blocks.close` ends; it asks only for close()
    app.server_port = server.port
    app.is_running = True
    try:
        server.start()
        if queue is not None:
            queue.start()
    except BaseException:
        close(app)
        raise
    url = _address(settings.host, server.port)
    if block:
        try:
            with _terminations() as ended:
                while server.running and not ended.wait(0.5):
                    pass
        except KeyboardInterrupt:
            pass
        finally:
            close(app)
    return url


def close(app: gr.Blocks) -> None:
    """End the service of a page that `launch` serves: open answers are stopped, the port is given free."""
    app.close(verbose=False)


def _asgi(app: gr.Blocks, settings: Settings) -> _Page:
    private = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    outer = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    mount = partial(
        gr.mount_gradio_app,
        outer,
        app,
        path="/",
        app_kwargs=private,
        server_name=settings.host,
        server_port=settings.port,
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        pwa=False,
        theme=gradio_theme(),
    )
    _in_loop(mount)
    routes: dict[str, ASGIApp] = {}
    if isinstance(app, _Service) and app.library is not None:
        routes[DOCUMENTS] = DocumentRoutes(app.library.catalog, app.library.originals, settings)
        if app.uploads is not None:
            sites = [f"{'*.' if s.below else ''}{s.host}" for s in allowed_sites(settings.fetch_allow)]
            routes[ROUTES] = LibraryRoutes(app.library, app.uploads, settings, tuple(sites))
    return _Page(outer, settings, routes)


def _in_loop(build: Callable[[], _T]) -> _T:
    """Build what Gradio makes locks for, with an event loop running.

    Where none runs, Gradio makes one for each lock, never closes it, and leaves it as the thread's own.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        return build()

    async def built() -> _T:
        return build()

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(built())
    finally:
        loop.close()


class _Server:
    """A web server in a thread of its own, on a socket that is already bound."""

    def __init__(self, page: _Page, listener: socket.socket) -> None:
        self._page = page
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        self._server = uvicorn.Server(
            uvicorn.Config(
                page,
                log_level="warning",
                timeout_graceful_shutdown=2,
            )
        )
        self._thread = threading.Thread(target=self._run, name="wenzheng-web", daemon=True)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        """Start, and return when requests are answered."""
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(_START_TIMEOUT / 0.02)):
            if self._server.started:
                return
            if not self._thread.is_alive():
                break
            waited.wait(0.02)
        raise WenzhengError(
            f"The web server on port {self.port} did not start.", "The log says why; start the service again."
        )

    def close(self) -> None:
        """End the server and wait for it."""
        self._page.end()
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(_STOP_TIMEOUT)
        self._listener.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])


class _Page:
    """Around Gradio: serves the page's own files, rewrites the page's head, and sets the security headers."""

    def __init__(self, app: ASGIApp, settings: Settings, routes: Mapping[str, ASGIApp] | None = None) -> None:
        self._app = app
        self._routes = dict(routes or {})
        self._language = settings.language
        self._exports = Exports(settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Let the endless responses end by which open pages hear of events; called from any thread.

        Otherwise closing would wait for them, then cut them off and fill the log with errors.
        """
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._loop = asyncio.get_running_loop()
        path: str = scope["path"]
        if path.startswith(EXPORTS):
            await self._exports(scope, receive, send)
        elif route := next((app for start, app in self._routes.items() if path.startswith(start)), None):
            await route(scope, receive, send)
        elif path.startswith(ASSETS):
            await _asset(path.removeprefix(ASSETS))(scope, receive, send)
        elif path.startswith(_CLOSED):
            await Response(status_code=404)(scope, receive, send)
        elif path == "/":
            await self._index(scope, receive, send)
        else:
            guarded = _with_headers(send, _policy(None))
            if scope["method"] == "GET":
                await self._endable(scope, receive, guarded)
            else:
                await self._app(scope, receive, guarded)

    async def _endable(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that is told that its client has gone when the service ends."""
        complete = started = False

        async def receive_or_end() -> Message:
            message = asyncio.ensure_future(receive())
            ended = asyncio.ensure_future(self._ended.wait())
            try:
                await asyncio.wait({message, ended}, return_when=asyncio.FIRST_COMPLETED)
                return message.result() if message.done() else {"type": "http.disconnect"}
            finally:
                message.cancel()
                ended.cancel()

        async def noting(message: Message) -> None:
            nonlocal complete, started
            started = started or message["type"] == "http.response.start"
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        await self._app(scope, receive_or_end, noting)
        if started and not complete and self._ended.is_set():
            await send({"type": "http.response.body", "body": b""})

    async def _index(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass Gradio's page on with its head rewritten."""
        request = Headers(scope=scope)
        language = TEXTS[language_of(request, self._language)].tag
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start: Message | None = None
        body = bytearray()

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            else:
                body.extend(message.get("body", b""))

        # Uncompressed, for a compressed page could not be rewritten.
        await self._app({**scope, "headers": plain}, receive, collect)
        if start is None:
            return
        nonce = secrets.token_urlsafe(16)
        content = bytes(body)
        headers = MutableHeaders(raw=start["headers"])
        if headers.get("content-type", "").startswith("text/html"):
            content = _rewritten(content.decode("utf-8"), language, nonce).encode("utf-8")
            if scope["method"] != "HEAD":
                headers["content-length"] = str(len(content))
            headers["cache-control"] = "no-store"
            headers["vary"] = "accept-language, cookie"
            secure = scope.get("scheme") == "https"
            headers.append("set-cookie", cookie_header(cookies_in(request.get("cookie")), secure=secure))
        guarded = _with_headers(send, _policy(nonce))
        await guarded(start)
        await guarded({"type": "http.response.body", "body": content})


# Gradio's relay to other hosts, its pages for developers and its store of runs: nothing here needs them.
_CLOSED: Final = (
    "/gradio_api/proxy=",
    "/proxy=",
    "/gradio_api/runs",
    "/gradio_api/run-history",
    "/gradio_api/vibe",
    "/gradio_api/deep_link",
    "/monitoring",
    "/manifest.json",
)

_MEDIA_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@cache
def _asset(name: str) -> Response:
    """One of the page's own files."""
    kind = _MEDIA_TYPES.get(name.rpartition(".")[2])
    file = files("ui").joinpath("assets", name)
    if kind is None or "/" in name or "\\" in name or not file.is_file():
        return Response(status_code=404)
    text = file.read_text(encoding="utf-8")
    content = token_css() + text if kind == "text/css" else text
    # The page asks anew each time, so that after an update nobody works with last week's script.
    headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
    return Response(content, media_type=f"{kind}; charset=utf-8", headers=headers)


def _policy(nonce: str | None) -> str:
    """The Content-Security-Policy: this service and nothing else; inline scripts by nonce only."""
    # Gradio's HTML component builds its templates with `Function`, hence 'unsafe-eval'; what matters more,
    # inline handlers and injected <script>, stays forbidden.
    inline = f" 'nonce-{nonce}'" if nonce else ""
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' 'unsafe-eval'{inline}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-src 'none'",
            "frame-ancestors 'self'",
        ]
    )


def _with_headers(send: Send, policy: str) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            headers["content-security-policy"] = policy
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "no-referrer"
        await send(message)

    return guarded


_OUTSIDE_META = re.compile(r'<meta\s[^>]*?(?:property="og:|name="twitter:)[^>]*>')
_MANIFEST = re.compile(r'<link rel="manifest"[^>]*>')
_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)")


def _rewritten(page: str, tag: str, nonce: str) -> str:
    """Gradio's page in this language, without what points outside, with our style and script in its head."""
    page = _MANIFEST.sub("", _OUTSIDE_META.sub("", page))
    page = _INLINE_SCRIPT.sub(f'<script nonce="{nonce}"', page)
    page = page.replace('lang="en"', f'lang="{tag}"', 1)
    own = (
        f'<link rel="icon" href="{ASSETS}icon.svg" type="image/svg+xml">'
        f'<link rel="stylesheet" href="{ASSETS}chat.css">'
        f'<script src="{ASSETS}chat.js" defer></script>'
        f'<link rel="stylesheet" href="{ASSETS}history.css">'
        f'<script src="{ASSETS}history.js" defer></script>'
        f'<link rel="stylesheet" href="{ASSETS}documents.css">'
        f'<script src="{ASSETS}documents.js" defer></script>'
        f'<link rel="stylesheet" href="{ASSETS}viewer.css">'
        f'<script src="{ASSETS}viewer.js" defer></script>'
    )
    return page.replace("</head>", f"{own}</head>", 1)


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound to this address.

    It is bound here and not by the web server, which would say no more than that it could not.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise SettingsError(
            f"The host {host!r} is not an address of this machine: {error}.",
            "Choose one with --host, for example --host 127.0.0.1.",
        ) from error
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # Elsewhere this option would let two services share a port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            other = port + 1 if port < 65535 else 7860
            raise SettingsError(
                f"Port {port} on {host} is in use, perhaps by this service started earlier.",
                f"Stop what uses it, or choose another with --port, for example --port {other}.",
            ) from error
        if error.errno == errno.EACCES:
            raise SettingsError(
                f"Port {port} on {host} may not be opened without administrator rights.",
                "Choose a port over 1023 with --port, for example --port 7860.",
            ) from error
        raise SettingsError(
            f"The service cannot listen at {host}, port {port}: {error.strerror}.",
            "Choose another address with --host or another port with --port.",
        ) from error
    return listener


def _address(host: str, port: int) -> str:
    """The address to open in a browser on this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - told apart, not bound to
    if ":" in shown and not shown.startswith("["):
        shown = f"[{shown}]"
    return f"http://{shown}:{port}/"


@contextmanager
def _terminations() -> Iterator[threading.Event]:
    """An event set by a request to terminate, as a service manager sends it, so that closing is orderly."""
    ended = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield ended
        return

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature is given
        ended.set()

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield ended
    finally:
        signal.signal(signal.SIGTERM, before)
