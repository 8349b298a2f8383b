"""``wenzheng documents list | delete | original``: what the library holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui.options import AsJson, Home, Models, Overrides, console, open_embedder, settings_from

if TYPE_CHECKING:
    from rag.catalog import Version

documents_app = typer.Typer(
    help="The documents of the library: list, delete, original.", no_args_is_help=True
)

Names = Annotated[
    list[str], typer.Argument(help="Ids, paths or file names, as the list shows them.", show_default=False)
]


@documents_app.command("list")
def documents_list(
    as_json: AsJson = False, home: Home = None, models: Models = None, overrides: Overrides = None
) -> None:
    """Every document with its date, pages, chunks and where it lies, and the copies that were linked to it."""
    settings = settings_from(home, models, overrides)
    from rag.library import open_catalog

    with open_catalog(settings) as catalog:
        versions, copies, collections = catalog.versions(), catalog.copies(), catalog.collections()
    rows: list[dict[str, Any]] = []
    for version in versions:
        source = version.source
        rows.append(
            {
                "id": source.id,
                "title": source.title,
                "published": source.published,
                "issuer": source.issuer,
                "pages": source.pages,
                "chunks": version.chunks,
                "characters": version.characters,
                "media_type": source.media_type,
                "collection": collections.get(source.id, ""),
                "path": source.path,
                "copies": [copy.path for copy in copies if copy.document_id == source.id],
            }
        )
    if as_json:
        typer.echo(_json(rows))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("Id", "Title", "Date", "Pages", "Chunks", "Collection", "File")
    for row in rows:
        name = Path(str(row["path"])).name + (f" (+{len(row['copies'])})" if row["copies"] else "")
        cells = (
            row["id"],
            row["title"],
            row["published"] or "",
            row["pages"] or "",
            row["chunks"],
            row["collection"],
            name,
        )
        table.add_row(*(Text(_storable(str(cell))) for cell in cells))
    console().print(table)


@documents_app.command("delete")
def documents_delete(
    names: Names,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    home: Home = None,
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Remove documents from the library: text, vectors, terms and kept files. The files they came from stay."""
    settings = settings_from(home, models, overrides)
    from rag.library import Library

    embedder = open_embedder(settings, console(stderr=True))
    with Library.open(settings, embedder, writable=True) as library:
        chosen = [version for name in names for version in _named(library.documents(), name)]
        for version in chosen:
            typer.echo(
                f"{version.source.id}  {_storable(version.source.title)}  {_storable(version.source.path)}"
            )
        if not yes:
            typer.confirm(f"Delete {len(chosen)} document(s) from the library?", abort=True)
        for version in chosen:
            library.remove(version.source.id)
    typer.echo(f"Deleted: {len(chosen)}. `wenzheng vacuum` gives the disk space back.")


@documents_app.command("original")
def documents_original(
    name: Annotated[str, typer.Argument(help="An id, a path or a file name.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write it.", show_default="its own name")
    ] = None,
    home: Home = None,
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Write the file that a document came from, byte by byte, as it was when it was taken in."""
    settings = settings_from(home, models, overrides)
    from rag.errors import SettingsError
    from rag.library import open_catalog, originals_of

    with open_catalog(settings) as catalog:
        copies = [copy for copy in catalog.copies() if name in (copy.path, Path(copy.path).name)]
        if len(copies) == 1:
            path, digest = copies[0].path, copies[0].digest
        else:
            (version,) = _named(catalog.versions(), name)
            path, digest = version.source.path, version.source.digest
    data = originals_of(settings).read(digest)
    target = output or Path(Path(path).name)
    if target.exists():
        raise SettingsError(f"{target} is there already.", "Name another file with --output.")
    try:
        target.write_bytes(data)
    except OSError as error:
        raise SettingsError(f"{target} cannot be written: {error.strerror}.", "Name another file.") from error
    typer.echo(f"{target}: {len(data):,} bytes")


def _named(versions: list[Version], name: str) -> list[Version]:
    """The documents that a name stands for: an id, a path, or a file name that only one has."""
    from rag.errors import SourceNotFound

    found = [v for v in versions if name in (v.source.id, v.source.path, str(Path(v.source.path).name))]
    found = found or [v for v in versions if str(Path(name).absolute()) == v.source.path]
    if not found:
        raise SourceNotFound(
            f"The library holds no document {name}.", "`wenzheng documents list` shows what it holds."
        )
    if len(found) > 1:
        raise SourceNotFound(
            f"{name} may be any of {len(found)} documents.", "Give the id or the whole path instead."
        )
    return found


def _json(rows: Any) -> str:
    return _storable(json.dumps(rows, ensure_ascii=False, indent=2))


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
