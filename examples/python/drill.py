"""Runs drills: synthetic incidents from files, simulated with the whole library, without a deployment.

python examples/python/drill.py examples/drills/*.toml

Each drill runs once; the exit code is 0 only if all results are as their files expect. `hotfix.simulate` runs one many
times.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import hotfix


def read(file: Path) -> tuple[str, hotfix.Policy, dict[str, Any]]:
    """Read a drill: its title, its policy (a preset, or a file relative to the drill) and its scenario."""
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    title, policy, scenario = (document.pop(key) for key in ("title", "policy", "scenario"))
    if document:
        raise ValueError(f"{file}: a drill has no {', '.join(document)}")
    if Path(policy).suffix:
        return title, hotfix.Policy.load(file.parent / policy), scenario
    return title, hotfix.Policy.preset(policy), scenario


def main(files: list[Path]) -> int:
    """Run each drill, print how it ended, and count the drills with an unexpected result."""
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
