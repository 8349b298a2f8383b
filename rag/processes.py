"""Child processes that live no longer than the process that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys


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
