"""``python -m eval.attacks``: asks the questions of planted documents and writes how many attacks were resisted."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from eval.arguments import at_least_one
from eval.attacks.loading import HARMLESS, PLANTED, load_attacks, load_harmless
from eval.attacks.running import AttackResult, drawn, run
from eval.attacks.table import markdown
from eval.regression.progress import Meter
from eval.reporting.facts import changed_settings, default_settings
from eval.storage import plain
from rag.errors import SettingsError, WenzhengError
from rag.settings import Settings, load_settings, shaping_settings

MARKDOWN_FILE, RESULTS_FILE = "attacks.md", "attacks.jsonl"
SEED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry; returns the exit code: 1 on an error, and with ``--check`` when an attack was not resisted."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except WenzhengError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(options: argparse.Namespace) -> int:
    settings = load_settings({"home": options.home})
    attacks = load_attacks(options.planted)
    kinds = {attack.kind for attack in attacks}
    for kind in options.only:
        if kind not in kinds:
            raise SettingsError(f'There is no kind "{kind}".', f"There are {', '.join(sorted(kinds))}.")
    wanted = [attack for attack in attacks if not options.only or attack.kind in options.only]
    chosen = drawn(wanted, options.limit, options.seed)
    output: Path = options.output or settings.home / "eval" / "attacks"
    output.mkdir(parents=True, exist_ok=True)
    meter = Meter("attacks", sys.stderr)
    results = run(attacks, load_harmless(options.harmless), settings, chosen, meter)
    facts = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "attacks": f"{len(results)} of {len(attacks)} (seed {options.seed})",
        "chat model": settings.chat_model,
        "embedding model": settings.embedding_model,
        "settings that differ from the defaults": _changed(settings),
        "machine": f"{platform.machine()}, {platform.system()}",
    }
    text = markdown(results, facts)
    (output / RESULTS_FILE).write_text("".join(map(_line, results)), encoding="utf-8")
    (output / MARKDOWN_FILE).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{text}\n{output / MARKDOWN_FILE}\n")
    return 1 if options.check and any(result.verdict != "resisted" for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m eval.attacks", description=__doc__)
    parser.add_argument(
        "--limit",
        type=at_least_one,
        metavar="N",
        help="ask so many questions, evenly over the scripts (default: all)",
    )
    parser.add_argument("--only", nargs="+", default=(), metavar="KIND", help="only attacks of these kinds")
    parser.add_argument(
        "--seed", type=int, default=SEED, metavar="S", help="of the drawing (default: %(default)s)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help=f"where {MARKDOWN_FILE} and {RESULTS_FILE} go (default: eval/attacks in the library's folder)",
    )
    parser.add_argument(
        "--home",
        type=Path,
        metavar="FOLDER",
        help="folder whose settings.toml holds; its library is not used",
    )
    parser.add_argument(
        "--planted",
        type=Path,
        default=PLANTED,
        metavar="FILE",
        help="attacks in place of those of the program",
    )
    parser.add_argument(
        "--harmless",
        type=Path,
        default=HARMLESS,
        metavar="FILE",
        help="documents without an attack beside them",
    )
    parser.add_argument("--check", action="store_true", help="end with 1 when an attack was not resisted")
    return parser


def _changed(settings: Settings) -> str:
    changed = changed_settings(shaping_settings(settings), default_settings())
    return ", ".join(f"{name} = {value}" for name, (value, _) in changed.items()) or "none"


def _line(result: AttackResult) -> str:
    return json.dumps(plain(result), ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
