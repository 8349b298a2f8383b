"""Fetches one address for the library: from sites that were allowed, never from an inner address, within limits.

A service that fetches what a visitor names can be made to ask its own network (OWASP, Server-Side Request Forgery
Prevention). So the host must be on a list; its name is looked up once, every address found must be public, and the
connection goes to an address that was checked, while the certificate is still checked against the name.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from ingest.loading import KINDS, is_supported, suffix_of
from ingest.messages import fault
from ingest.uploads import safe_name

if TYPE_CHECKING:
    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL = 2000
"""Characters of an address."""
_REDIRECTS = 5
_NAME_BYTES = 120
_GRACE = 2.0
_AGENT = "Wenzheng"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address gave: where it was in the end, a file name by whose ending it can be read, its bytes."""

    url: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Site:
    """Whence may be fetched: a host, or all below it where ``below`` is set; a port of its own, or the usual ones."""

    host: str
    below: bool = False
    port: int | None = None

    def allows(self, host: str, port: int, usual: int) -> bool:
        """Whether a host and port are this site's."""
        named = host.endswith(f".{self.host}") if self.below else host == self.host
        return named and port == (self.port or usual)


def allowed_sites(text: str) -> tuple[Site, ...]:
    """The sites of a setting: host names parted by commas or spaces, "*.example.gov.cn" for all below one, ":8080" for a port.

    What is no host name is left out.
    """
    sites: list[Site] = []
    for part in re.split(r"[,;，；\s]+", text):
        name, _, port = part.partition(":")
        below = name.startswith(("*.", "."))
        host = _ascii_host(name.lstrip("*").lstrip("."))
        if host and (not port or port.isdecimal()):
            sites.append(Site(host, below, int(port) if port else None))
    return tuple(dict.fromkeys(sites))


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, and so are all that are wrapped in it."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped: list[ipaddress.IPv4Address | None] = [address.ipv4_mapped, address.sixtofour]
        if address.teredo:
            wrapped += address.teredo
        if address in _NAT64 or int(address) < 2**32:
            wrapped.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(inner is not None and not is_public(inner) for inner in wrapped):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a host's name, in the order of the system's preference.

    :raises OSError: it has none
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    # A zone ("%eth0") belongs to inner addresses alone, which are refused for what stands before it.
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


def fetch(
    url: str,
    sites: Sequence[Site],
    *,
    max_bytes: int,
    seconds: float,
    find: Callable[[str, int], Iterable[Address]] = resolve,
    public: Callable[[Address], bool] = is_public,
) -> Fetched:
    """Fetch an address, following redirects within the allowed sites.

    :param sites: where may be fetched from; none for nowhere
    :param max_bytes: of what it gives, unpacked
    :param seconds: for all of it
    :param find: looks a name up
    :param public: whether an address may be connected to
    :raises SourceError: with the reason, when it is not allowed or cannot be had
    """
    outcome: list[Fetched | Exception] = []

    def work() -> None:
        try:
            outcome.append(_fetched(url, sites, max_bytes, seconds, find, public))
        except Exception as error:  # noqa: BLE001 - carried over to the thread that asked
            outcome.append(error)

    # A server that sends a byte now and then keeps within every limit but this one: it is left alone then.
    worker = threading.Thread(target=work, name="fetch", daemon=True)
    worker.start()
    worker.join(seconds + _GRACE)
    if not outcome:
        raise fault("fetch_slow", url[:200])
    found = outcome[0]
    if isinstance(found, Exception):
        raise found
    return found


def _fetched(
    url: str,
    sites: Sequence[Site],
    max_bytes: int,
    seconds: float,
    find: Callable[[str, int], Iterable[Address]],
    public: Callable[[Address], bool],
) -> Fetched:
    import httpx

    end = time.monotonic() + seconds
    shown = url[:200]
    # Neither proxies nor passwords of the environment: the address that was checked is the one that is asked.
    with httpx.Client(trust_env=False, follow_redirects=False, http2=False) as client:
        for _ in range(_REDIRECTS + 1):
            parts, host, port = _checked(url, sites)
            address = _public_address(host, port, shown, find, public)
            request = _request(client, parts, host, port, address, max(0.1, end - time.monotonic()))
            try:
                response = client.send(request, stream=True)
                try:
                    location = response.headers.get("location", "")
                    if response.is_redirect and location:
                        url = _redirected(url, location)
                        continue
                    if response.status_code != httpx.codes.OK:
                        raise fault("fetch_status", shown, status=response.status_code)
                    data = _body(response, shown, max_bytes, end)
                    if not data:
                        raise fault("empty", shown)
                    return Fetched(url, _file_name(url, response.headers), data)
                finally:
                    response.close()
            except httpx.TimeoutException as error:
                raise fault("fetch_slow", shown) from error
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                raise fault("fetch_unreachable", shown, detail=type(error).__name__) from error
    raise fault("fetch_redirects", shown, limit=_REDIRECTS)


