"""``wenzheng eval judge``: has a chat model judge the answers of a run, and measures that judge itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.options import AsJson, Home, Models, Overrides, console, report_language, settings_from

if TYPE_CHECKING:
    from rich.console import Console

    from eval.judging.running import Judging
    from rag.model import ChatModel
    from rag.settings import Settings

EMBEDDED = ("default", "small")
"""Names that mean the embedded model where no address is given."""
AT_ONCE = 4
"""Questions asked at once of an endpoint elsewhere."""
_CACHE = "judges.json"


def eval_judge(
    run: Annotated[Path, typer.Argument(help="Folder of a run.", show_default=False)],
    model: Annotated[
        str, typer.Option(help="The judge: its name at --base-url, or 'default' or 'small' on this machine.")
    ] = "default",
    base_url: Annotated[
        str | None,
        typer.Option(
            help="OpenAI-compatible endpoint, such as http://localhost:11434/v1.", show_default="none"
        ),
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Environment variable that holds its key.", show_default="none"),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Judge at most so many cases now.")] = None,
    parallel: Annotated[int, typer.Option(min=0, help="Questions at once; 0 for what suits the model.")] = 0,
    as_json: AsJson = False,
    home: Home = None,
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Have a chat model judge a run's answers: faithful to the passages, and the same as the reference?

    The judge is first measured against labelled items; the reports say its agreement beside its figures. Verdicts that
    are there already are kept. An endpoint gets the questions, answers, passages and references of the run.
    """
    settings = settings_from(home, models, overrides)
    from eval.judging import judge_run, load_labelled
    from eval.reports import record, write_reports
    from eval.storage import RunFolder
    from ui.terminal import phase_progress

    RunFolder(run).info()  # a folder that holds no run is told before a model is loaded
    judge = open_judge(settings, model, base_url, api_key_env)
    try:
        with phase_progress(console(stderr=True)) as tell:
            judging = judge_run(
                run,
                judge,
                load_labelled(),
                cache=settings.home / "eval" / _CACHE,
                place=base_url or "",
                limit=limit,
                workers=parallel or (AT_ONCE if base_url else 1),
                tell=tell,
            )
    finally:
        judge.close()
    language = report_language(settings)
    found = write_reports(run, judging.info, judging.results, language)
    if as_json:
        typer.echo(json.dumps(record(judging.info, found), ensure_ascii=False, indent=2))
        return
    _show(console(), judging)
    console().print(f"{run / 'report.html'}", soft_wrap=True, highlight=False)


def open_judge(settings: Settings, model: str, base_url: str | None, api_key_env: str | None) -> ChatModel:
    """The model that judges: one at an address, or the embedded one, whatever chat model the settings name.

    :raises SettingsError: when the name needs an address, or the variable of the key is not set
    :raises WeightsError: when the embedded model's file is not on this machine
    """
    from rag.errors import SettingsError
    from rag.model import HostedChatModel, open_model

    if base_url is None:
        if api_key_env is not None:
            raise SettingsError("A key is of no use without an address.", "Give --base-url as well.")
        if model not in EMBEDDED:
            raise SettingsError(
                f"The judge {model!r} is not a model of this machine.",
                "Give the address of its API with --base-url, or take --model default or small.",
            )
        return open_model(settings.model_copy(update={"chat_model": model, "chat_base_url": None}))
    key = None
    if api_key_env is not None:
        key = os.environ.get(api_key_env)
        if not key:
            raise SettingsError(
                f"The environment variable {api_key_env} is not set, or empty.",
                "Set it to the key of the judge's endpoint.",
            )
    return HostedChatModel(model, base_url, key, timeout=settings.chat_timeout)


def _show(screen: Console, judging: Judging) -> None:
    from rich.table import Table
    from rich.text import Text

    from eval.metrics import summary
    from eval.metrics.judged import NAMES
    from eval.reporting.facts import judge_beside

    table = Table("Metric", "Value", "95 % interval", "n", "Agreement of the judge with people")
    beside = judge_beside(judging.info, "en")
    for name, mean in summary(judging.results).items():
        if name in NAMES:
            span = f"{mean.low:.3f} – {mean.high:.3f}"
            table.add_row(name, f"{mean.value:.3f}", span, str(mean.n), Text(beside.get(name, "")))
    screen.print(table)
    told = f"{judging.judged:,} judged now, {judging.kept:,} before, {judging.left:,} not yet."
    screen.print(told, highlight=False)
    if judging.failed:
        case, error = judging.failed[-1]
        told = f"No verdict on {len(judging.failed):,} of these; the last, {case}: {error}"
        screen.print(Text(told, style="yellow"))
