"""What the command lines of this folder share."""

from __future__ import annotations

import argparse


def at_least_one(text: str) -> int:
    """A number of questions, as argparse takes a type.

    :raises argparse.ArgumentTypeError: it is less than one
    """
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least one question must be asked")
    return value
