"""The errors that a user may see, all under one root.

    WenzhengError
    ├── SettingsError            a setting is unknown, malformed or contradicts another
    ├── QuestionError            the question is empty or too long
    ├── SourceError              a file or folder cannot be taken in
    │   ├── SourceNotFound       it is not there
    │   ├── SourceEmpty          it holds no text
    │   ├── SourceTooLarge       it is over the size limit
    │   ├── SourceUnsupported    no loader for its kind, or its content is not what its name says
    │   ├── SourceUndecodable    its character encoding cannot be established
    │   ├── SourceEncrypted      it is protected by a password
    │   ├── SourceDamaged        it is damaged or incomplete
    │   ├── SourceUnsafe         it could do harm: a bomb, macros, a way out of its archive
    │   ├── SourceChanged        it was changed while it was read
    │   └── SourceTooSlow        reading it took too long
    ├── WeightsError             a model file is missing, altered or cannot be had
    ├── LibraryError             the library cannot be opened or written
    │   ├── LibraryLocked        another process writes it
    │   ├── LibraryMismatch      it was built with another embedding model, metric, chunking or folding
    │   ├── LibraryDamaged       a store is missing or unreadable
    │   └── StorageFull          no space is left on the disk
    └── ModelError               the chat model gave no answer
        ├── ModelLoading         it is not ready yet
        ├── EndpointUnreachable  nothing answers at its address
        ├── EndpointRefused      it answered with an error
        └── AnswerInterrupted    it stopped in mid-answer

Each says what went wrong, on what, and what to do next. Errors of third-party libraries are translated in the
one module that imports the library, and keep the original as ``__cause__``.
"""

from __future__ import annotations


class WenzhengError(Exception):
    """Root of all errors that are meant for a user.

    ``what`` is one sentence that names the fault and its object; ``fix`` one sentence that says what to do next;
    ``chinese`` both in Chinese, empty where there is no translation.
    """

    def __init__(self, what: str, fix: str = "", *, chinese: str = "") -> None:
        super().__init__(what, fix)
        self.what = what
        self.fix = fix
        self.chinese = chinese

    def __str__(self) -> str:
        return f"{self.what} {self.fix}".strip()

    @property
    def code(self) -> str:
        """The error's stable name, for machine-readable output and translated headings."""
        return type(self).__name__


class SettingsError(WenzhengError):
    """A setting is unknown, malformed or contradicts another."""


class QuestionError(WenzhengError):
    """The question is empty or too long."""


class SourceError(WenzhengError):
    """A file or folder cannot be taken in."""


class SourceNotFound(SourceError):
    """The path does not exist or cannot be read."""


class SourceEmpty(SourceError):
    """The file holds no text."""


class SourceTooLarge(SourceError):
    """The file is over the size limit."""


class SourceUnsupported(SourceError):
    """No loader takes this kind of file, or its content is not what its name says."""


class SourceUndecodable(SourceError):
    """The character encoding cannot be established."""


class SourceEncrypted(SourceError):
    """The file is protected by a password."""


class SourceDamaged(SourceError):
    """The file is damaged or incomplete."""


class SourceUnsafe(SourceError):
    """The file could do harm: it is a bomb, holds macros, or leads out of its archive."""


class SourceChanged(SourceError):
    """The file was changed while it was read."""


class SourceTooSlow(SourceError):
    """Reading the file took too long."""


class WeightsError(WenzhengError):
    """A model file is missing, altered or cannot be had."""


class LibraryError(WenzhengError):
    """The library cannot be opened or written."""


class LibraryLocked(LibraryError):
    """Another process is writing the library."""


class LibraryMismatch(LibraryError):
    """The library was built with other settings than it is being opened with."""


class LibraryDamaged(LibraryError):
    """A store of the library is missing or unreadable."""


class StorageFull(LibraryError):
    """No space is left on the disk."""


class ModelError(WenzhengError):
    """The chat model gave no answer."""


class ModelLoading(ModelError):
    """The chat model is not ready yet."""


class EndpointUnreachable(ModelError):
    """Nothing answers at the chat model's address."""


class EndpointRefused(ModelError):
    """The chat model's endpoint answered with an error; ``status`` is the HTTP code, None where it gave none."""

    def __init__(self, what: str, fix: str = "", status: int | None = None) -> None:
        super().__init__(what, fix)
        self.status = status

    @property
    def for_all(self) -> bool:
        """Whether it would refuse any request now: for the key, the address, the quota or its own fault."""
        return self.status is not None and (self.status in (401, 402, 403, 404, 429) or self.status >= 500)


class AnswerInterrupted(ModelError):
    """The chat model stopped in mid-answer; ``partial`` is what it had said."""

    def __init__(self, what: str, fix: str = "", partial: str = "") -> None:
        super().__init__(what, fix)
        self.partial = partial
