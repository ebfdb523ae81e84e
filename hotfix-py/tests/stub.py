"""Writes the stub `_core.pyi`: from the module, from `src/types.pyi`, and from the closed sets of the core.

`make stub` runs it, and `test_types.py` compares. With the feature `stub`, PyO3 describes each class and function in
JSON, with the text of its doc comment.
"""

from __future__ import annotations

import ast
import ctypes
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import hotfix._core

PACKAGE = Path(__file__).parents[1]
STUB = PACKAGE / "python" / "hotfix" / "_core.pyi"
TYPES = PACKAGE / "src" / "types.pyi"
CORE = PACKAGE.parent / "hotfix-core" / "src"

# What every class has, and what only pickling uses.
LEFT_OUT = {"__ne__", "__reduce__", "__repr__", "__str__", "_from_json", "_restored"}
# PyO3 accepts more than we promise.
NARROWER = {"SupportsIndex": "int", "SupportsFloat | int": "float", "SupportsGetItem[int, ": "Sequence["}

Chunk = dict[str, Any]


def chunks(module: ModuleType) -> list[Chunk]:
    """Read the descriptions: each is the value of a symbol, a length and a text."""
    path = Path(str(module.__file__))
    library = ctypes.CDLL(str(path))
    found = []
    for name in set(re.findall(rb"PYO3_INTROSPECTION_1_\w+", path.read_bytes())):
        size = ctypes.c_uint32.in_dll(library, name.decode())
        found.append(json.loads(ctypes.string_at(ctypes.addressof(size) + 4, size.value)))
    return found


def closed_sets() -> dict[str, list[str]]:
    """Read the closed sets as the core declares them."""
    found = {}
    for file in CORE.rglob("*.rs"):
        for block in re.findall(r"closed_set! \{\n(.*?)\n\}", file.read_text(), re.DOTALL):
            for name, body in re.findall(r"^ {4}(\w+) \{\n(.*?)^ {4}\}", block, re.DOTALL | re.MULTILINE):
                found[name] = re.findall(r'= "(\w+)",', body)
    # The kinds of inputs are the first column of the table of commands.
    table = (CORE / "rollout" / "command.rs").read_text().split("\ncommands! {\n")[1]
    found["InputKind"] = re.findall(r'^ {4}\w+ = "(\w+)"', table, re.MULTILINE)
    return found


