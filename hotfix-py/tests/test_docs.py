"""Examples in docstrings, the README and the manual run and print what they say."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hotfix
import tutorial
from hotfix import _errors

PACKAGE = Path(__file__).parents[1]
DOCS = PACKAGE.parent / "docs"
PAGES = [PACKAGE / "README.md", PACKAGE.parent / "README.md"]
# Every page of the reference with a session; guides bring files.
PAGES += sorted(page for page in DOCS.glob("*.md") if "```pycon" in page.read_text(encoding="utf-8"))
PAGES += [DOCS / "how-to/read-a-plan.md"]
# Pages that are followed from the beginning to the end, with files.
TUTORIALS = ["start/tutorial-python.md", "start/smallest-policy.md"]


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


@pytest.mark.parametrize(("name", "text"), [pytest.param(*example, id=example[0]) for example in sorted(examples())])
def test_examples_print_what_they_say(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PACKAGE.parent)
    assert ">>>" in text
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    runner.run(doctest.DocTestParser().get_doctest(text, {}, name, None, 0), out=said.append)
    assert not runner.summarize(verbose=False).failed, "".join(said)


def policies() -> Iterator[tuple[str, str]]:
    for page in sorted(DOCS.glob("*.md")):
        for block in re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            # Other blocks are pieces of a policy, or other documents.
            if re.search(r"^name = ", block, re.MULTILINE) and re.search(r"^(extends|format) = ", block, re.MULTILINE):
                yield str(page.relative_to(DOCS)), block


@pytest.mark.parametrize(("page", "text"), [pytest.param(*found, id=found[0]) for found in policies()])
def test_a_whole_policy_on_a_page_can_be_read(page: str, text: str) -> None:
    assert hotfix.Policy.from_toml(text).name, page


@pytest.mark.parametrize("page", TUTORIALS)
def test_a_tutorial_prints_what_it_shows(page: str, tmp_path: Path) -> None:
    printed = list(tutorial.run(DOCS / page, tmp_path))
    assert len(printed) > 3
    for block in printed:
        assert block.printed == block.expected, f"{page}, line {block.line}"


def test_every_public_name_has_a_docstring() -> None:
    without = [
        name
        for name, text in documented()
        if not text and not re.search(r"\.(_\w+|__\w+__)$|\.(code|path|errors|accepted|events|line)$", name)
    ]
    assert without == []
