"""The structure of the project: who may import whom, and which module alone imports a heavy library."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("rag", "ingest", "ui", "eval")
ALLOWED = {
    "rag": {"rag"},
    "ingest": {"rag", "ingest"},
    "eval": {"rag", "ingest", "eval"},
    "ui": {"rag", "ingest", "ui"},
}
SOLE_IMPORTERS = {
    "chromadb": {"rag/index.py"},
    "tantivy": {"rag/index.py", "rag/english_words.py"},
    "sqlalchemy": {"rag/catalog.py", "rag/migrations"},
    "alembic": {"rag/catalog.py", "rag/migrations"},
    "xllamacpp": {"rag/llama_worker.py"},
    "sentence_transformers": {
        "rag/cross_encoding.py",
        "rag/embedding.py",
        "rag/e5.py",
        "rag/acceleration.py",
    },
    "langchain_openai": {"rag/model.py"},
    "openvino": {"rag/acceleration.py"},
    "pypdfium2": {"ingest/loading"},
    "rapidocr": {"ingest/loading/ocr.py"},
    "trafilatura": {"ingest/loading/article.py"},
    "jieba": {"rag/text.py"},
    "opencc": {"rag/text.py"},
    "gradio": {"ui/app.py", "ui/chat.py", "ui/theme.py", "ui/documents/tab.py"},
}
EVAL_COMMANDS = {"ui/eval_commands.py", "ui/feedback_command.py", "ui/judge_command.py"}
"""The commands that measure: they alone of the interface use `eval`, inside their functions."""
LAZY = {
    "chromadb",
    "tantivy",
    "torch",
    "sentence_transformers",
    "transformers",
    "xllamacpp",
    "jieba",
    "opencc",
    "openvino",
    "lxml",
    "openpyxl",
    "pdfplumber",
    "pptx",
    "pypdfium2",
    "rapidocr",
    "trafilatura",
}
STDLIB_ONLY = ("rag/types.py", "rag/errors.py")


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imports(tree: ast.Module) -> list[tuple[str, bool]]:
    """Every imported module's name, with whether it is imported when the module is."""
    found = []
    at_top = {id(node) for node in tree.body}
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        else:
            continue
        eager = id(node) in at_top and id(node) not in typing_only
        found.extend((name, eager) for name in names)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_direction_of_the_layers(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    layer = relative.split("/")[0]
    for name, eager in imports(ast.parse(path.read_text(encoding="utf-8"))):
        top = name.split(".")[0]
        if top in PACKAGES:
            lazily_from_cli = relative in EVAL_COMMANDS and top == "eval" and not eager
            assert top in ALLOWED[layer] or lazily_from_cli, f"{relative} imports {name}"
        if top in SOLE_IMPORTERS:
            assert any(relative.startswith(sole) for sole in SOLE_IMPORTERS[top]), f"{relative} imports {top}"
        if relative in STDLIB_ONLY:
            assert top in sys.stdlib_module_names or top == "rag", f"{relative} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_are_imported_where_they_are_opened(path: Path) -> None:
    if path.name == "llama_worker.py":
        return
    for name, eager in imports(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (eager and name.split(".")[0] in LAZY), f"{path} imports {name} at its top"


def test_every_module_says_what_it_is() -> None:
    for path in modules():
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path} has no docstring"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, ui.cli\n"
        "heavy = {'torch', 'chromadb', 'gradio', 'tantivy', 'langchain_core', 'pydantic', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_tests_mirror_the_folders() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        assert path.name != "__init__.py", "an __init__.py in tests shadows the package of the same name"
