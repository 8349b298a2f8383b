"""Why a source does not give a file."""

from __future__ import annotations


class SourceError(Exception):
    """One source does not give the file; the message is the reason, for the user."""


def named(error: BaseException) -> str:
    """An error in a message for the user: its kind and what it says."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
