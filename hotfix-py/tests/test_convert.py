"""Documents of other tools as policies (FIELD-5).

The cases are Rust's and C's, too: `convert/argo.toml` describes the form.
"""

from __future__ import annotations

import pickle
import tomllib
from typing import Any

import pytest
from test_corpus import CASES, standing

import hotfix

Case = dict[str, Any]


def cases() -> list[Any]:
    names = ["argo", "flagger", "kayenta", "openslo", "text"]
    files = [tomllib.loads((CASES / "convert" / f"{name}.toml").read_text()) for name in names]
    return [pytest.param(case, id=case["id"]) for file in files for case in file["case"]]


def placed(finding: hotfix.ImportFinding | hotfix.ImportFault) -> str:
    place = f"{finding.document} {finding.line}:{finding.column}"
    return f"{finding.code} {place} {finding.path}".rstrip()


@pytest.mark.parametrize("case", cases())
def test_field_5_every_document_is_imported_as_its_case_says(case: Case) -> None:
    if "errors" in case:
        with pytest.raises(hotfix.ConvertError) as caught:
            hotfix.convert(case["text"], case.get("kind"))
        error = caught.value
        assert [placed(fault) for fault in error.errors] == case["errors"]
        first = error.errors[0]
        assert all(part in first.message for part in case.get("says", [])), first.message
        assert (error.code, error.path) == (first.code, first.path)
        assert (error.line, error.column) == (first.line, first.column)
        return
    imported = hotfix.convert(case["text"], case.get("kind"))
    policy = imported.policy.to_dict()
    assert imported.kind == case["is"]
    assert [[p["share"], p["watch"], p["gate"]] for p in policy["phases"]] == case["phases"]
    assert sorted(policy["metrics"]) == case["metrics"]
    for pointer, expected in case.get("at", []):
        assert standing(policy, pointer.split("/")[1:]) == expected, pointer
    assert [placed(finding) for finding in imported.findings] == case["findings"]
    for part in case.get("says", []):
        assert any(part in finding.message for finding in imported.findings), part
    assert hotfix.Policy.from_toml(imported.text) == imported.policy
    assert pickle.loads(pickle.dumps(imported)) == imported


def test_field_5_a_kind_that_is_none_names_those_there_are() -> None:
    with pytest.raises(hotfix.InputError, match="argo_rollouts, flagger, kayenta, openslo"):
        hotfix.convert("a: 1", "argo")  # type: ignore[arg-type]


def test_field_5_an_error_can_be_pickled() -> None:
    with pytest.raises(hotfix.ConvertError) as caught:
        hotfix.convert("a: [")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.code, again.errors) == (caught.value.code, caught.value.errors)
