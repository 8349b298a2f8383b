"""The chat-model interface: what an endpoint may do wrong, and that a stream can be stopped at any moment."""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from endpoints import KEY, Endpoint, Handler, Play, serving
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from pydantic import SecretStr

from rag.embedded import EmbeddedModel, Supervision
from rag.errors import (
    AnswerInterrupted,
    EndpointRefused,
    EndpointUnreachable,
    ModelError,
    ModelLoading,
    SettingsError,
    WeightsError,
)
from rag.model import ChatModel, EmbeddedChatModel, HostedChatModel, open_model
from rag.settings import Settings
from rag.types import Usage

FAKE = Path(__file__).parent / "data" / "fake_worker.py"


def ask(text: str) -> list[BaseMessage]:
    return [SystemMessage("你是助手。"), HumanMessage(text)]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(Endpoint()) as server:
        yield server


def good(handler: Handler) -> None:
    handler.open_stream()
    for text in ("住建局", "承诺", "改造126个小区[1]。"):
        handler.say(text)
    handler.say("", "stop")
    handler.wfile.write(b"data: [DONE]\n\n")


def counting(handler: Handler) -> None:
    """As OpenAI's own endpoint and llama.cpp: the count in a chunk of its own behind the last word."""
    handler.open_stream()
    for text in ("住建局", "承诺。"):
        handler.say(text, usage=None)
    handler.say("", "stop", usage=None)
    handler.say("", choices=[], usage=tokens(310, 7))
    handler.wfile.write(b"data: [DONE]\n\n")


def counting_at_each_word(handler: Handler) -> None:
    handler.open_stream()
    for written, text in enumerate(("住建局", "承诺。"), start=1):
        handler.say(text, usage=tokens(310, written))
    handler.say("", "stop", usage=tokens(310, 3))


def counting_noughts(handler: Handler) -> None:
    handler.open_stream()
    handler.say("住建局", "stop", usage=tokens(0, 0))


def tokens(read: int, written: int) -> dict[str, int]:
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def knowing_no_options(handler: Handler) -> None:
    """An older server, which refuses a field that it does not know."""
    _, _, body = handler.server.requests[-1]
    (status(422, "extra fields not permitted: stream_options") if "stream_options" in body else good)(handler)


def status(code: int, message: str = "no") -> Play:
    def play(handler: Handler) -> None:
        body = json.dumps({"error": {"message": message, "code": code}}).encode()
        handler.send_response(code)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Retry-After-Ms", "1")
        handler.end_headers()
        handler.wfile.write(body)

    return play


def break_off(handler: Handler) -> None:
    handler.open_stream()
    handler.say("住建局")
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()


def end_without_reason(handler: Handler) -> None:
    handler.open_stream()
    handler.say("住建局")


def error_in_stream(handler: Handler) -> None:
    handler.open_stream()
    handler.say("住建局")
    handler.wfile.write(b'data: {"error": {"message": "slot lost", "code": 500}}\n\n')


def silent(handler: Handler) -> None:
    handler.wait_for_hangup()


def silent_after_a_word(handler: Handler) -> None:
    handler.open_stream()
    handler.say("住建局")
    handler.wait_for_hangup()


def pings_only(handler: Handler) -> None:
    handler.open_stream()
    with closing(handler.wfile):
        for _ in range(100):
            handler.wfile.write(b": ping\n\n")
            handler.wfile.flush()
            time.sleep(0.1)


