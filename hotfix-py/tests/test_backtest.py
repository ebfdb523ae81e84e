"""Policies over recorded metrics (FIELD-12).

The cases are Rust's and C's, too: `recorded/csv.toml` describes the form.
"""

from __future__ import annotations

import pickle
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from test_corpus import ABSENT, CASES, standing

import hotfix
from hotfix._core import _backtest, _history

Case = dict[str, Any]
FILES = ("csv", "json_lines", "prometheus", "backtest")
MAPPING = {"metrics": {"error_rate": {"canary": {"events": "errors", "trials": "requests"}}}}
ROWS = [(m, 3 if m < 10 else 100, 1000) for m in range(30)]
CSV = "time,errors,requests\n" + "".join(f"2026-03-03T14:{m:02}:00Z,{e},{n}\n" for m, e, n in ROWS)


def cases(*names: str) -> list[Any]:
    files = [tomllib.loads((CASES / "recorded" / f"{name}.toml").read_text()) for name in names]
    return [pytest.param(case, id=case["id"]) for file in files for case in file["case"]]


def policy_of(case: Case) -> hotfix.Policy:
    text: str = case.get("policy", "phased-canary")
    return hotfix.Policy.from_toml(text) if "\n" in text else hotfix.Policy.preset(text)


def run(case: Case) -> hotfix.Backtests:
    return _backtest([policy_of(case)], case["text"], case["format"], case.get("mapping", ""))


@pytest.mark.parametrize("case", cases(*FILES))
def test_field_12_recordings_are_read_or_refused(case: Case) -> None:
    if "error" in case:
        with pytest.raises(hotfix.RecordedError) as caught:
            run(case)
        assert [caught.value.code, caught.value.path] == case["error"]
        return
    stands(case, run(case).to_dict())


@pytest.mark.parametrize("case", cases("history"))
def test_field_17_a_history_is_read_from_a_recording(case: Case) -> None:
    def read() -> hotfix.RecordedHistory:
        return _history(policy_of(case), case["text"], case["format"], case.get("mapping", ""))

    if "error" in case:
        with pytest.raises(hotfix.RecordedError) as caught:
            read()
        assert [caught.value.code, caught.value.path] == case["error"]
        return
    answer = read()
    stands(case, {**answer.to_dict(), "history": answer.history})


def stands(case: Case, answer: dict[str, Any]) -> None:
    def found(pointer: str) -> Any:
        return standing(answer, pointer.split("/")[1:])

    for pointer, expected in case.get("at", []):
        assert found(pointer) == expected, pointer
    for pointer, part in case.get("says", []):
        assert part in found(pointer), pointer
    for pointer in case.get("absent", []):
        assert found(pointer) is ABSENT, pointer


def test_field_12_several_policies_are_compared() -> None:
    policies = [hotfix.Policy.preset("phased-canary"), hotfix.Policy.preset("standard")]
    found = hotfix.backtest(policies, CSV, MAPPING, format="csv", from_=datetime(2026, 3, 3, 14, 5, tzinfo=UTC))
    assert found.from_ == datetime(2026, 3, 3, 14, 5, tzinfo=UTC)
    first, second = found.policies
    assert (first.policy, second.policy) == ("phased-canary", "standard")
    assert first.first_rollback == datetime(2026, 3, 3, 14, 10, tzinfo=UTC)
    assert first.why == "error_rate: rollback_band"
    assert first.would[-1]["what"] == "roll_back"
    assert first.metrics["bug"]["left_out"] is True
    assert "| phased-canary |" in found.to_markdown()
    assert pickle.loads(pickle.dumps(found)) == found


def test_field_12_a_path_says_how_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "recorded.csv"
    file.write_text(CSV)
    policy = hotfix.Policy.preset("phased-canary")
    told = hotfix.backtest(policy, file, MAPPING)
    assert told == hotfix.backtest(policy, CSV.encode(), MAPPING, format="csv")
    with pytest.raises(TypeError, match="format"):
        hotfix.backtest(policy, CSV, MAPPING)


def test_field_12_parquet_is_read_where_pyarrow_is(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    times = [datetime(2026, 3, 3, 14, m, tzinfo=UTC) for m, _, _ in ROWS]
    table = pa.table({"time": times, "errors": [e for _, e, _ in ROWS], "requests": [n for _, _, n in ROWS]})
    file = tmp_path / "recorded.parquet"
    pq.write_table(table, file)
    policy = hotfix.Policy.preset("phased-canary")
    assert hotfix.backtest(policy, file, MAPPING) == hotfix.backtest(policy, CSV, MAPPING, format="csv")


def test_field_12_parquet_without_pyarrow_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install pyarrow"):
        hotfix.backtest(hotfix.Policy.preset("standard"), b"PAR1", MAPPING, format="parquet")


@pytest.mark.parametrize(
    ("recording", "mapping", "code", "path"),
    [
        (b"time,errors\n\xff", "{}", "HF-REC-005", "line 2, column 1"),
        (b"time,errors\n", "{" * 100_000, "HF-REC-001", ""),
    ],
)
def test_field_12_bytes_and_mappings_that_cannot_be_read_are_refused(
    recording: bytes, mapping: str, code: str, path: str
) -> None:
    policy = hotfix.Policy.preset("standard")
    for call in (
        lambda: hotfix.backtest(policy, recording, mapping, format="csv"),
        lambda: hotfix.history(policy, recording, mapping, format="csv"),
    ):
        with pytest.raises(hotfix.RecordedError) as caught:
            call()
        assert caught.value.code == code
        assert not path or caught.value.path == path


@pytest.mark.parametrize(
    ("mapping", "severity", "path"),
    [
        ({"metrics": {"error_rate": {"canary": {"events": 3}}}}, None, "/metrics/error_rate/canary/events"),
        (MAPPING, "P9", "/assume/severity"),
        ('{"metrics": {}}', "P9", "/assume/severity"),
    ],
)
def test_field_12_what_is_wrong_in_no_text_has_a_key_path_and_no_line(mapping: Any, severity: Any, path: str) -> None:
    with pytest.raises(hotfix.RecordedError) as caught:
        hotfix.backtest(hotfix.Policy.preset("standard"), CSV, mapping, format="csv", severity=severity)
    assert str(caught.value).startswith(f"HF-REC-001 at {path}: ")
    assert [(error.path, error.line, error.column) for error in caught.value.errors] == [(path, None, None)]
