"""The supervised child: it starts, starts again when it dies, is given up, and never outlives its parent."""

import http.client
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from rag.embedded import EmbeddedModel, Supervision
from rag.errors import EndpointUnreachable, ModelLoading

ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(__file__).parent / "data" / "fake_worker.py"
HASTE = Supervision(backoff=0.05, health_interval=0.2, health_timeout=1.0, grace=2.0)


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def embedded(*mode: str, supervision: Supervision = HASTE, log: Path | None = None) -> EmbeddedModel:
    return EmbeddedModel(
        Path("none.gguf"),
        alias="fake",
        log=log,
        command=[sys.executable, str(FAKE), *mode],
        supervision=supervision,
    )


@pytest.fixture
def model() -> Iterator[EmbeddedModel]:
    with embedded("serve") as model:
        yield model


def test_it_starts_in_the_background_and_gets_ready(model: EmbeddedModel) -> None:
    address = model.wait_ready(20)
    assert model.status.state == "ready"
    assert address.startswith("http://127.0.0.1:")
    assert address.endswith("/v1")
    assert address == model.base_url
    assert len(model.api_key) > 20
    assert model.pid is not None


def test_starting_twice_keeps_the_child(model: EmbeddedModel) -> None:
    model.wait_ready(20)
    pid = model.pid
    model.start()
    assert model.pid == pid
    assert model.status.state == "ready"


def test_a_dead_child_is_started_again_with_another_key(model: EmbeddedModel) -> None:
    model.wait_ready(20)
    key, pid = model.api_key, model.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: model.status.restarts == 1)
    model.wait_ready(20)
    assert model.status.state == "ready"
    assert model.status.restarts == 1
    assert model.pid != pid
    assert model.api_key != key


def test_the_reason_of_a_restart_is_told(model: EmbeddedModel) -> None:
    model.wait_ready(20)
    seen: list[str] = []
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)

    def restarting() -> bool:
        seen.append(model.status.detail)
        return "SIGKILL" in seen[-1]

    until(restarting)


def test_one_crash_at_the_start_is_forgiven(tmp_path: Path) -> None:
    with embedded("once", str(tmp_path / "crashed")) as model:
        model.wait_ready(20)
        assert model.status.restarts == 1


def test_after_repeated_deaths_it_is_given_up_with_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "chat.log"
    with embedded("crash", log=log) as model:
        with pytest.raises(EndpointUnreachable) as caught:
            model.wait_ready(20)
        assert model.status.state == "failed"
        assert "gguf: bad magic" in model.status.detail
        assert "3 times" in model.status.detail
        assert "gguf: bad magic" in caught.value.what
        assert str(log) in caught.value.fix
        assert model.pid is None
    assert log.read_text(encoding="utf-8").count("bad magic") == 3


def test_what_the_worker_says_of_its_failure_is_told() -> None:
    with embedded("refuse") as model, pytest.raises(EndpointUnreachable, match="the file is damaged"):
        model.wait_ready(20)


def test_a_command_that_does_not_exist_is_a_failure(tmp_path: Path) -> None:
    model = EmbeddedModel(
        Path("x"), alias="fake", command=[str(tmp_path / "no")], supervision=Supervision(backoff=0.01)
    )
    with model, pytest.raises(EndpointUnreachable, match="cannot be started"):
        model.wait_ready(20)


def test_given_up_it_can_be_started_anew(tmp_path: Path) -> None:
    with embedded("crash") as model:
        with pytest.raises(EndpointUnreachable):
            model.wait_ready(20)
        model.start()
        assert model.status.state in ("loading", "restarting")


def test_waiting_for_a_slow_load_runs_out() -> None:
    with embedded("hang") as model:
        started = time.monotonic()
        with pytest.raises(ModelLoading) as caught:
            model.wait_ready(0.2)
        assert time.monotonic() - started < 5
        assert "fake" in caught.value.what
        assert caught.value.fix


def test_a_load_without_end_counts_as_a_death() -> None:
    care = Supervision(backoff=0.01, load_timeout=0.3, quick_deaths=1)
    with embedded("hang", supervision=care) as model, pytest.raises(EndpointUnreachable, match="not loaded"):
        model.wait_ready(20)


def test_a_child_that_does_not_answer_is_replaced(model: EmbeddedModel) -> None:
    model.wait_ready(20)
    assert model.pid is not None
    os.kill(model.pid, signal.SIGSTOP)
    until(lambda: model.status.restarts == 1)
    model.wait_ready(20)