def web_page(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    handler.wfile.write(b"<html><body>It works!</body></html>")


def failure(model: ChatModel, kind: type[ModelError]) -> ModelError:
    """The error that asking ends in; never with the key in it, always with a fix."""
    with pytest.raises(ModelError) as caught:
        list(model.stream(ask("住建局承诺了什么？"), max_tokens=32))
    assert type(caught.value) is kind
    assert KEY not in str(caught.value)
    assert caught.value.fix
    assert caught.value.what.endswith(".")
    return caught.value


def test_a_stream_of_text(endpoint: Endpoint) -> None:
    model = endpoint.model(good)
    assert list(model.stream(ask("?"), max_tokens=32)) == ["住建局", "承诺", "改造126个小区[1]。"]
    path, headers, body = endpoint.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert body["model"] == "qwen"
    assert body["temperature"] == 0
    assert body["stream"] is True
    assert body["max_tokens"] == 32
    assert "max_completion_tokens" not in body
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    model.close()
    model.close()


def test_it_can_be_asked_again_and_by_several_at_once(endpoint: Endpoint) -> None:
    model = endpoint.model(good)
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append("".join(model.stream(ask("?"), max_tokens=9))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == ["住建局承诺改造126个小区[1]。"] * 4


def test_an_answer_cut_at_its_length_is_an_answer(endpoint: Endpoint) -> None:
    def play(handler: Handler) -> None:
        handler.open_stream()
        handler.say("住建局")
        handler.say("", "length")

    assert list(endpoint.model(play).stream(ask("?"), max_tokens=1)) == ["住建局"]


@pytest.mark.parametrize(
    ("play", "usage"),
    [
        (counting, Usage(310, 7)),
        (counting_at_each_word, Usage(310, 3)),
        (counting_noughts, None),
        (good, None),
    ],
)
def test_what_an_answer_took_is_known_at_its_end(endpoint: Endpoint, play: Play, usage: Usage | None) -> None:
    reply = endpoint.model(play).stream(ask("?"), max_tokens=9)
    next(reply)
    assert reply.usage is None
    list(reply)
    assert reply.usage == usage
    assert list(reply) == []
    assert reply.usage == usage
    assert endpoint.requests[0][2]["stream_options"] == {"include_usage": True}


def test_an_endpoint_that_cannot_count_is_asked_without_and_that_is_remembered(endpoint: Endpoint) -> None:
    model = endpoint.model(knowing_no_options)
    for _ in range(2):
        reply = model.stream(ask("?"), max_tokens=32)
        assert "".join(reply) == "住建局承诺改造126个小区[1]。"
        assert reply.usage is None
    assert ["stream_options" in body for _, _, body in endpoint.requests] == [True, False, False]
    assert endpoint.requests[1][2]["max_tokens"] == 32


def test_a_prompt_that_is_refused_does_not_end_the_counting(endpoint: Endpoint) -> None:
    # Asked with each wish, and without: for the count of tokens, for probabilities.
    model = endpoint.model(*[status(400, "too long")] * 4, counting)
    failure(model, EndpointRefused)
    reply = model.stream(ask("?"), max_tokens=9)
    assert "".join(reply) == "住建局承诺。"
    assert reply.usage == Usage(310, 7)
    assert len(endpoint.requests) == 5


def test_stop_while_it_is_asked_anew(endpoint: Endpoint) -> None:
    stop = threading.Event()

    def refuse(handler: Handler) -> None:
        status(400)(handler)
        stop.set()

    reply = endpoint.model(refuse, silent).stream(ask("?"), max_tokens=9, stop=stop)
    started = time.monotonic()
    assert list(reply) == []
    assert reply.usage is None
    assert time.monotonic() - started < 5


def test_nothing_ambient_goes_to_the_endpoint(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0.3)
        elsewhere = f"http://127.0.0.1:{stranger.getsockname()[1]}"
        for name, value in {
            "LANGSMITH_TRACING": "true",
            "LANGCHAIN_TRACING_V2": "true",
            "LANGSMITH_API_KEY": "ls-secret",
            "LANGSMITH_ENDPOINT": elsewhere,
            "LANGCHAIN_ENDPOINT": elsewhere,
            "HTTP_PROXY": elsewhere,
            "http_proxy": elsewhere,
            "ALL_PROXY": elsewhere,
            "OPENAI_API_KEY": "sk-of-somebody-else",
            "OPENAI_BASE_URL": elsewhere,
            "OPENAI_API_BASE": elsewhere,
            "OPENAI_ORG_ID": "org-ambient",
            "OPENAI_PROJECT_ID": "project-ambient",
        }.items():
            monkeypatch.setenv(name, value)
        endpoint.plays = [good]
        model = HostedChatModel("qwen", endpoint.url, None, timeout=5)
        assert "".join(model.stream(ask("?"), max_tokens=9)) == "住建局承诺改造126个小区[1]。"
        with pytest.raises(TimeoutError):
            stranger.accept()
    sent = str(endpoint.requests[0][1]).lower()
    assert "sk-of-somebody-else" not in sent
    assert "ambient" not in sent
    assert "x-stainless" not in sent


def test_a_proxy_is_used_for_hosts_elsewhere(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint.plays = [good]
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, endpoint.url.removesuffix("/v1"))
    model = HostedChatModel("qwen", "http://model.example.invalid/v1", None, timeout=5)
    assert "".join(model.stream(ask("?"), max_tokens=9))
    assert endpoint.requests[0][0] == "http://model.example.invalid/v1/chat/completions"


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    model = HostedChatModel("qwen", f"http://user:{KEY}@127.0.0.1:{port}/v1", KEY, timeout=5)
    error = failure(model, EndpointUnreachable)
    assert f"http://127.0.0.1:{port}/v1" in error.what
    assert "chat_base_url" in error.fix
    assert KEY not in model.status.detail


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (400, "prompt_chars"),
        (401, "chat_api_key"),
        (403, "chat_api_key"),
        (404, "chat_model"),
        (429, "wait"),
        (500, "its side"),
        (503, "its side"),
    ],
)
def test_refusals(endpoint: Endpoint, code: int, hint: str) -> None:
    error = failure(endpoint.model(status(code, f"bad key {KEY}\nindeed")), EndpointRefused)
    assert str(code) in error.what
    assert hint in error.fix
    assert error.__cause__ is not None


