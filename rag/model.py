"""The one chat-model interface: an OpenAI-compatible endpoint, hosted elsewhere or embedded.

`open_model` gives a `ChatModel` for the settings. Errors of LangChain, of the openai client and of the
network are translated here, and nothing but the endpoint is ever talked to: no tracing service, no tokenizer
download, and no proxy on the way to this machine's own loopback address.
"""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from rag.embedded import EmbeddedModel, ModelStatus
from rag.errors import (
    AnswerInterrupted,
    EndpointRefused,
    EndpointUnreachable,
    ModelError,
    ModelLoading,
    SettingsError,
    WeightsError,
)
from rag.settings import Settings
from rag.types import Usage

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage, BaseMessageChunk
    from langchain_openai import ChatOpenAI

__all__ = ["ChatModel", "EmbeddedChatModel", "HostedChatModel", "ModelStatus", "Reply", "open_model"]

CONNECT_TIMEOUT = 10.0
DEATH_NOTICE = 5.0
"""How long a broken connection may precede the news that the child has died, in seconds."""
TICK = 0.05
"""How often a waiting stream looks at its stop event, in seconds."""
NOT_UNDERSTOOD = (400, 422)
"""HTTP codes with which endpoints refuse a field that they do not know."""
UNTOLD = 3
"""After how many askings in a row that brought no probabilities an endpoint is not asked for them any more: one may have been
refused for its length."""
LIKELIEST = 20
"""How many first tokens are asked for with their probabilities; OpenAI allows no more."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an endpoint told of an answer besides its text.

    ``usage`` is what it took, None where that is not told. ``first`` are the tokens with which it might have begun, the
    likeliest, each with the natural logarithm of its probability; empty where probabilities are not told.
    """

    usage: Usage | None = None
    first: Mapping[str, float] = field(default_factory=dict)


class Reply:
    """The text of one answer, piece by piece as it is written.

    ``told`` is what the endpoint told of it, once it has come to its end; nothing until then, and of one that was stopped. An error
    is raised by ``next``, at the place where the answer broke off.
    """

    def __init__(self, pieces: Generator[str, None, Told | None]) -> None:
        self.told = Told()
        self._pieces = pieces

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            # One that is asked again after its end ends again, without a value.
            self.told = end.value or self.told
            raise

    @property
    def usage(self) -> Usage | None:
        """What the answer took; see ``told``."""
        return self.told.usage

    def close(self) -> None:
        """End the model's work, if it is not at its end. May be called twice."""
        self._pieces.close()


class ChatModel(Protocol):
    """A chat model that answers in a stream of text."""

    @property
    def name(self) -> str:
        """The model's name, as the settings have it."""

    @property
    def status(self) -> ModelStatus:
        """Whether it can be asked now."""

    def stream(
        self, messages: Sequence[BaseMessage], *, max_tokens: int, stop: threading.Event | None = None
    ) -> Reply:
        """The answer bit by bit, at temperature 0. The model is asked when the first piece is.

        The connection is closed, and with it the model's work ended, when the reply is closed or let go of, or
        `stop` is set, also before the first word; a stopped stream just ends.

        :raises ModelLoading: when the model is not ready in time
        :raises EndpointUnreachable: when nothing answers, or not a word comes in time
        :raises EndpointRefused: when the endpoint answers with an error
        :raises AnswerInterrupted: when the answer breaks off; its ``partial`` holds what was said so far
        """

    def first_tokens(
        self, messages: Sequence[BaseMessage], *, stop: threading.Event | None = None
    ) -> Mapping[str, float]:
        """With which tokens a reply would begin, the likeliest with the natural logarithm of its probability each.

        Empty where the endpoint does not tell probabilities, and when stopped.

        :raises ModelError: as `stream` does
        """

    def close(self) -> None:
        """Let go of connections and processes; may be called twice."""


