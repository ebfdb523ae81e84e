"""Runs a page of the manual as a reader does: saves its files, and types in its programs.

A block whose first line is a comment with a file's name is that file. The other blocks in Python go on from each other
in one session; a block of text after one is what it prints.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w.-]+\.\w+)\n")


class Printed(NamedTuple):
    """What a program of the page printed, and what the page says that it prints."""

    line: int
    printed: str
    expected: str


def run(page: Path, folder: Path) -> Iterator[Printed]:
    """Run the page in a folder; where its programs print something, yield it."""
    text = page.read_text(encoding="utf-8")
    session: dict[str, object] = {"__name__": "__main__"}
    modules, printed, line = set(sys.modules), "", 0
    sys.path.insert(0, str(folder))
    try:
        with contextlib.chdir(folder):
            for block in BLOCK.finditer(text):
                language, body = block[1], block[2]
                name = FILE.match(body)
                if name and language in ("python", "toml"):
                    (folder / name[1]).write_text(body, encoding="utf-8")
                elif language == "python":
                    if printed:
                        yield Printed(line, printed, "")
                    line, out = text.count("\n", 0, block.start()) + 1, io.StringIO()
                    with contextlib.redirect_stdout(out):
                        exec(compile(body, f"{page.name}, line {line}", "exec"), session)
                    printed = out.getvalue()
                elif language == "text":
                    yield Printed(line, printed, body)
                    printed = ""
            if printed:
                yield Printed(line, printed, "")
    finally:
        sys.path.remove(str(folder))
        for module in set(sys.modules) - modules:
            if str(getattr(sys.modules[module], "__file__", "")).startswith(str(folder)):
                del sys.modules[module]
