"""Every code block of docs/how-to and docs/explanation is run, compiled or read."""

from __future__ import annotations

import doctest
import json
import py_compile
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import hotfix
from guides import DOCS, PAGES, Block, blocks, of

# `c` and `go` run in hotfix-ffi/tests/it/compile_run.rs, `promql` in test_guides_metrics.py. `groovy` is not run, which
# the page states, and a drawing (`mermaid`) is for people.
ELSEWHERE = {"c", "go", "promql", "mermaid", "groovy", "text"}
HERE = {"json", "pycon", "python", "sh", "toml", "yaml"}


def each(language: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", [pytest.param(block, id=block.place) for block in of(language)])


def test_every_block_has_a_test() -> None:
    assert {block.language for block in blocks()} <= HERE | ELSEWHERE
    assert all(block.file for block in of("python")), "a Python block names its file in its first line"


@pytest.mark.parametrize("page", [pytest.param(page, id=f"{page.parent.name}/{page.name}") for page in PAGES])
def test_examples_print_what_they_say(page: Path, folder: Path) -> None:
    assert folder.exists()
    text = "\n".join(block.text for block in of("pycon") if block.page == page)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    printed: list[str] = []
    runner.run(doctest.DocTestParser().get_doctest(text, {}, page.name, None, 0), out=printed.append)
    assert not runner.summarize(verbose=False).failed, "".join(printed)


@each("python")
def test_python_compiles(block: Block, folder: Path) -> None:
    assert block.file
    py_compile.compile(str(folder / block.file), doraise=True)


@each("toml")
def test_a_policy_is_read(block: Block, folder: Path) -> None:
    tomllib.loads(block.text)
    path = folder / (block.file or "policy.toml")
    path.write_text(block.text, encoding="utf-8")
    assert hotfix.Policy.load(path).name


@each("json")
def test_json_is_read(block: Block) -> None:
    assert json.loads(block.text)


def scripts(document: object) -> Iterator[str]:
    """The scripts of a pipeline: `run`, `script` and the arguments of a shell."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "run" and isinstance(value, str):
                yield value
            elif key == "script" or (key == "args" and "sh" in document.get("command", [])):
                yield "\n".join(value)
            else:
                yield from scripts(value)
    elif isinstance(document, list):
        for value in document:
            yield from scripts(value)


@pytest.mark.parametrize(
    "block", [pytest.param(block, id=block.place) for block in of("yaml") if block.page.name == "ci.md"]
)
def test_a_pipeline_calls_the_step(block: Block, tmp_path: Path) -> None:
    """The document is read, and its script runs with a `python` that records how it is called."""
    document = yaml.safe_load(block.text)
    script, *_ = scripts(document)  # what follows the step is in test_guides_ci.py
    calls = tmp_path / "calls"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {calls}\n')
    python.chmod(0o755)
    # The folders of the page, in a folder of the test's own.
    here = script.replace("/srv/hotfix", f"{tmp_path}/srv").replace("/logs/", f"{tmp_path}/logs/")
    subprocess.run(
        ["/bin/sh", "-eu", "-c", here], env={"PATH": f"{tmp_path}:/usr/bin:/bin", "INCIDENT": "INC-2041"}, check=True
    )
    step, plan, log, inbox = calls.read_text().split()
    assert (step, plan) == ("hotfix_step.py", "plans/INC-2041.json")
    assert log.endswith("/INC-2041/log.jsonl")
    assert Path(inbox).is_dir()


def test_every_variable_of_a_program_is_in_a_table_of_its_page() -> None:
    for block in [*of("python"), *of("sh")]:
        read = r'environ(?:\.get\(|\[)"(\w+)"' if block.language == "python" else r"\$([A-Z]\w+)"
        names = {*re.findall(read, block.text), *re.findall(r'for name in \(("[A-Z].*?)\)', block.text)}
        named = {name.strip(' "') for each in names for name in each.split(",")}
        rows = re.findall(r"^\| (`[A-Z].*?) \|", block.page.read_text(encoding="utf-8"), re.MULTILINE)
        assert named <= {name for row in rows for name in re.findall(r"`(\w+)`", row)}, block.place


@each("sh")
def test_a_shell_script_is_valid(block: Block) -> None:
    subprocess.run(["/bin/sh", "-n"], input=block.text, text=True, check=True)


def test_the_figures_are_those_of_the_library() -> None:
    """docs/explanation/how-the-test-works.md."""
    plots = DOCS.parent / "benches" / "plots.py"
    subprocess.run([sys.executable, plots, "--check"], check=True)