def test_stop_is_idempotent_and_leaves_nothing_behind() -> None:
    model = embedded("serve")
    model.stop()
    model.start()
    model.wait_ready(20)
    pid = model.pid
    assert pid is not None
    model.stop()
    assert gone(pid)
    model.stop()
    assert model.status.state == "stopped"
    assert model.base_url is None
    with pytest.raises(EndpointUnreachable, match="stopped"):
        model.wait_ready(0)


def test_stop_while_loading_is_prompt() -> None:
    model = embedded("hang")
    model.start()
    until(lambda: model.pid)
    started = time.monotonic()
    model.stop()
    assert time.monotonic() - started < 3
    assert model.pid is None


def test_waiters_are_woken_by_stop() -> None:
    model = embedded("hang")
    model.start()
    errors: list[Exception] = []

    def wait() -> None:
        try:
            model.wait_ready(60)
        except EndpointUnreachable as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    model.stop()
    thread.join(5)
    assert len(errors) == 1


def test_the_key_is_not_on_the_command_line(model: EmbeddedModel) -> None:
    model.wait_ready(20)
    process = psutil.Process(model.pid)
    assert model.api_key not in " ".join(process.cmdline())
    assert model.api_key not in str(process.environ())


PARENT = """
    import sys, time
    from pathlib import Path
    from rag.embedded import EmbeddedModel

    model = EmbeddedModel(Path(sys.argv[1]), alias="fake", command=sys.argv[2:] or None)
    model.start()
    while model.pid is None:
        time.sleep(0.01)
    print(model.pid, flush=True)
    if not sys.argv[2:]:
        time.sleep(60)
    model.wait_ready(60)
    print("ready", flush=True)
    time.sleep(60)
"""


def parent(*args: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), *args], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_child_does_not_outlive_its_parent(number: signal.Signals) -> None:
    with parent("none.gguf", sys.executable, str(FAKE), "serve") as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert process.stdout.readline() == "ready\n"
        assert not gone(pid)
        process.send_signal(number)
        process.wait(10)
        until(lambda: gone(pid), 10)


def test_a_worker_that_is_loading_does_not_outlive_its_parent(tmp_path: Path) -> None:
    # The real worker, reading its "model" from a pipe that nobody writes: it is held up inside native code.
    pipe = tmp_path / "model.gguf"
    os.mkfifo(pipe)
    with parent(str(pipe)) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        time.sleep(1.5)
        process.kill()
        process.wait(10)
        until(lambda: gone(pid), 10)


def test_the_real_worker_reports_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + b"\0" * 100)
    model = EmbeddedModel(path, alias="broken", supervision=Supervision(backoff=0.01, quick_deaths=1))
    with model, pytest.raises(EndpointUnreachable) as caught:
        model.wait_ready(60)
    assert "broken" in caught.value.what
    assert "last lines of its log" in caught.value.what


@pytest.fixture(scope="module")
def real() -> Iterator[EmbeddedModel]:
    from rag.settings import Settings
    from rag.weights import locate

    path = locate("small", Settings())
    if path is None:
        pytest.skip("the small chat model is not on this machine")
    with EmbeddedModel(path, alias="small", context=2048) as model:
        model.wait_ready(120)
        yield model


@pytest.mark.model
def test_the_real_server_wants_the_key(real: EmbeddedModel) -> None:
    base_url, key = real.wait_endpoint(60)
    codes = {}
    for name, headers in {"without": {}, "with": {"Authorization": f"Bearer {key}"}}.items():
        connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=10)
        connection.request("GET", "/v1/slots" if name == "without" else "/v1/models", headers=headers)
        codes[name] = connection.getresponse().status
        connection.close()
    assert codes == {"without": 401, "with": 200}


@pytest.mark.model
def test_the_real_server_is_heard_on_loopback_only(real: EmbeddedModel) -> None:
    real.wait_ready(60)
    listening = [
        c for c in psutil.Process(real.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN
    ]
    assert [c.laddr.ip for c in listening] == ["127.0.0.1"]


@pytest.mark.model
def test_ctrl_c_does_not_reach_the_real_worker(real: EmbeddedModel) -> None:
    real.wait_ready(60)
    assert real.pid is not None
    os.kill(real.pid, signal.SIGINT)
    time.sleep(0.5)
    assert real.status.state == "ready"
    assert not gone(real.pid)