def test_a_password_of_the_address_is_not_told(endpoint: Endpoint) -> None:
    endpoint.plays = [status(500, "no such user as user:pass-of-the-proxy")]
    address = endpoint.url.replace("://", "://user:pass-of-the-proxy@")
    error = failure(HostedChatModel("qwen", address, None, timeout=5), EndpointRefused)
    assert "pass-of-the-proxy" not in str(error)


def test_a_passing_fault_is_tried_once_more(endpoint: Endpoint) -> None:
    model = endpoint.model(status(503), good)
    assert "".join(model.stream(ask("?"), max_tokens=9))
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("play", [break_off, end_without_reason, error_in_stream])
def test_an_answer_that_breaks_off_keeps_what_was_said(endpoint: Endpoint, play: Play) -> None:
    error = failure(endpoint.model(play), AnswerInterrupted)
    assert error.partial == "住建局"


def test_a_web_page_is_not_an_answer(endpoint: Endpoint) -> None:
    assert "OpenAI" in failure(endpoint.model(web_page), EndpointRefused).what


@pytest.mark.parametrize("play", [silent, pings_only])
def test_time_runs_out_before_the_first_word(endpoint: Endpoint, play: Play) -> None:
    started = time.monotonic()
    error = failure(endpoint.model(play, timeout=0.5), EndpointUnreachable)
    assert time.monotonic() - started < 5
    assert "chat_timeout" in error.fix


def test_a_model_that_thinks_before_it_speaks_is_waited_for(endpoint: Endpoint) -> None:
    def play(handler: Handler) -> None:
        handler.open_stream()
        for _ in range(6):
            handler.say("")
            time.sleep(0.2)
        handler.say("住建局")
        handler.say("", "stop")

    assert list(endpoint.model(play, timeout=0.8).stream(ask("?"), max_tokens=9)) == ["住建局"]


