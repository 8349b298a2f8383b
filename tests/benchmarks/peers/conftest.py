"""The benchmarks are no installed package: they are found from the project's folder."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = str(Path(__file__).parent.parent.parent.parent)
if _ROOT not in sys.path:
    sys.path.append(_ROOT)
