"""What the commands share: options, exit codes, settings, and errors told in one clear message."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from rag.embedding import Embedder
    from rag.settings import Settings

EXIT_ERROR, EXIT_USAGE, EXIT_REFUSED, EXIT_INTERRUPTED = 1, 2, 3, 130

Home = Annotated[
    Path | None, typer.Option(help="Folder of the library.", show_default="the platform's data folder")
]
Models = Annotated[
    Path | None, typer.Option(help="Folder of the model files.", show_default="shared data folder")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting; may be given several times."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def explained() -> Iterator[None]:
    """Errors become one clear message at the edge, with an exit code."""
    from rag.errors import WenzhengError

    try:
        yield
    except WenzhengError as error:
        if error.chinese and _terminal_language() == "zh":
            sys.stderr.write(f"错误：{error.chinese}\n")
        else:
            sys.stderr.write(f"Error: {error.what}\n")
            if error.fix:
                sys.stderr.write(f"       {error.fix}\n")
        raise SystemExit(EXIT_ERROR) from None
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; what was done so far is kept.\n")
        raise SystemExit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of our output has gone, as in `wenzheng ... | head`.
        sys.stderr.close()
        raise SystemExit(EXIT_ERROR) from None


def settings_from(
    home: Path | None, models: Path | None, overrides: list[str] | None, **flags: Any
) -> Settings:
    """The settings of a command, from its options, the environment and the library's file.

    :raises SettingsError: on an unknown key or a value that does not fit
    """
    from rag.settings import load_settings

    for override in overrides or []:
        key, equals, value = override.partition("=")
        if not equals:
            raise typer.BadParameter(f"{override!r} is not of the form KEY=VALUE", param_hint="--set")
        flags[key.strip()] = value.strip()
    return load_settings({**flags, "home": home, "models": models})


def open_embedder(settings: Settings, screen: Console) -> Embedder:
    """The embedding model, with a bar where it has to be made ready first."""
    from rag import embedding
    from ui.terminal import weights_progress

    with weights_progress(screen) as show:
        return embedding.open_embedder(settings, show)


def console(*, stderr: bool = False) -> Console:
    """Where a command prints."""
    from rich.console import Console

    return Console(stderr=stderr)


def report_language(settings: Settings) -> Literal["en", "zh"]:
    """The language of reports: the setting, else that of the terminal."""
    return _terminal_language() if settings.language == "auto" else settings.language


def _terminal_language() -> Literal["en", "zh"]:
    spoken = next((os.environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(key)), "")
    return "zh" if spoken.startswith("zh") else "en"
