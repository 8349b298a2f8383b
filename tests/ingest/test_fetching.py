"""Fetching an address: only what is allowed, never inside, within limits. Servers are on this machine alone."""

from __future__ import annotations

import gzip
import ipaddress
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.fetching import Fetched, Site, allowed_sites, fetch, is_public
from rag.errors import SourceEmpty, SourceError, SourceNotFound, SourceTooLarge, SourceTooSlow, SourceUnsafe

PAGE = "<html><body><p>关于路灯改造的通知。</p></body></html>".encode()
LOCAL = ipaddress.ip_address("127.0.0.1")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path
        if path == "/slow":
            self.send_response(200)
            self.end_headers()
            with_contents = time.monotonic() + 5
            while time.monotonic() < with_contents:
                try:
                    self.wfile.write(b"x")
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(0.05)
            return
        if path.startswith("/to/"):
            self.send_response(302)
            self.send_header("location", path.removeprefix("/to/"))
            self.end_headers()
            return
        if path == "/loop":
            self.send_response(302)
            self.send_header("location", "/loop")
            self.end_headers()
            return
        if path == "/404":
            self.send_response(404)
            self.end_headers()
            return
        body, headers = PAGE, {"content-type": "text/html; charset=utf-8"}
        if path == "/empty":
            body = b""
        if path == "/large":
            body = b"x" * 200_000
        if path == "/bomb":
            body = gzip.compress(b"0" * 5_000_000)
            headers["content-encoding"] = "gzip"
        if path == "/host":
            body = (self.headers["host"] or "").encode()
            headers["content-type"] = "text/plain"
        if path == "/download?id=7":
            headers = {
                "content-type": "application/pdf",
                "content-disposition": 'attachment; filename="a.pdf"',
            }
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def get(port: int, path: str, *, seconds: float = 5, max_bytes: int = 100_000, sites: str = "") -> Fetched:
    return fetch(
        f"http://www.example.test:{port}{path}",
        allowed_sites(sites or f"www.example.test:{port}"),
        max_bytes=max_bytes,
        seconds=seconds,
        find=lambda host, _: [LOCAL] if host.endswith("example.test") else [],
        public=lambda _: True,
    )


def test_a_page_is_fetched_under_a_name_by_which_it_is_read(port: int) -> None:
    found = get(port, "/gov/notice/index.html")
    assert found.data == PAGE
    assert found.name.endswith(".html")
    assert "notice" in found.name
    assert get(port, "/gov/notice/index.html").name == found.name
    assert get(port, "/gov/other/index.html").name != found.name
    assert get(port, "/download?id=7").name.endswith(".pdf")
    assert get(port, "/download?id=7").name != get(port, "/download?id=8").name


def test_the_server_is_asked_by_the_name_of_the_host(port: int) -> None:
    assert get(port, "/host").data == f"www.example.test:{port}".encode()


def test_a_redirect_is_followed_within_the_allowed_sites_alone(port: int) -> None:
    assert get(port, f"/to/http://www.example.test:{port}/x").data == PAGE
    for target in (
        f"http://127.0.0.1:{port}/",
        f"http://localhost:{port}/",
        "http://other.test/",
        "file:///etc/passwd",
    ):
        with pytest.raises(SourceUnsafe):
            get(port, f"/to/{target}")