class Writer:
    """Writes descriptions as Python."""

    def __init__(self, found: list[Chunk], types: str) -> None:
        self.by_id = {chunk["id"]: chunk for chunk in found if "id" in chunk}
        self.members: dict[str | None, list[Chunk]] = {}
        for chunk in found:
            self.members.setdefault(chunk.get("parent"), []).append(chunk)
        # The methods of each class in `types.pyi`.
        self.given: dict[str, dict[str, list[str]]] = {}
        for node in ast.parse(types).body:
            if isinstance(node, ast.ClassDef):
                methods = self.given.setdefault(node.name, {})
                for method in node.body:
                    if isinstance(method, ast.FunctionDef):
                        methods.setdefault(method.name, []).append(ast.unparse(method))

    def annotation(self, of: Chunk) -> str:
        """Write a type. Constants are types that Rust names as text."""
        match of["type"]:
            case "constant":
                text = str(of.get("value"))
            case "name":
                text = of["id"]
            case "attribute":
                text = of["attr"]
            case "id":
                text = self.by_id[of["id"]]["name"]
            case "binop":
                text = f"{self.annotation(of['left'])} | {self.annotation(of['right'])}"
            case "subscript":
                text = f"{self.annotation(of['value'])}[{self.annotation(of['slice'])}]"
            case "tuple" | "list":
                text = ", ".join(map(self.annotation, of["elts"]))
        for wide, narrow in NARROWER.items():
            text = text.replace(wide, narrow)
        return text

    def function(self, of: Chunk, function: object) -> str:
        """Write a function or method."""

        def parameter(of: Chunk) -> str:
            text: str = of["name"]
            if "annotation" in of:
                text += f": {self.annotation(of['annotation'])}"
            # The default of the text signature, where there is one.
            if "default" in of:
                text += f" = {inspect.signature(function).parameters[of['name']].default!r}"  # type: ignore[arg-type]
            return text

        arguments = {kind: [parameter(one) for one in found] for kind, found in of["arguments"].items()}
        before = arguments.get("posonlyargs", [])
        parts = [*before, "/"] if before not in ([], ["self"], ["cls"]) else before
        parts = parts + arguments.get("args", [])
        if "kwonlyargs" in arguments:
            parts += ["*", *arguments["kwonlyargs"]]
        head = f"def {of['name']}({', '.join(parts)}) -> {self.annotation(of['returns'])}:"
        return self.decorators(of) + head + body(of)

    def decorators(self, of: Chunk) -> str:
        """Write the decorators."""
        return "".join(f"@{self.annotation(decorator)}\n" for decorator in of.get("decorators", []))

    def class_(self, of: Chunk, class_: type) -> str:
        """Write a class."""
        members = {member["name"]: member for member in self.members[of["id"]] if member["name"] not in LEFT_OUT}
        base = ""
        if members.keys() >= self.given["_Document"].keys():
            base = "(_Document)"
            members = {name: member for name, member in members.items() if name not in self.given["_Document"]}
        given = self.given.get(of["name"], {})
        written = []
        for name, member in sorted(members.items(), key=lambda item: ("decorators" not in item[1], item[0])):
            if name in given:
                *others, last = given[name]
                written += [*others, last.removesuffix(" ...") + body(member)]
            else:
                function = class_ if name == "__new__" else getattr(class_, name)
                written.append(self.function(member, function))
        return f"{self.decorators(of)}class {of['name']}{base}:" + body(of, *written)

    def module(self, module: ModuleType) -> str:
        """Write everything, in the order of `lib.rs`."""
        declared = next(chunk for chunk in self.by_id.values() if chunk["type"] == "module")
        members = [self.by_id[member] for member in declared["members"]]
        constants = [member for member in self.members[declared["id"]] if member["type"] == "attribute"]
        parts = [f"__all__ = {json.dumps([member['name'] for member in members + constants])}"]
        parts += [f"{constant['name']}: {self.annotation(constant['annotation'])}" for constant in constants]
        for member in members:
            write = self.class_ if member["type"] == "class" else self.function
            parts.append(write(member, getattr(module, member["name"])))
        return "\n".join(parts)


def body(of: Chunk, *members: str) -> str:
    """Write what follows the colon: the doc comment and the members."""
    text = of.get("doc", "").strip().replace("\\", "\\\\").replace('"""', '\\"""')
    parts = [f'"""{text}"""', *members] if text else members
    lines = "\n".join(parts).split("\n") if parts else ["..."]
    return "".join(f"\n    {line}".rstrip(" ") for line in lines)


def written(module: ModuleType) -> str:
    """Return the stub for the module; without its descriptions nothing."""
    found = chunks(module)
    if not found:
        return ""
    types = TYPES.read_text()
    declared = Writer(found, types).module(module)
    sets = [
        f"_{name}: TypeAlias = Literal{json.dumps(values)}"
        for name, values in sorted(closed_sets().items())
        if re.search(rf"\b_{name}\b", types + declared) and f"\n_{name}: " not in types
    ]
    imports, rest = types.split("# The closed sets of the core.\n")
    rest, _ = rest.split("# These replace what Rust declares.\n")
    text = "\n".join([imports, *sets, rest, declared])
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(STUB), "-"]
    return subprocess.run(ruff, input=text, text=True, capture_output=True, check=True).stdout


if __name__ == "__main__":
    STUB.write_text(written(hotfix._core))
