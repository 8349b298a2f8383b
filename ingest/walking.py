"""What a run looks at: the files under the given paths. Archives among them are walked by `ingest.preparing`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Found:
    """A file met on the disk, and whether it was named itself rather than met in a folder."""

    path: Path
    named: bool
    leads_out: bool = False
    """A link out of the folder that was given: told, not followed."""


def walk(paths: Sequence[Path], home: Path | None = None) -> Iterator[Found]:
    """Every file once, sorted within its folder. Hidden files and office programs' lock files are left out.

    :param home: the library's own folder, which is left out too where it lies in a folder that is walked
    """
    seen: set[Path] = set()
    own = home.resolve() if home is not None else None
    for path in paths:
        folder = path.is_dir()
        root = path.resolve()
        for file in sorted(path.rglob("*")) if folder else [path]:
            if folder and any(_is_hidden(part) for part in file.relative_to(path).parts):
                continue
            if not file.is_file() or file.absolute() in seen:
                continue
            if folder and own is not None and own != root and file.absolute().is_relative_to(own):
                continue
            seen.add(file.absolute())
            leads_out = folder and not file.resolve().is_relative_to(root)
            yield Found(file, not folder, leads_out)


def _is_hidden(name: str) -> bool:
    # "~$通知.docx" is what Word keeps beside a file that is open.
    return name.startswith((".", "~$")) or name in ("Thumbs.db", "desktop.ini", "__MACOSX")
