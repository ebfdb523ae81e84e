"""Examples in docstrings, the README and the manual page run and print what they say."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hotfix
from hotfix import _errors

PACKAGE = Path(__file__).parents[1]
DOCS = PACKAGE.parent / "docs"
PAGES = [PACKAGE / "README.md", PACKAGE.parent / "README.md"]
PAGES += [DOCS / f"{name}.md" for name in ("python", "kayenta", "import", "policy", "simulation", "statistics")]


def documented() -> Iterator[tuple[str, str]]:
    for module in (hotfix, hotfix.stats, hotfix.kayenta, hotfix.vcs, _errors):
        yield module.__name__, module.__doc__ or ""
        for name in getattr(module, "__all__", vars(module)):
            item = getattr(module, name)
            if not (isinstance(item, type) or callable(item)):
                continue
            yield f"{module.__name__}.{name}", item.__doc__ or ""
            for member, value in vars(item).items() if isinstance(item, type) else ():
                yield f"{module.__name__}.{name}.{member}", getattr(value, "__doc__", "") or ""


def examples() -> Iterator[tuple[str, str]]:
    yield from ((name, text) for name, text in documented() if ">>>" in text)
    for page in PAGES:
        # The blocks of a page go on from each other.
        yield (
            str(page.relative_to(PACKAGE.parent)),
            "\n".join(re.findall(r"```pycon\n(.*?)```", page.read_text(), re.DOTALL)),
        )


@pytest.mark.parametrize(("name", "text"), [pytest.param(*example, id=example[0]) for example in examples()])
def test_examples_print_what_they_say(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PACKAGE.parent)
    assert ">>>" in text
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    runner.run(doctest.DocTestParser().get_doctest(text, {}, name, None, 0), out=said.append)
    assert not runner.summarize(verbose=False).failed, "".join(said)


def test_every_public_name_has_a_docstring() -> None:
    without = [
        name
        for name, text in documented()
        if not text and not re.search(r"\.(_\w+|__\w+__)$|\.(code|path|errors|accepted|events|line)$", name)
    ]
    assert without == []
