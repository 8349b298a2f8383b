"""GBK byte by byte: the characters that bytes make, and those that a lost byte leaves possible."""

from __future__ import annotations

import functools

ANY_LEAD = -1
LEAD_AFTER_ZONE_12 = -2
LEAD_AFTER_ZONE_3 = -3
UNASSIGNED = -1000
UNASSIGNED_LEADS = (0x80, 0xA2, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xD7)


@functools.lru_cache(maxsize=32768)
def pair(char: str) -> tuple[int, int] | None:
    """The two GBK bytes of a character; None when it has none. GB18030 also knows the user-defined zones."""
    try:
        code = char.encode("gb18030")
    except UnicodeEncodeError:
        return None
    return (code[0], code[1]) if len(code) == 2 else None


@functools.lru_cache(maxsize=4096)
def pairs(shown: str) -> tuple[tuple[int, int], ...]:
    """The pairs that may be shown as this character: half-width signs were full-width."""
    if shown == " ":
        return ((0xA1, 0xA1),)
    if "!" <= shown <= "~":
        return ((0xA3, ord(shown) + 0x80),)
    code = pair(shown)
    return (code,) if code is not None else ()


@functools.cache
def characters() -> dict[tuple[int, int], str]:
    """Every pair of bytes that is a character, with it; the user-defined zones have none."""
    table: dict[tuple[int, int], str] = {}
    for lead in range(0x81, 0xFF):
        for trail in (*range(0x40, 0x7F), *range(0x80, 0xFF)):
            if _is_user_defined(lead, trail):
                continue
            try:
                char = bytes((lead, trail)).decode("gbk")
            except UnicodeDecodeError:
                continue
            table[lead, trail] = char
    return table


def _is_user_defined(lead: int, trail: int) -> bool:
    if trail >= 0xA1:
        return 0xAA <= lead <= 0xAF or lead >= 0xF8
    return 0xA1 <= lead <= 0xA7


@functools.cache
def _leads(pending: int) -> tuple[int, ...]:
    """What a pending first byte can be: itself, or a set for one that was lost."""
    if pending == ANY_LEAD:
        return tuple(range(0x81, 0xFF))
    if pending == LEAD_AFTER_ZONE_12:
        return tuple(range(0xA1, 0xFF))
    if pending == LEAD_AFTER_ZONE_3:
        return tuple(range(0x81, 0xA1))
    if pending <= UNASSIGNED:
        table = characters()
        lead = UNASSIGNED - pending
        return tuple(
            trail
            for trail in range(0x81, 0xFF)
            if (lead, trail) not in table and not _is_user_defined(lead, trail)
        )
    return (pending,)


@functools.cache
def originals_of(pending: int, trail: int) -> tuple[str, ...]:
    """The characters with that second byte and a possible first byte."""
    table = characters()
    return tuple(char for lead in _leads(pending) if (char := table.get((lead, trail))) is not None)


@functools.cache
def by_trail(pending: int) -> tuple[str, ...]:
    """The characters with a possible first byte whose second byte, not an ASCII-range one, was lost."""
    table = characters()
    return tuple(
        char
        for lead in _leads(pending)
        for trail in range(0x80, 0xFF)
        if (char := table.get((lead, trail))) is not None
    )


ZONES = (
    *((trail, LEAD_AFTER_ZONE_12) for trail in (*range(0xAA, 0xB0), *range(0xF8, 0xFF))),
    *((trail, LEAD_AFTER_ZONE_3) for trail in range(0xA1, 0xA8)),
)
"""For a pair that vanished: its first byte, the second byte of one character, and what its second can be."""