@pytest.mark.parametrize("address", ["localhost:11434/v1", "", "ftp://x/v1", "http://"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(SettingsError, match="chat_base_url"):
        HostedChatModel("qwen", address, None, timeout=1)


def test_time_runs_out_in_mid_answer(endpoint: Endpoint) -> None:
    error = failure(endpoint.model(silent_after_a_word, timeout=0.5), AnswerInterrupted)
    assert error.partial == "住建局"
    assert endpoint.hung_up.wait(5)


def test_stop_before_the_first_word_closes_the_connection(endpoint: Endpoint) -> None:
    model = endpoint.model(silent)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    assert list(model.stream(ask("?"), max_tokens=9, stop=stop)) == []
    assert time.monotonic() - started < 5
    assert endpoint.hung_up.wait(5)


def test_stop_in_mid_answer_closes_the_connection(endpoint: Endpoint) -> None:
    model = endpoint.model(silent_after_a_word)
    stop = threading.Event()
    texts = model.stream(ask("?"), max_tokens=9, stop=stop)
    assert next(texts) == "住建局"
    stop.set()
    assert list(texts) == []
    assert endpoint.hung_up.wait(5)


def test_stop_set_beforehand_asks_nothing(endpoint: Endpoint) -> None:
    stop = threading.Event()
    stop.set()
    assert list(endpoint.model(good).stream(ask("?"), max_tokens=9, stop=stop)) == []


def test_closing_the_iterator_closes_the_connection(endpoint: Endpoint) -> None:
    texts = endpoint.model(silent_after_a_word).stream(ask("?"), max_tokens=9)
    assert next(texts) == "住建局"
    texts.close()
    texts.close()
    assert texts.usage is None
    assert endpoint.hung_up.wait(5)


def test_letting_go_of_the_reply_closes_the_connection(endpoint: Endpoint) -> None:
    for _ in endpoint.model(silent_after_a_word).stream(ask("?"), max_tokens=9):
        break
    assert endpoint.hung_up.wait(5)


# --- the embedded model, with a stand-in for the child ------------------------------------------------------


@pytest.fixture
def embedded() -> Iterator[EmbeddedChatModel]:
    model = EmbeddedModel(
        Path("none.gguf"),
        alias="fake",
        command=[sys.executable, str(FAKE), "serve"],
        supervision=Supervision(backoff=0.05),
    )
    model.start()
    chat = EmbeddedChatModel("fake", model, timeout=20)
    yield chat
    chat.close()


def test_the_first_question_waits_for_the_model(embedded: EmbeddedChatModel) -> None:
    reply = embedded.stream(ask("?"), max_tokens=9)
    assert "".join(reply).startswith("你好，")
    assert reply.usage == Usage(11, 2)
    assert embedded.status.state == "ready"


def test_a_child_killed_between_questions_is_not_noticed(embedded: EmbeddedChatModel) -> None:
    first = "".join(embedded.stream(ask("?"), max_tokens=9))
    os.kill(int(first.removeprefix("你好，")), signal.SIGKILL)
    second = "".join(embedded.stream(ask("?"), max_tokens=9))
    assert second.startswith("你好，")
    assert second != first


def test_a_child_that_dies_before_a_word_twice_is_an_error(embedded: EmbeddedChatModel) -> None:
    error = failure_of(embedded, "die", EndpointUnreachable)
    assert "embedded" in error.what


def test_a_child_that_dies_in_mid_answer_is_an_interruption(embedded: EmbeddedChatModel) -> None:
    error = failure_of(embedded, "break", AnswerInterrupted)
    assert error.partial == "你好，"
    assert "".join(embedded.stream(ask("?"), max_tokens=9)).startswith("你好，")


def failure_of(model: ChatModel, question: str, kind: type[ModelError]) -> ModelError:
    with pytest.raises(kind) as caught:
        list(model.stream(ask(question), max_tokens=9))
    assert caught.value.fix
    return caught.value


def test_a_model_that_loads_too_long() -> None:
    model = EmbeddedModel(Path("none.gguf"), alias="fake", command=[sys.executable, str(FAKE), "hang"])
    model.start()
    with closing(EmbeddedChatModel("fake", model, timeout=0.3)) as chat:
        assert chat.status.state == "loading"
        failure_of(chat, "?", ModelLoading)
        stop = threading.Event()
        stop.set()
        assert list(chat.stream(ask("?"), max_tokens=9, stop=stop)) == []


def test_open_model_for_an_endpoint(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.plays = [good]
    settings = Settings(
        home=tmp_path,
        chat_base_url=endpoint.url,
        chat_model="qwen",
        chat_api_key=SecretStr(KEY),
        chat_timeout=5,
    )
    model = open_model(settings)
    assert model.name == "qwen"
    assert model.status.state == "ready"
    assert "".join(model.stream(ask("?"), max_tokens=9))
    assert endpoint.requests[0][1]["authorization"] == f"Bearer {KEY}"
    model.close()


def test_open_model_without_its_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        open_model(Settings(home=tmp_path / "home", models=tmp_path / "models"))
    assert "wenzheng models pull default" in caught.value.fix
    assert not (tmp_path / "home").exists()


# --- the embedded model itself ------------------------------------------------------------------------------

PASSAGE = "住建局局长表态，今年完成老旧小区改造126个，惠及居民4.3万户，加装电梯320部，6月底前全部开工。"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedChatModel]:
    from rag.weights import locate

    if locate("small", Settings()) is None:
        pytest.skip("the small chat model is not on this machine")
    model = open_model(Settings(home=tmp_path_factory.mktemp("home"), chat_model="small"))
    assert isinstance(model, EmbeddedChatModel)
    yield model
    model.close()


def used(model: EmbeddedChatModel) -> float:
    times = psutil.Process(model._model.pid).cpu_times()
    return float(times.user + times.system)


def is_idle_within(model: EmbeddedChatModel, seconds: float) -> bool:
    """Whether the child comes to rest: hardly any work in half a second."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = used(model)
        time.sleep(0.5)
        if used(model) - before < 0.1:
            return True
    return False


@pytest.mark.model
def test_the_real_model_answers_in_a_stream(real: EmbeddedChatModel) -> None:
    texts = list(real.stream(ask(f"材料：{PASSAGE}\n问题：改造多少个老旧小区？"), max_tokens=60))
    assert len(texts) > 3
    assert "126" in "".join(texts)


@pytest.mark.model
def test_the_real_model_counts_the_whole_prompt_also_where_it_remembers_it(real: EmbeddedChatModel) -> None:
    counts = []
    for question in ("加装电梯多少部？", "加装电梯多少部？", "惠及居民多少户？请只说数字。"):
        reply = real.stream(ask(f"材料：{PASSAGE}\n问题：{question}"), max_tokens=3)
        assert list(reply)
        assert reply.usage is not None
        counts.append(reply.usage)
    assert 1 <= counts[0].written <= 3
    assert counts[0].read == counts[1].read > len(PASSAGE) / 3
    assert counts[2].read > counts[0].read


@pytest.mark.model
def test_the_real_model_gives_the_same_answer_twice(real: EmbeddedChatModel) -> None:
    question = ask(f"材料：{PASSAGE}\n问题：请逐条列出承诺。")
    first = "".join(real.stream(question, max_tokens=80))
    assert first == "".join(real.stream(question, max_tokens=80))


@pytest.mark.model
def test_cancelling_ends_the_real_models_work(real: EmbeddedChatModel) -> None:
    stop = threading.Event()
    texts = real.stream(ask("请写一篇两千字的作文，题目是《春天》。"), max_tokens=2000, stop=stop)
    next(texts)
    next(texts)
    stop.set()
    assert len(list(texts)) <= 1
    assert is_idle_within(real, 5)


@pytest.mark.model
def test_cancelling_while_the_real_model_reads_the_prompt(real: EmbeddedChatModel) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.7, stop.set)
    long = ask("\n".join(f"{number}. {PASSAGE}" for number in range(45)) + "\n请总结。")
    started = time.monotonic()
    timer.start()
    assert list(real.stream(long, max_tokens=300, stop=stop)) == []
    assert time.monotonic() - started < 3
    assert is_idle_within(real, 10)


@pytest.mark.model
def test_the_real_model_refuses_what_does_not_fit(real: EmbeddedChatModel) -> None:
    long = ask("\n".join(f"{number}. {PASSAGE}" for number in range(200)))
    error = failure_of_messages(real, long)
    assert "400" in error.what


def failure_of_messages(model: ChatModel, messages: list[BaseMessage]) -> ModelError:
    with pytest.raises(EndpointRefused) as caught:
        list(model.stream(messages, max_tokens=9))
    return caught.value


@pytest.mark.model
def test_the_real_child_killed_comes_back_and_answers(real: EmbeddedChatModel) -> None:
    pid = real._model.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    texts = list(real.stream(ask(f"材料：{PASSAGE}\n问题：加装电梯多少部？"), max_tokens=60))
    assert "320" in "".join(texts)
    assert real.status.restarts >= 1
    assert real._model.pid != pid


def telling(handler: Handler) -> None:
    """As llama.cpp and OpenAI's own endpoint do, asked for the likeliest first tokens."""
    handler.open_stream()
    likeliest = [{"token": "是", "logprob": -0.1}, {"token": "否", "logprob": -2.5}]
    told = {"content": [{"token": "是", "logprob": -0.1, "top_logprobs": likeliest}]}
    choice = {"index": 0, "delta": {"content": "是"}, "finish_reason": None, "logprobs": told}
    handler.say("是", choices=[choice])
    handler.say("", "length")
    handler.wfile.write(b"data: [DONE]\n\n")


def test_first_tokens_come_with_their_probabilities(endpoint: Endpoint) -> None:
    model = endpoint.model(telling)
    assert model.first_tokens(ask("有没有？")) == {"是": -0.1, "否": -2.5}
    body = endpoint.requests[0][2]
    assert (body["logprobs"], body["top_logprobs"], body["max_tokens"]) == (True, 20, 1)


def test_an_answer_tells_how_it_might_have_begun(endpoint: Endpoint) -> None:
    reply = endpoint.model(telling).stream(ask("有没有？"), max_tokens=50)
    assert reply.told.first == {}
    assert "".join(reply) == "是"
    assert reply.told.first == {"是": -0.1, "否": -2.5}


def test_an_answer_comes_from_an_endpoint_that_refuses_the_wish_for_probabilities(
    endpoint: Endpoint,
) -> None:
    def refusing(handler: Handler) -> None:
        (status(400) if "logprobs" in handler.server.requests[-1][2] else good)(handler)

    model = endpoint.model(refusing)
    reply = model.stream(ask("承诺了什么？"), max_tokens=50)
    assert "126" in "".join(reply)
    assert reply.told.first == {}
    before = len(endpoint.requests)
    assert "".join(model.stream(ask("承诺了什么？"), max_tokens=50))
    assert len(endpoint.requests) == before + 1, "it is not asked for them again"
    assert "logprobs" not in endpoint.requests[-1][2]


def test_a_prompt_that_is_refused_is_told_and_probabilities_are_asked_for_again(endpoint: Endpoint) -> None:
    model = endpoint.model(*[status(400)] * 4, telling)
    with pytest.raises(EndpointRefused):
        list(model.stream(ask("长"), max_tokens=50))
    endpoint.plays = [telling]
    reply = model.stream(ask("短"), max_tokens=50)
    assert list(reply)
    assert reply.told.first


def test_endpoints_that_ignore_the_wish_are_soon_not_asked(endpoint: Endpoint) -> None:
    model = endpoint.model(good)
    for _ in range(4):
        assert "".join(model.stream(ask("承诺了什么？"), max_tokens=50))
    asked = ["logprobs" in body for _, _, body in endpoint.requests]
    assert asked == [True, True, True, False]


@pytest.mark.parametrize("play", [good, status(400), status(422)])
def test_an_endpoint_without_probabilities_is_soon_left_alone(endpoint: Endpoint, play: Play) -> None:
    model = endpoint.model(play)
    assert [dict(model.first_tokens(ask("有没有？"))) for _ in range(3)] == [{}, {}, {}]
    before = len(endpoint.requests)
    assert model.first_tokens(ask("有没有？")) == {}
    assert len(endpoint.requests) == before


def test_one_refusal_may_be_for_the_length_and_is_forgotten(endpoint: Endpoint) -> None:
    model = endpoint.model(status(400), status(400), status(400), status(400), telling)
    assert model.first_tokens(ask("长")) == {}
    assert model.first_tokens(ask("长")) == {}
    assert model.first_tokens(ask("短")) == {"是": -0.1, "否": -2.5}


@pytest.mark.parametrize("code", [401, 404, 429, 500])
def test_what_an_endpoint_refuses_for_other_reasons_is_told(endpoint: Endpoint, code: int) -> None:
    model = endpoint.model(status(code))
    with pytest.raises(EndpointRefused):
        model.first_tokens(ask("有没有？"))


def test_first_tokens_can_be_stopped(endpoint: Endpoint) -> None:
    def silent(handler: Handler) -> None:
        handler.open_stream()
        handler.wait_for_hangup()

    stop = threading.Event()
    model = endpoint.model(lambda handler: (stop.set(), silent(handler)))
    assert model.first_tokens(ask("有没有？"), stop=stop) == {}
    assert endpoint.hung_up.wait(5)
