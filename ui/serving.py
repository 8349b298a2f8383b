"""``wenzheng serve``: opens the pipeline for writing, takes in what was named, serves the page until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rag.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console


def serve(settings: Settings, take_in: list[Path], console: Console) -> None:
    """Serve the chat page until interrupted.

    :raises WenzhengError: when a part cannot be opened or the port is taken
    """
    # A service is ended by a signal as often as by Ctrl-C: both close the library and end the model.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Importing the page takes seconds of its own: it happens while the embedding model is being loaded.
    page_import = threading.Thread(target=_import_page, name="import-page")
    page_import.start()
    from ingest.sync import sync
    from rag.pipeline import open_pipeline
    from ui.terminal import show_report, sync_progress, weights_progress

    try:
        with weights_progress(console) as show:
            pipeline = open_pipeline(settings, writable=True, progress=show)
    finally:
        page_import.join()
    with pipeline:
        if take_in:
            with sync_progress(console) as show_sync:
                report = sync(take_in, pipeline.library, settings, show_sync)
            show_report(console, report)
        from ui.app import build_app, launch

        app = build_app(pipeline, settings, pipeline.library)
        launch(app, settings, block=False)
        console.print(
            f"Wenzheng 问政: http://{settings.host}:{settings.port}   (Ctrl-C ends it)", highlight=False
        )
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            console.print("Stopped.")
        finally:
            app.close(verbose=False)


def _import_page() -> None:
    import ui.app  # noqa: F401 - imported for its side effect of being imported
