"""Lays out the manual for its generator: scripts/site/stage.py FOLDER.

The pages are written for a code host: links lead to files of the repository. Here they are copied to FOLDER, and each
link is changed to lead to the copy. A file outside of the manual that a page links to is copied as text, a folder
becomes a list of its files. A link to a file that does not exist, and a page in docs/ that the navigation does not
have, end the run with an error; the generator checks the anchors.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
NAV = tomllib.loads((HERE / "nav.toml").read_text())
IMAGES = {".svg", ".png"}
# Text that is not Markdown: code in fences and in lines. Links are changed only around it.
CODE = re.compile(r"^(`{3,}|~{3,}).*?^\1[^\S\n]*$|`+[^`\n]+`+", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<=\]\()(?P<target>[^)\s]+)(?=\))|(?<=src=\")(?P<source>[^\"]+)(?=\")")
# `[label]: target` at the end of a page, for which `[label]` is the link: the generator does not know it with code.
DEFINITION = re.compile(r"^\[(?P<label>[^\]\n]+)\]: (?P<target>\S+)\n", re.MULTILINE)
TABS = re.compile(r"^<!-- tabs -->\n(.*?)^<!-- /tabs -->\n", re.MULTILINE | re.DOTALL)


def in_order(pattern: str, first: list[str], listed: set[str]) -> list[str]:
    """The pages of a folder that are not listed elsewhere: those of `first` in its order, then the others."""
    names = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern + ".md"))
    place = {name: index for index, name in enumerate(first)}
    names = [name for name in names if name not in listed]
    return sorted(names, key=lambda name: (place.get(Path(name).stem, len(place)), name))


def sections() -> list[tuple[str, list[str], list[dict[str, str]]]]:
    listed = {page for section in NAV["section"] for page in section["pages"]}
    found = []
    for section in NAV["section"]:
        pages: list[str] = []
        for page in section["pages"]:
            pages += in_order(page, section.get("first", []), listed) if page.endswith("*") else [page]
        found.append((section["title"], pages, section.get("links", [])))
    return found


def place(page: str) -> str:
    """Where a page of the repository is in the manual."""
    if page == "README.md":
        return "index.md"
    if page.startswith("docs/"):
        return page.removeprefix("docs/")
    return page.removesuffix("/README.md").removesuffix(".md").lower() + ".md"


class Manual:
    def __init__(self, folder: Path) -> None:
        self.sections = sections()
        self.pages = {page: place(page) for _, pages, _ in self.sections for page in pages}
        self.folder = folder / "pages"
        self.settings = folder
        self.wrong: list[str] = []
        self.copies: dict[str, str] = {}

    def copy(self, path: Path) -> str:
        """Where a file or folder that is linked to is in the manual."""
        name = str(path.relative_to(ROOT))
        if name in self.pages:
            return self.pages[name]
        if f"{name}/README.md" in self.pages:
            return self.pages[f"{name}/README.md"]
        if path.suffix in IMAGES:
            self.copies[name] = name.removeprefix("docs/")
        else:
            self.copies[name] = f"source/{name}" + ("/index.md" if path.is_dir() else ".txt")
        return self.copies[name]

    def linked(self, text: str, source: Path, page: str) -> str:
        """The text, with its links leading to the pages of the manual."""

        def link(match: re.Match[str]) -> str:
            target = match["target"] or match["source"]
            if re.match(r"[a-z]+:", target) or target.startswith("#"):
                return target
            path, _, anchor = target.partition("#")
            file = Path(os.path.normpath(source.parent / path))
            if not file.exists() or ROOT not in file.parents:
                line = text.count("\n", 0, match.start()) + 1
                self.wrong.append(f"{source.relative_to(ROOT)}:{line}: there is no {path}")
                return target
            relative = os.path.relpath(self.copy(file), os.path.dirname(page) or ".")
            if match["source"]:
                # Written as HTML, which the generator does not change.
                return relative
            return relative + (f"#{anchor}" if anchor else "")

        parts, end = [], 0
        for code in CODE.finditer(text):
            parts += [LINK.sub(link, text[end : code.start()]), code[0]]
            end = code.end()
        return "".join([*parts, LINK.sub(link, text[end:])])

    def write(self, page: str, text: str) -> None:
        path = self.folder / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def add_pages(self) -> None:
        for name, page in self.pages.items():
            source = ROOT / name
            if not source.exists():
                self.wrong.append(f"scripts/site/nav.toml: there is no {name}")
                continue
            text = self.linked(defined(source.read_text()), source, page)
            head = NAV["page"].get(name, {})
            self.write(page, (f"---\n{json.dumps(head)}\n---\n\n" if head else "") + TABS.sub(tabs, text))

    def add_copies(self) -> None:
        """The files that pages link to. Their own links are not followed."""
        for name, page in sorted(self.copies.items()):
            source = ROOT / name
            if source.is_dir():
                text = f"# {name}\n\n" + self.listing(source, page)
                self.write(page, f'---\n{{"search": {{"exclude": true}}}}\n---\n\n{text}')
            else:
                (self.folder / page).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, self.folder / page)

    def listing(self, folder: Path, page: str) -> str:
        lines = []
        for path in sorted(folder.iterdir()):
            name = str(path.relative_to(ROOT))
            to = self.pages.get(name) or self.copies.get(name)
            shown = path.name + ("/" if path.is_dir() else "")
            lines.append(f"- [{title(path)}]({os.path.relpath(to, os.path.dirname(page))})" if to else f"- `{shown}`")
        return "\n".join(lines) + "\n"

    def add_settings(self) -> None:
        nav = []
        for name, pages, links in self.sections:
            entries = [{label(page): self.pages[page]} for page in pages]
            nav.append({name: entries + [{link["title"]: link["path"]} for link in links]})
        settings = (HERE / "zensical.toml").read_text()
        (self.settings / "zensical.toml").write_text(settings.replace("nav = []", f"nav = {inline(nav)}", 1))
        shutil.copytree(HERE / "overrides", self.settings / "overrides")
        shutil.copytree(HERE / "assets", self.folder / "assets", dirs_exist_ok=True)
        mermaid = ROOT / "target/trees-env/mermaid.min.js"
        if mermaid.exists():
            shutil.copyfile(mermaid, self.folder / "assets/mermaid.min.js")


def defined(text: str) -> str:
    """The text with its references as links; as long as before, so that lines of errors are those of the source."""
    targets = {found["label"]: found["target"] for found in DEFINITION.finditer(text)}
    text = DEFINITION.sub("\n", text)
    for name, target in targets.items():
        text = re.sub(re.escape(f"[{name}]") + r"(?![(:])", lambda _, to=target, of=name: f"[{of}]({to})", text)
    return text


def label(page: str) -> str:
    """The title in the navigation."""
    return "hotfix" if page == "README.md" else title(ROOT / page)


def title(path: Path) -> str:
    if path.suffix != ".md":
        return path.name
    found = re.search(r"^# (.+)$", path.read_text(), re.MULTILINE)
    return found[1].replace("`", "") if found else path.name


def inline(value: object) -> str:
    """A list of tables as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def tabs(match: re.Match[str]) -> str:
    """Headings between two marks as tabs: a code host shows headings, the manual shows one at a time."""
    shown = []
    for part in re.split(r"^#### ", match[1], flags=re.MULTILINE)[1:]:
        name, _, text = part.partition("\n")
        lines = [f"    {line}" if line else "" for line in text.strip("\n").split("\n")]
        shown.append(f'=== "{name}"\n\n' + "\n".join(lines) + "\n")
    return "\n".join(shown) + "\n"


def main() -> int:
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    manual = Manual(folder)
    manual.add_pages()
    manual.add_copies()
    manual.add_settings()
    for path in sorted((ROOT / "docs").rglob("*.md")):
        if str(path.relative_to(ROOT)) not in manual.pages:
            manual.wrong.append(f"scripts/site/nav.toml: {path.relative_to(ROOT)} is not listed")
    if manual.wrong:
        print("\n".join(sorted(set(manual.wrong))), file=sys.stderr)
    return 1 if manual.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
