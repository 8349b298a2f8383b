"""``wenzheng eval``: runs benchmarks through the pipeline, compares two runs, and gates one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ui.feedback_command import eval_feedback
from ui.judge_command import eval_judge
from ui.options import EXIT_ERROR, AsJson, Home, Models, Overrides, console, report_language, settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from eval.metrics import Mean
    from eval.results import RunInfo

_RUNS, _CACHE = "runs", "cache"
_RUN, _COMMANDS = "run", ("run", "compare", "gate", "report", "judge", "feedback")


class _RunByDefault(TyperGroup):
    """``wenzheng eval drcd`` is ``wenzheng eval run drcd``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*_COMMANDS, "--help"):
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


eval_app = typer.Typer(
    cls=_RunByDefault,
    help="Measure: NAME|PATH runs a benchmark; compare A B; gate RUN; report RUN; judge RUN; feedback FOLDER.",
    no_args_is_help=True,
)
eval_app.command("judge")(eval_judge)
eval_app.command("feedback")(eval_feedback)
Benchmarks = Annotated[
    Path | None,
    typer.Option(
        "--benchmarks", help="Folder of benchmarks that can be called by name.", show_default="none"
    ),
]


@eval_app.command(_RUN)
def eval_run(
    benchmark: Annotated[
        str,
        typer.Argument(help="'samples', a file or folder, or a name under --benchmarks.", show_default=False),
    ],
    split: Annotated[str, typer.Option(help="Only cases of this split.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="So many cases, drawn at random.")] = None,
    seed: Annotated[int, typer.Option(help="Of the drawing, and of RGB's passages.")] = 0,
    only: Annotated[str, typer.Option(help="'retrieval' asks no chat model.")] = "",
    closed: Annotated[
        bool, typer.Option("--closed", help="Ask each question of the documents given to it, not of all.")
    ] = False,
    noise: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="RGB: share of passages without the answer.")
    ] = 0.0,
    correct: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="RGB's counterfactual part: share of passages that are right; the others that tell are falsified.",
        ),
    ] = 0.0,
    passages: Annotated[int, typer.Option(min=1, help="RGB: passages given to each question.")] = 5,
    part: Annotated[
        str | None, typer.Option(help="Part of a file that holds several, such as RGB's.")
    ] = None,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Ask the baseline: three passages, one prompt, nothing checked."),
    ] = False,
    parallel: Annotated[int, typer.Option(min=0, help="Questions at once; 0 for what suits the model.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the run; one that is there is gone on with."),
    ] = None,
    benchmarks: Benchmarks = None,
    as_json: AsJson = False,
    home: Home = None,
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Run a benchmark; ends with the table of its metrics and the path of its reports."""
    settings = settings_from(home, models, overrides)
    if only not in ("", "retrieval"):
        raise typer.BadParameter(f"{only!r} is not retrieval", param_hint="--only")
    from eval.benchmarks import find_benchmark, load_benchmark
    from eval.runner import Options, run
    from ui.terminal import phase_progress

    path = find_benchmark(benchmark, _roots(benchmarks))
    loaded = load_benchmark(
        path, split=split or None, noise=noise, passages=passages, correct=correct, part=part, seed=seed
    )
    options = Options(
        "closed" if closed else "open", limit, seed, split, only == "retrieval", parallel, plain
    )
    screen = console(stderr=True)
    work = settings.home / "eval"
    folder = output or work / _RUNS / _run_name(loaded.name, options)
    with phase_progress(screen) as tell:
        info, results = run(loaded, options, settings, work / _CACHE, folder, tell)
    from eval.reports import record, write_reports

    found = write_reports(folder, info, results, report_language(settings))
    if as_json:
        typer.echo(json.dumps(record(info, found), ensure_ascii=False, indent=2))
        return
    _show(console(), info, found)
    console().print(f"{folder / 'report.html'}", soft_wrap=True, highlight=False)


Run = Annotated[Path, typer.Argument(help="Folder of a run.", show_default=False)]
_Least = Annotated[
    list[str] | None,
    typer.Option("--min", metavar="METRIC=VALUE", help="At least; may be given several times."),
]
_Most = Annotated[
    list[str] | None,
    typer.Option("--max", metavar="METRIC=VALUE", help="At most; may be given several times."),
]


@eval_app.command("compare")
def eval_compare(
    first: Annotated[Path, typer.Argument(help="Folder of a run.", show_default=False)],
    second: Annotated[Path, typer.Argument(help="Folder of the run to hold against it.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the comparison to this file, .html or .md.")
    ] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Compare two runs case by case: paired bootstrap, wins and losses, and what that means in words."""
    if language not in ("en", "zh"):
        raise typer.BadParameter(f"{language!r} is neither en nor zh", param_hint="--language")
    from eval.reports import compared

    text = compared(first, second, "zh" if language == "zh" else "en", page=_is_page(output))
    if output is None:
        typer.echo(text)
        return
    output.write_text(text, encoding="utf-8", errors="replace")
    console().print(f"{output}", soft_wrap=True, highlight=False)


def _is_page(output: Path | None) -> bool:
    return output is not None and output.suffix.lower() in (".html", ".htm")


@eval_app.command("gate")
def eval_gate(run: Run, least: _Least = None, most: _Most = None) -> None:
    """Hold a run against bounds; ends with 1 when one is missed. For continuous integration."""
    from eval.gating import check, parse_gates
    from eval.metrics import METRICS
    from eval.reports import means
    from eval.storage import load_run
    from rag.errors import SettingsError

    gates = [*parse_gates(least or [], ">="), *parse_gates(most or [], "<=")]
    if not gates:
        raise SettingsError(
            "There is nothing to hold the run against.", 'Give --min "recall@5=0.9" or --max.'
        )
    _, results = load_run(run)
    verdicts = check(gates, means(results), METRICS)
    for verdict in verdicts:
        typer.echo(verdict.message)
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(EXIT_ERROR)


@eval_app.command("report")
def eval_report(
    run: Run,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Write the reports of a run anew, whether it came to its end or not."""
    if language not in ("en", "zh"):
        raise typer.BadParameter(f"{language!r} is neither en nor zh", param_hint="--language")
    from eval.reports import write_reports
    from eval.storage import load_run

    info, results = load_run(run)
    found = write_reports(run, info, results, "zh" if language == "zh" else "en")
    _show(console(), info, found)
    console().print(f"{run / 'report.html'}", soft_wrap=True, highlight=False)


def _roots(benchmarks: Path | None) -> list[Path]:
    return [benchmarks] if benchmarks is not None else []


def _run_name(benchmark: str, options: Any) -> str:
    import time

    parts = [time.strftime("%Y%m%d-%H%M%S"), benchmark, options.mode]
    return "-".join([*parts, "retrieval"] if options.only_retrieval else parts).replace("/", "_")


def _show(screen: Console, info: RunInfo, summary: Mapping[str, Mean]) -> None:
    from rich.table import Table

    title = f"{info.benchmark}, {info.mode}, {info.documents:,} documents, {info.cases:,} of {info.cases_of:,} cases"
    table = Table("Metric", "Value", "95 % interval", "n", title=title, title_justify="left")
    for name, mean in summary.items():
        table.add_row(name, f"{mean.value:.3f}", f"{mean.low:.3f} – {mean.high:.3f}", str(mean.n))
    screen.print(table)
