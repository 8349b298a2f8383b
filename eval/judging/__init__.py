"""A chat model as judge of answers: is an answer faithful to its passages, and does it say what the reference says?

Off unless asked for. A judge is itself measured first, against items that people have labelled, and its figures are to
be read beside that agreement: a judge that agrees with people no better than chance says nothing.
"""

from __future__ import annotations

from eval.judging.agreement import agreement
from eval.judging.labelled import LabelledItem, load_labelled
from eval.judging.running import judge_run
from eval.judging.verdicts import judge

__all__ = ["LabelledItem", "agreement", "judge", "judge_run", "load_labelled"]
