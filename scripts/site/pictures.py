"""Makes the pictures of the report in docs/img from the tutorial: .venv/bin/python scripts/site/pictures.py.

It needs the package, as `make python` installs it, and Chromium. Run it when the report looks different.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "hotfix-py/tests"))

import tutorial  # noqa: E402


def take(page: Path, picture: Path, width: int, height: int) -> None:
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    size = f"--window-size={width},{height}"
    subprocess.run(
        ["chromium", *options, size, f"--screenshot={picture}", page.as_uri()],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    print(picture.relative_to(ROOT), picture.stat().st_size)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        list(tutorial.run(ROOT / "docs/start/tutorial-python.md", folder))
        report = folder / "report.html"
        take(report, ROOT / "docs/img/report.png", 1000, 730)
        text = report.read_text(encoding="utf-8")
        style = "main { display: flex; gap: 1rem } div { flex: 1 } details { display: none }"
        head = f"{text[: text.index('<body')]}<style>{style}</style>"
        title = re.search(r"<h1>.*?</h1>", text, re.DOTALL)
        summary = re.search(r"<h2>Summary</h2>(\s*<p>.*?</p>)*", text, re.DOTALL)
        plots = re.findall(r"(<p class=\"legend\">.*?</p>).*?(<figure>.*?</figure>)", text, re.DOTALL)
        if not title or not summary or len(plots) != 2:
            raise SystemExit("the report has other parts than this program looks for")
        beside = "".join(f"<div>{legend}{figure}</div>" for legend, figure in plots)
        page = folder / "short.html"
        page.write_text(f"{head}<body>{title[0]}{summary[0]}<main>{beside}</main>", encoding="utf-8")
        take(page, ROOT / "docs/img/report-short.png", 1000, 590)
        page.write_text(f"{head}<body><main>{beside}</main>", encoding="utf-8")
        take(page, ROOT / "docs/img/report-evidence.png", 1000, 350)


if __name__ == "__main__":
    main()