def test_a_redirect_to_an_inner_address_of_an_allowed_name_is_refused(port: int) -> None:
    names = {"www.example.test": LOCAL, "inner.example.test": ipaddress.ip_address("10.0.0.8")}
    asked: list[str] = []

    def find(host: str, _: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        asked.append(host)
        return [names[host]]

    with pytest.raises(SourceUnsafe, match="inner address"):
        fetch(
            f"http://www.example.test:{port}/to/http://inner.example.test:{port}/",
            (Site("example.test", below=True, port=port),),
            max_bytes=1000,
            seconds=5,
            find=find,
            public=lambda address: address == LOCAL,
        )
    assert asked == ["www.example.test", "inner.example.test"]


def test_a_name_is_looked_up_once_so_that_a_second_answer_cannot_lead_inside(port: int) -> None:
    answers = [[LOCAL], [ipaddress.ip_address("10.0.0.8")]]
    found = fetch(
        f"http://www.example.test:{port}/",
        allowed_sites(f"www.example.test:{port}"),
        max_bytes=1000,
        seconds=5,
        find=lambda *_: answers.pop(0),
        public=lambda address: address == LOCAL,
    )
    assert found.data == PAGE
    assert len(answers) == 1


def test_one_inner_address_among_several_is_enough_to_refuse(port: int) -> None:
    with pytest.raises(SourceUnsafe, match="inner address"):
        fetch(
            f"http://www.example.test:{port}/",
            allowed_sites(f"www.example.test:{port}"),
            max_bytes=1000,
            seconds=5,
            find=lambda *_: [LOCAL, ipaddress.ip_address("192.168.0.1")],
            public=lambda address: address == LOCAL,
        )


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/loop", SourceUnsafe),
        ("/404", SourceNotFound),
        ("/empty", SourceEmpty),
        ("/large", SourceTooLarge),
        ("/bomb", SourceTooLarge),
    ],
)
def test_what_cannot_be_had_says_why(port: int, path: str, error: type[SourceError]) -> None:
    with pytest.raises(error) as told:
        get(port, path)
    assert "example.test" in str(told.value)
    assert "example.test" in (told.value.chinese or "")


def test_an_endless_answer_is_ended(port: int) -> None:
    with pytest.raises(SourceTooSlow):
        get(port, "/slow", seconds=0.4)


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(SourceNotFound):
        get(1, "/")
    with pytest.raises(SourceNotFound, match="DNS"):
        fetch("http://www.a.test/", allowed_sites("www.a.test"), max_bytes=9, seconds=1, find=lambda *_: [])


@pytest.mark.parametrize(
    "url",
    [
        "ftp://www.example.test/",
        "file:///etc/passwd",
        "http://user:secret@www.example.test/",
        "http://www.example.test:22/",
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost/",
        "http://www.example.test.evil.test/",
        "http://evilexample.test/",
        "http://www.example.test\\@evil.test/",
        "http://www.example.test:99999/",
        "javascript:alert(1)",
        "",
        "http://",
        "http://www.example.test/" + "a" * 3000,
        "http://www.exa mple.test/",
    ],
)
def test_addresses_that_are_not_allowed_are_never_looked_up(url: str) -> None:
    def find(*_: object) -> list[ipaddress.IPv4Address]:
        raise AssertionError("looked up")

    with pytest.raises(SourceError):
        fetch(url, allowed_sites("*.example.test, www.example.test"), max_bytes=9, seconds=1, find=find)


def test_nothing_may_be_fetched_where_no_site_is_allowed() -> None:
    with pytest.raises(SourceUnsafe, match="WENZHENG_FETCH_ALLOW"):
        fetch("https://www.example.test/", (), max_bytes=9, seconds=1)


def test_sites_are_read_from_the_setting() -> None:
    assert allowed_sites("www.a.test， *.b.test;.c.test d.test:8080 127.0.0.1 x 市.test") == (
        Site("www.a.test"),
        Site("b.test", below=True),
        Site("c.test", below=True),
        Site("d.test", port=8080),
        Site("xn--7st.test"),
    )
    assert allowed_sites("") == ()
    (below,) = allowed_sites("*.b.test")
    assert below.allows("www.b.test", 443, 443)
    assert not below.allows("b.test", 443, 443)
    assert not below.allows("www.b.test", 8443, 443)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "fd00::1", "fe80::1", "ff02::1"),
        *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "2001:db8::1"),
    ],
)
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111"])
def test_addresses_of_the_open_internet_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4).filter(lambda address: not address.is_global))
def test_no_wrapping_makes_an_inner_address_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    wrapped = [
        ipaddress.IPv6Address(number),
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
    ]
    assert not any(is_public(one) for one in (address, *wrapped))
