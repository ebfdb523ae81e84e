"""The code blocks of docs/how-to and docs/explanation, and the folder in which they run."""

from __future__ import annotations

import contextlib
import http.server
import importlib
import re
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted([*DOCS.glob("how-to/*.md"), *DOCS.glob("explanation/*.md")])


class Block(NamedTuple):
    """A block of a page. The first line of a file's block is its name in a comment."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.parent.name}/{self.page.name}:{self.line}"

    @property
    def file(self) -> str | None:
        found = re.match(r"(?:#!.*\n)?(?:#|//) ([\w-]+(?:\.\w+)?)(?:\n|:)", self.text)
        return found.group(1) if found else None


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(r"^( *)```(\w+)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, found.start()) + 1
            yield Block(page, line, found.group(2), textwrap.dedent(found.group(3)))


def of(language: str) -> list[Block]:
    return [block for block in blocks() if block.language == language]


def write_files(folder: Path) -> None:
    """Write every block that names its file, so that blocks and pages can use each other's."""
    for block in blocks():
        if block.file and block.language in ("python", "toml", "sh"):
            path = folder / block.file
            assert not path.exists(), f"{block.place}: another block has the name {block.file}"
            path.write_text(block.text, encoding="utf-8")
            path.chmod(0o755 if block.language == "sh" else 0o644)


def load(name: str) -> Any:
    """A module of the guides; the fixture `folder` has written it."""
    return importlib.import_module(name)


@contextlib.contextmanager
def serving(answer: Callable[[str], str | bytes], kind: str = "text/plain; version=0.0.4") -> Iterator[int]:
    """A server of this test, whose answers are of this kind."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answer(self.path)
            body = found if isinstance(found, bytes) else found.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):  # Prometheus has ended
                self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
