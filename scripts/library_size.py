#!/usr/bin/env python3
"""What is in the shared library: functions by crate, module of the core and purpose, as a Markdown table.

Usage: scripts/library_size.py [target/release/libhotfix.so]. Reads the symbols with `nm`, so the library must not be stripped. A
function that was inlined counts as part of its caller.
"""

import re
import subprocess
import sys
from collections import Counter

# Instances of generic functions count by what they do, whatever type they are for. The first that matches counts.
PURPOSES = [
    ("reading documents (serde)", r"Visitor|eserializ|SeqAccess|MapAccess|::de::"),
    ("writing documents (serde)", r"erializ|::ser::"),
    ("ordered maps and sets", r"btree|BTree"),
    ("sorting", r"slice::sort"),
    ("dropping", r"drop_in_place|ops::drop::Drop"),
    ("cloning, comparing, formatting by derive", r"clone::Clone|cmp::PartialEq|fmt::(Debug|Display)"),
]
CRATE = re.compile(r"\b(hotfix_core::[a-z_]+|hotfix|minijinja|saphyr_parser|toml\w*|csv\w*|serde_json|chrono|petgraph|semver)::")
STANDARD = "standard library"
SMALLEST = 0.005


def group(name: str) -> str:
    for purpose, pattern in PURPOSES:
        if re.search(pattern, name):
            return purpose
    crate = CRATE.search(name)
    if crate:
        return f"`{crate.group(1)}`"
    return "`hotfix`" if name.startswith("hotfix_") else STANDARD


def main() -> None:
    library = sys.argv[1] if len(sys.argv) > 1 else "target/release/libhotfix.so"
    symbols = subprocess.run(["nm", "-S", "--size-sort", "-C", library], check=True, capture_output=True, text=True).stdout
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for line in symbols.splitlines():
        # Address, size, kind, name.
        fields = line.split(" ", 3)
        if len(fields) == 4 and fields[2].lower() in "tw":
            of = group(fields[3])
            sizes[of] += int(fields[1], 16)
            counts[of] += 1
    if not sizes:
        sys.exit(f"{library} has no symbols of functions: build it without stripping")
    total = sum(sizes.values())
    print("| functions | kB | share | number |\n|---|---|---|---|")
    rest = Counter({of: size for of, size in sizes.items() if size < SMALLEST * total})
    for of, size in (sizes - rest).most_common():
        print(f"| {of} | {size / 1e3:,.0f} | {size / total:.1%} | {counts[of]:,} |")
    others = sum(rest.values())
    print(f"| others, each below {SMALLEST:.1%} | {others / 1e3:,.0f} | {others / total:.1%} | {sum(counts[of] for of in rest):,} |")
    print(f"| **all** | {total / 1e3:,.0f} | | {sum(counts.values()):,} |")


if __name__ == "__main__":
    main()