class HostedChatModel:
    """A chat model behind somebody else's OpenAI-compatible endpoint."""

    def __init__(self, name: str, base_url: str, api_key: str | None, *, timeout: float) -> None:
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise SettingsError(
                "The setting chat_base_url is not the address of an API.",
                "Write it like http://localhost:11434/v1.",
            )
        self.name = name
        # Never None: the client would then take a key from the environment, meant for some other endpoint.
        self._endpoint = _Endpoint(base_url, api_key or "none", name)
        self._client = _Client(self._endpoint, timeout, retries=1)

    @property
    def status(self) -> ModelStatus:
        """Always ready: only asking it tells more."""
        return ModelStatus("ready", self._endpoint.shown)

    def stream(
        self, messages: Sequence[BaseMessage], *, max_tokens: int, stop: threading.Event | None = None
    ) -> Reply:
        """See `ChatModel.stream`."""
        return Reply(self._client.stream(messages, max_tokens, stop))

    def first_tokens(
        self, messages: Sequence[BaseMessage], *, stop: threading.Event | None = None
    ) -> Mapping[str, float]:
        """See `ChatModel.first_tokens`. An endpoint that does not know them is soon not asked any more."""
        return self._client.first_tokens(messages, stop)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


class EmbeddedChatModel:
    """The chat model in this program's own child process."""

    def __init__(self, name: str, model: EmbeddedModel, *, timeout: float) -> None:
        self.name = name
        self._model = model
        self._timeout = timeout
        self._lock = threading.Lock()
        self._client: _Client | None = None

    @property
    def status(self) -> ModelStatus:
        """Where the child process stands."""
        return self._model.status

    def stream(
        self, messages: Sequence[BaseMessage], *, max_tokens: int, stop: threading.Event | None = None
    ) -> Reply:
        """See `ChatModel.stream`. Waits until the model is loaded; asks again if the child dies unheard."""
        return Reply(self._pieces(messages, max_tokens, stop))

    def first_tokens(
        self, messages: Sequence[BaseMessage], *, stop: threading.Event | None = None
    ) -> Mapping[str, float]:
        """See `ChatModel.first_tokens`. Waits until the model is loaded; asks again if the child dies."""
        client = self._ready_client(stop)
        if client is None:
            return {}
        try:
            return client.first_tokens(messages, stop)
        except EndpointUnreachable as error:
            if error.__cause__ is None or not self._has_died(client):
                raise
        client = self._ready_client(stop)
        return {} if client is None else client.first_tokens(messages, stop)

    def close(self) -> None:
        """End the child process."""
        self._model.stop()
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _pieces(
        self, messages: Sequence[BaseMessage], max_tokens: int, stop: threading.Event | None
    ) -> Generator[str, None, Told | None]:
        client = self._ready_client(stop)
        if client is None:
            return None
        try:
            return (yield from client.stream(messages, max_tokens, stop))
        except EndpointUnreachable as error:
            # It comes before the first word only. Without a cause it was the time that ran out, and the child may
            # well be alive.
            if error.__cause__ is None or not self._has_died(client):
                raise
        client = self._ready_client(stop)
        return None if client is None else (yield from client.stream(messages, max_tokens, stop))

    def _has_died(self, client: _Client) -> bool:
        """Whether the child that `client` talked to is gone; its supervisor may need a moment to notice."""
        deadline = time.monotonic() + DEATH_NOTICE
        while self._model.status.state == "ready" and self._model.base_url == client.endpoint.base_url:
            if time.monotonic() >= deadline:
                return False
            time.sleep(TICK)
        return True

    def _ready_client(self, stop: threading.Event | None) -> _Client | None:
        """The client for the child as it now runs; None when stopped meanwhile."""
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                base_url, key = self._model.wait_endpoint(TICK if stop is not None else self._timeout)
                break
            except ModelLoading:
                if stop is not None and stop.is_set():
                    return None
                if time.monotonic() >= deadline:
                    raise
        with self._lock:
            if self._client is None or self._client.endpoint.api_key != key:
                # The one before is left to the streams that still hold it.
                self._client = _Client(
                    _Endpoint(base_url, key, self.name, embedded=True), self._timeout, retries=0
                )
            return self._client


