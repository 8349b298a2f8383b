"""Child processes that live no longer than the process that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent's starting thread ends, however it ends (Linux; else nothing).

    :param parent: the parent's process number as it told it; 0 when unknown
    """
    if sys.platform != "linux":
        return
    import ctypes

    pr_set_pdeathsig = 1
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    if parent and os.getppid() != parent:
        os._exit(0)  # it died before the request was in force


@contextlib.contextmanager
def blank_memory() -> Iterator[None]:
    """Have fresh memory filled with a pattern meanwhile (glibc; else nothing).

    Chroma writes its graph's spare room as it got it from the allocator: with what this process had there before.
    """
    set_option = None
    if sys.platform == "linux":
        import ctypes

        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    m_perturb, pattern = -6, 0xA5
    if set_option is not None:
        set_option(m_perturb, pattern)
    try:
        yield
    finally:
        if set_option is not None:
            set_option(m_perturb, 0)
