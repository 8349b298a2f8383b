"""What the project declares, pins and ships."""

from __future__ import annotations

import ast
import re
import sys
import tomllib

import pytest
from conftest import ROOT


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pin) == 2 for pin in found), "every constraint is an exact version"
    return {normal(name): version for name, version in found}


def test_every_dependency_is_pinned(pins: dict[str, str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    assert {normal(name) for name in declared} <= set(pins)


def test_torch_is_pinned_without_a_build_tag(pins: dict[str, str]) -> None:
    # "2.13.0+cpu" is on no public index; "2.13.0" lets pip take the CPU build where one is at hand.
    assert "+" not in pins["torch"]


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", "ARCHITECTURE.md"])
def test_what_the_pages_link_to_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / target).exists(), f"{name} links to {target}"


def test_every_setting_in_the_readme_exists() -> None:
    from rag.settings import Settings

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"WENZHENG_([A-Z_]+)", text)) - {""}
    assert {name.lower() for name in named} <= set(Settings.model_fields)
    table = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text, re.MULTILINE)
    assert {key for cell in table for key in re.findall(r"`(\w+)`", cell)} - set(
        Settings.model_fields
    ) == set()


def test_what_is_imported_is_declared() -> None:
    names = {
        "PIL": "pillow",
        "cv2": "opencv-python-headless",
        "docx": "python-docx",
        "markdown_it": "markdown-it-py",
        "pdfminer": "pdfminer-six",
        "pptx": "python-pptx",
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {normal(name) for name in project["dependencies"]}
    declared |= {normal(name) for name in project["optional-dependencies"]["openvino"]}
    for package in ("rag", "ingest", "eval", "ui"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    modules = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    modules = [node.module]
                else:
                    continue
                for top in {module.split(".")[0] for module in modules}:
                    if top in sys.stdlib_module_names or top in ("rag", "ingest", "eval", "ui"):
                        continue
                    assert normal(names.get(top, top)) in declared, f"{path} imports {top}"