def open_model(settings: Settings) -> ChatModel:
    """The chat model of these settings. The embedded one starts loading at once, in the background.

    :raises WeightsError: when the embedded model's file is not on this machine
    """
    name = settings.chat_model
    if settings.chat_base_url is not None:
        key = settings.chat_api_key.get_secret_value() if settings.chat_api_key else None
        return HostedChatModel(name, settings.chat_base_url, key, timeout=settings.chat_timeout)
    from rag.weights import locate

    path = locate(name, settings)
    if path is None:
        raise WeightsError(
            f"The file of the chat model {name} is not in {settings.models}.",
            f"Fetch it with 'wenzheng models pull {name}', or set chat_base_url to the address of an API.",
        )
    model = EmbeddedModel(
        path,
        threads=settings.chat_threads,
        context=settings.chat_context,
        alias=name,
        log=settings.home / "logs" / "chat-model.log",
    )
    model.start()
    return EmbeddedChatModel(name, model, timeout=settings.chat_timeout)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """Where a model answers."""

    base_url: str
    api_key: str = field(repr=False)
    model: str
    embedded: bool = False

    @property
    def shown(self) -> str:
        """The address for messages, without what may be secret in it."""
        parts = urlsplit(self.base_url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"

    @property
    def loopback(self) -> bool:
        host = urlsplit(self.base_url).hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def what(self) -> str:
        return (
            f"The embedded chat model {self.model}"
            if self.embedded
            else f"The chat model's endpoint {self.shown}"
        )


class _Line:
    """The connection of one stream, which can be cut from another thread.

    Closing the response would not do: before the first word there is none, and a thread that waits on a
    socket does not notice that another closes it. Shutting the socket down wakes it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._cut = False

    @property
    def is_cut(self) -> bool:
        return self._cut

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Note the connection's socket; called by the HTTP client at each step of a request."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self._cut:
                    self._shut()

    def cut(self) -> None:
        with self._lock:
            self._cut = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not the method of SSLSocket, which takes the encryption away under the reading thread.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _LineCutError(Exception):
    """The stream was ended before the request went out."""


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a stream: why the model stopped and what it took, or the error that ended it.

    ``likeliest`` are the first token's alternatives with the logarithms of their probabilities, where they were asked for.
    """

    reason: str | None = None
    usage: Usage | None = None
    likeliest: Mapping[str, float] = field(default_factory=dict)
    error: Exception | None = None


class _Client:
    """Talks to one endpoint."""

    def __init__(self, endpoint: _Endpoint, timeout: float, *, retries: int) -> None:
        self.endpoint = endpoint
        self._timeout = timeout
        self._retries = retries
        self._current = threading.local()
        self._lock = threading.Lock()
        self._chat: tuple[ChatOpenAI, Callable[[], None]] | None = None
        self._asks_usage = True
        self._untold = 0

    def stream(
        self, messages: Sequence[BaseMessage], max_tokens: int, stop: threading.Event | None
    ) -> Generator[str, None, Told | None]:
        asks = self._untold < UNTOLD
        try:
            end = yield from self._followed(messages, max_tokens, stop, likeliest=asks)
        except EndpointRefused as error:
            if not asks or not self._may_not_know(error):
                raise
            end = yield from self._followed(messages, max_tokens, stop, likeliest=False)
            # Only now is it sure that it was the wish for probabilities, and not the prompt, that was refused.
            self._untold = UNTOLD
        else:
            self._count(end)
        return None if end is None else Told(end.usage, end.likeliest)

    def first_tokens(
        self, messages: Sequence[BaseMessage], stop: threading.Event | None
    ) -> Mapping[str, float]:
        if self._untold >= UNTOLD:
            return {}
        reply = self._followed(messages, 1, stop, likeliest=True)
        try:
            while True:
                next(reply)
        except StopIteration as ended:
            end: _End | None = ended.value
        except EndpointRefused as error:
            if not self._may_not_know(error):
                raise
            end = _End()
        self._count(end)
        return {} if end is None else end.likeliest

    def _may_not_know(self, error: EndpointRefused) -> bool:
        """Whether an endpoint may have refused for a field that it does not know."""
        return error.status in NOT_UNDERSTOOD and not self.endpoint.embedded

    def _count(self, end: _End | None) -> None:
        """Remember how often in a row probabilities were asked for and not told; a stopped answer says nothing of it."""
        if end is not None and self._untold < UNTOLD:
            self._untold = 0 if end.likeliest else self._untold + 1

    def _followed(
        self,
        messages: Sequence[BaseMessage],
        max_tokens: int,
        stop: threading.Event | None,
        *,
        likeliest: bool,
    ) -> Generator[str, None, _End | None]:
        line = _Line()
        news: queue.SimpleQueue[str | _End] = queue.SimpleQueue()
        # A thread of its own reads, for the waits inside the HTTP client (to connect, to try again, for the
        # first word) look at no event.
        reader = threading.Thread(
            target=self._read,
            args=(list(messages), max_tokens, line, news, likeliest),
            name="chat-stream",
            daemon=True,
        )
        reader.start()
        said: list[str] = []
        deadline = time.monotonic() + self._timeout
        try:
            while stop is None or not stop.is_set():
                left = deadline - time.monotonic()
                try:
                    item = news.get(timeout=max(0.0, left if stop is None else min(left, TICK)))
                except queue.Empty:
                    if left > 0:
                        continue
                    raise self._silent("".join(said)) from None
                if isinstance(item, _End):
                    self._finish(item, "".join(said))
                    return item
                deadline = time.monotonic() + self._timeout
                if item:
                    said.append(item)
                    yield item
            return None
        finally:
            line.cut()

    def close(self) -> None:
        with self._lock:
            chat, self._chat = self._chat, None
        if chat is not None:
            chat[1]()

    def _read(
        self,
        messages: list[BaseMessage],
        max_tokens: int,
        line: _Line,
        news: queue.SimpleQueue[str | _End],
        likeliest: bool,
    ) -> None:
        reason: str | None = None
        usage: Usage | None = None
        first: Mapping[str, float] = {}
        more = {"logprobs": True, "top_logprobs": LIKELIEST} if likeliest else {}
        try:
            from langsmith import tracing_context

            self._current.line = line
            with tracing_context(enabled=False):
                for chunk in self._chunks(messages, self._length(max_tokens) | more):
                    if line.is_cut:
                        return
                    # Without text too: a model that thinks before it speaks is alive.
                    news.put(str(chunk.text))
                    reason = chunk.response_metadata.get("finish_reason") or reason
                    # Mostly the last chunk tells; where each one does, it tells the sum so far.
                    usage = _usage(chunk) or usage
                    first = first or _likeliest(chunk)
            news.put(_End(reason, usage, first))
        except Exception as error:  # noqa: BLE001 - handed to the thread that asked, which translates it
            news.put(_End(reason, error=error))
        finally:
            self._current.line = None

    def _chunks(self, messages: list[BaseMessage], wishes: dict[str, Any]) -> Iterator[BaseMessageChunk]:
        """What the endpoint sends; asked for the count of tokens too, but where it does not know that wish."""
        import openai

        chat = self._open()
        if self._asks_usage:
            try:
                yield from chat.stream(messages, stream_usage=True, **wishes)
            except openai.APIStatusError as error:
                if error.status_code not in NOT_UNDERSTOOD or self.endpoint.embedded:
                    raise
            else:
                return
        for chunk in chat.stream(messages, stream_usage=False, **wishes):
            # Only now is it sure that it was the wish, and not the prompt, that was refused.
            self._asks_usage = False
            yield chunk

    def _length(self, max_tokens: int) -> dict[str, Any]:
        # OpenAI itself has renamed the parameter and refuses both; most other servers know only the old name.
        host = urlsplit(self.endpoint.base_url).hostname or ""
        if host.endswith(("openai.com", "openai.azure.com")):
            return {"max_tokens": max_tokens}
        return {"extra_body": {"max_tokens": max_tokens}}

    def _open(self) -> ChatOpenAI:
        with self._lock:
            if self._chat is None:
                import openai
                from langchain_openai import ChatOpenAI
                from pydantic import SecretStr

                http_client = openai.DefaultHttpxClient(
                    trust_env=not self.endpoint.loopback, event_hooks={"request": [self._prepare]}
                )
                chat = ChatOpenAI(
                    model=self.endpoint.model,
                    base_url=self.endpoint.base_url,
                    api_key=SecretStr(self.endpoint.api_key),
                    temperature=0,
                    # `stream` counts the seconds without a word; this only ends a forgotten wait.
                    timeout=openai.Timeout(self._timeout + 5, connect=min(CONNECT_TIMEOUT, self._timeout)),
                    max_retries=self._retries,
                    http_client=http_client,
                    use_responses_api=False,
                )
                self._chat = (chat, http_client.close)
            return self._chat[0]

    def _prepare(self, request: Any) -> None:
        """Put a request on its line; called by the HTTP client before it is sent."""
        line: _Line | None = getattr(self._current, "line", None)
        if line is None or line.is_cut:
            raise _LineCutError
        request.extensions["trace"] = line.trace
        # A kept connection is not announced again, so its socket would be unknown to the line.
        request.headers["Connection"] = "close"
        # What this machine is, and an account named in the environment, are not the endpoint's business.
        for name in list(request.headers):
            if name.lower().startswith(("x-stainless-", "openai-")):
                del request.headers[name]

    def _finish(self, end: _End, said: str) -> None:
        """Say nothing at a good end, raise at any other."""
        where = self.endpoint.what
        if end.error is not None:
            raise self._translate(end.error, said) from end.error
        if end.reason is None:
            raise AnswerInterrupted(f"{where} ended its answer without a word of why.", "Ask again.", said)
        if end.reason == "content_filter":
            raise AnswerInterrupted(
                f"{where} withheld the rest of its answer.", "Put the question differently.", said
            )

    def _silent(self, said: str) -> ModelError:
        what = f"{self.endpoint.what} has not said a word for {self._timeout:g} s."
        fix = "Ask again when it is less busy, or raise chat_timeout."
        return AnswerInterrupted(what, fix, said) if said else EndpointUnreachable(what, fix)

    def _translate(self, error: Exception, said: str) -> ModelError:
        import openai

        where = self.endpoint.what
        if said:
            return AnswerInterrupted(
                f"{where} broke off in mid-answer: {self._told(error)}.", "Ask again.", said
            )
        if isinstance(error, openai.APIStatusError):
            return self._refused(error)
        if isinstance(error, openai.APITimeoutError):
            return EndpointUnreachable(f"{where} does not answer in time.", self._reach())
        if isinstance(error, openai.APIConnectionError):
            cause = f" ({error.__cause__})" if error.__cause__ else ""
            return EndpointUnreachable(f"{where} cannot be reached{self._clean(cause)}.", self._reach())
        if self.endpoint.embedded:
            return EndpointUnreachable(f"{where} broke off: {self._told(error)}.", self._reach())
        return EndpointRefused(
            f"{where} does not answer in the OpenAI form: {self._told(error)}.",
            "Check that chat_base_url is the address of an OpenAI-compatible API; it often ends in /v1.",
        )

    def _reach(self) -> str:
        if self.endpoint.embedded:
            return "Ask again in a few seconds; it is started again by itself."
        return "Check chat_base_url, and that the service there is running."

    def _refused(self, error: Any) -> EndpointRefused:
        code: int = error.status_code
        name = self.endpoint.model
        what = f"{self.endpoint.what} answered with HTTP {code}"
        if code in (401, 403):
            # The endpoint's own words may quote the key, or half of it.
            return EndpointRefused(
                f"{what}: the key is missing or not valid.", "Set chat_api_key to a valid key.", code
            )
        what = f"{what}: {self._told(error)}."
        if code == 404:
            return EndpointRefused(
                what,
                f"Check that it has the model {name} (chat_model), and chat_base_url: it often ends in /v1.",
                code,
            )
        if code == 429:
            return EndpointRefused(
                what, "It limits the rate or the amount of requests: wait, then ask again.", code
            )
        if code >= 500:
            return EndpointRefused(
                what, "The fault is on its side: ask again later, or look into its log.", code
            )
        more = ", or raise chat_context" if self.endpoint.embedded else ""
        return EndpointRefused(
            what, f"If the prompt is too long for it, lower passages or prompt_chars{more}.", code
        )

    def _told(self, error: Exception) -> str:
        text = str(getattr(error, "message", "") or error) or type(error).__name__
        return self._clean(text)[:300].rstrip(". \n")

    def _clean(self, text: str) -> str:
        """One line, without the key or a password of the address."""
        for secret in (self.endpoint.api_key, urlsplit(self.endpoint.base_url).password or ""):
            if len(secret) > 4:
                text = text.replace(secret, "***")
        return re.sub(r"\s+", " ", text)


def _usage(chunk: BaseMessageChunk) -> Usage | None:
    """What a chunk tells of the tokens that the answer took; None where it tells nothing, or only noughts."""
    told: dict[str, Any] | None = getattr(chunk, "usage_metadata", None)
    if not told or not (told["input_tokens"] or told["output_tokens"]):
        return None
    return Usage(int(told["input_tokens"]), int(told["output_tokens"]))


def _likeliest(chunk: BaseMessageChunk) -> dict[str, float]:
    """The alternatives of a chunk's first token; empty where the endpoint tells none."""
    told: Any = chunk.response_metadata.get("logprobs")
    places = (told or {}).get("content") or []
    found: dict[str, float] = {}
    for one in (places[0].get("top_logprobs") or []) if places else []:
        found.setdefault(str(one["token"]), float(one["logprob"]))
    return found