def _checked(url: str, sites: Sequence[Site]) -> tuple[SplitResult, str, int]:
    """The parts of an address that may be asked, its host in ASCII, its port."""
    shown = url[:200]
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise fault("fetch_address", shown) from error
    if (
        len(url) > MAX_URL
        or parts.scheme not in _PORTS
        or not parts.hostname
        or parts.username is not None
        or parts.password is not None
        or any(not char.isprintable() or char.isspace() or char == "\\" for char in url.strip())
    ):
        raise fault("fetch_address", shown)
    usual = _PORTS[parts.scheme]
    host, port = _ascii_host(parts.hostname), port or usual
    # Numbers in any notation are no host names, so that no address can be named in place of a site.
    if not host or not any(site.allows(host, port, usual) for site in sites):
        raise fault("fetch_forbidden", shown, host=parts.hostname[:100])
    return parts, host, port


def _ascii_host(name: str) -> str:
    """A host's name in lower-case ASCII without its last dot; empty where it is none, or an address in numbers."""
    try:
        host = name.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    last = host.rpartition(".")[2]
    numeric = re.fullmatch(r"\d+|0x[0-9a-f]*", last) is not None
    return host if _HOST.fullmatch(host) and not numeric and len(host) <= 253 else ""


def _public_address(
    host: str,
    port: int,
    shown: str,
    find: Callable[[str, int], Iterable[Address]],
    public: Callable[[Address], bool],
) -> Address:
    try:
        found = list(find(host, port))
    except OSError as error:
        raise fault("fetch_unreachable", shown, detail="DNS") from error
    if not found:
        raise fault("fetch_unreachable", shown, detail="DNS")
    # One inner address among them is enough: nobody can say which of them would be asked.
    if not all(public(address) for address in found):
        raise fault("fetch_inner", shown, host=host)
    return found[0]


def _request(
    client: httpx.Client, parts: SplitResult, host: str, port: int, address: Address, seconds: float
) -> httpx.Request:
    """A request to a checked address that names the host: in its header, and to TLS, which checks the certificate by it."""
    literal = f"[{address}]" if address.version == 6 else str(address)
    query = f"?{parts.query}" if parts.query else ""
    named = host if port == _PORTS[parts.scheme] else f"{host}:{port}"
    return client.build_request(
        "GET",
        f"{parts.scheme}://{literal}:{port}{parts.path or '/'}{query}",
        headers={
            "host": named,
            "user-agent": _AGENT,
            "accept": "*/*",
            # No other packing: what it unpacks to is bounded while it is read.
            "accept-encoding": "gzip, identity",
        },
        extensions={"sni_hostname": host},
        timeout=seconds,
    )


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location[: MAX_URL + 1])
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        raise fault("fetch_address", target[:200])
    return target


def _body(response: httpx.Response, shown: str, max_bytes: int, end: float) -> bytes:
    too_large = fault("too_large", shown, size=f"> {max_bytes // 10**6}", limit=max_bytes // 10**6)
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise too_large
    data = bytearray()
    for part in response.iter_bytes(65536):
        data.extend(part)
        if len(data) > max_bytes:
            raise too_large
        if time.monotonic() > end:
            raise fault("fetch_slow", shown)
    return bytes(data)


def _file_name(url: str, headers: httpx.Headers) -> str:
    """A name that is the same whenever this address is fetched, so that it is a new version, and no other's."""
    parts = urlsplit(url)
    message = Message()
    message["content-type"] = headers.get("content-type", "")
    message["content-disposition"] = headers.get("content-disposition", "")
    given = str(message.get_filename() or "")
    path = unquote(parts.path, errors="replace").strip("/")
    place = "_".join(part for part in (parts.hostname or "", *path.split("/"), parts.query) if part)
    if is_supported(place) and not parts.query:
        suffix = suffix_of(place)
        place = place[: -len(suffix)]
    else:
        suffix = suffix_of(given) if is_supported(given) else _suffix(message.get_content_type()) or ".html"
    stem = safe_name(place.replace(".", "-") if place else "page")
    if stem != place or len(stem.encode()) > _NAME_BYTES:
        # Shortened or altered it might be another address's, too.
        digest = hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:8]
        stem = f"{stem.encode()[:_NAME_BYTES].decode('utf-8', 'ignore')}-{digest}"
    return safe_name(f"{stem}{suffix}")


def _suffix(media_type: str) -> str:
    """The ending of files of a media type that are read; empty for others."""
    if media_type in ("text/html", "application/xhtml+xml"):
        return ".html"
    return next((suffix for suffix, kind in KINDS.items() if kind.media_type == media_type), "")
