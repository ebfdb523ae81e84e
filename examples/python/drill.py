"""Rehearses drills: made-up incidents as files, played through the whole library, with no deployment.

python examples/python/drill.py examples/drills/*.toml

Each is played once; the exit code is 0 only if all came out as their files expect. `hotfix.simulate` plays one many
times.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import hotfix


def read(file: Path) -> tuple[str, hotfix.Policy, dict[str, Any]]:
    """Read a drill: its title, its policy (a preset's name, or a file seen from the drill) and its scenario."""
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    title, policy, scenario = (document.pop(key) for key in ("title", "policy", "scenario"))
    if document:
        raise ValueError(f"{file}: a drill has no {', '.join(document)}")
    if Path(policy).suffix:
        return title, hotfix.Policy.from_toml((file.parent / policy).read_text(encoding="utf-8")), scenario
    return title, hotfix.Policy.preset(policy), scenario


def main(files: list[Path]) -> int:
    """Play each drill, say how it ended, and count those that did not come out as expected."""
    failed = 0
    for file in files:
        title, policy, scenario = read(file)
        drill = hotfix.drill(policy, scenario)
        print(f"{file.stem}: {title}: {drill['run']['ended']}")
        for sentence in drill["unmet"]:
            print(f"  NOT AS EXPECTED: {sentence}")
        failed += bool(drill["unmet"])
    return failed


if __name__ == "__main__":
    sys.exit(min(main([Path(name) for name in sys.argv[1:]]), 1))
