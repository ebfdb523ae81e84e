"""Recordings from files and keyword arguments, for `hotfix.backtest` and `hotfix.history`."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from importlib import import_module
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hotfix._core import _backtest, _history, _mapping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hotfix import Backtests, Policy, RecordedHistory

__all__ = ["backtest", "history"]

_FORMATS = {".csv": "csv", ".jsonl": "json_lines", ".json": "prometheus", ".parquet": "parquet"}


def backtest(
    policy: Policy | Sequence[Policy],
    recording: str | bytes | PathLike[str],
    mapping: Mapping[str, Any] | str | None = None,
    *,
    format: Literal["csv", "json_lines", "prometheus", "parquet"] | None = None,
    from_: datetime | str | None = None,
    until: datetime | str | None = None,
    severity: Literal["P0", "P1", "P2", "P3"] | None = None,
) -> Backtests:
    r"""Run policies over recorded metrics and report when they would have acted. Nothing is deployed.

    Parameters
    ----------
    policy : Policy or sequence of Policy
        One policy, or several to compare on the same recording.
    recording : str, bytes or os.PathLike
        The text of a recording, or its path as ``pathlib.Path``. At most 64 MiB of text.
    mapping : dict or str, optional
        Which columns, series and labels belong to which metric: ``{"time", "metrics", "assume"}``; text is JSON. JSON
        Lines need no mapping. `docs/backtest.md` describes it.
    format : str, optional
        The format; for a path it follows from the ending: ``.csv``, ``.jsonl``, ``.json`` for Prometheus, ``.parquet``.
    from_ : datetime or str, optional
        The assumed time of the fix's first traffic; by default one usual step before the
        canary's first requests, in a rollout's log when the traffic was confirmed.
    until : datetime or str, optional
        The time when watching ends; by default the last reading.
    severity : str, optional
        The incident's severity; by default that of a rollout's log, else the policy's first.

    Returns
    -------
    Backtests
        The decisions of each policy, and the findings.

    Raises
    ------
    RecordedError
        With code and place, for a recording or a mapping that cannot be read, or a policy that cannot be run on it.
    ImportError
        For Parquet if pyarrow is not installed: ``pip install pyarrow``.

    Examples
    --------
    >>> import hotfix
    >>> rows = "".join(f"2026-03-03T14:{m:02}:00Z,{3 if m < 10 else 100},1000\n" for m in range(30))
    >>> mapping = {"metrics": {"error_rate": {"canary": {"events": "errors", "trials": "requests"}}}}
    >>> policy = hotfix.Policy.preset("standard")
    >>> found = hotfix.backtest(policy, "time,errors,requests\n" + rows, mapping, format="csv")
    >>> found.policies[0].first_alert.isoformat(), found.policies[0].why
    ('2026-03-03T14:10:00+00:00', 'error_rate: rollback_band')
    """
    given = {"from": from_, "until": until, "severity": severity}
    assume = {name: value for name, value in given.items() if value is not None}
    policies = list(policy) if isinstance(policy, Sequence) else [policy]
    return _backtest(policies, *_read(recording, mapping, format, assume))


def history(
    policy: Policy,
    recording: str | bytes | PathLike[str],
    mapping: Mapping[str, Any] | str | None = None,
    *,
    format: Literal["csv", "json_lines", "prometheus", "parquet"] | None = None,
) -> RecordedHistory:
    r"""Read recorded metrics as the history that calibrates a plan.

    Parameters
    ----------
    policy : Policy
        The policy of the plan: its cadence is that of the history.
    recording : str, bytes or os.PathLike
        The text of a recording, or its path as ``pathlib.Path``: ordinary operation, or the logs of earlier healthy
        rollouts. At most 64 MiB of text.
    mapping : dict or str, optional
        Which columns, series and labels belong to which metric, as for `backtest`. A metric needs ``instance``, the
        column or label that names the instance. JSON Lines need no mapping.
    format : str, optional
        The format, as for `backtest`.

    Returns
    -------
    RecordedHistory
        ``history`` is the ``calibration`` of `Policy.plan`; ``findings`` say what could not be used.

    Raises
    ------
    RecordedError
        With code and place, for a recording or a mapping that cannot be read, or without a history in it.
    ImportError
        For Parquet if pyarrow is not installed: ``pip install pyarrow``.

    Examples
    --------
    >>> import hotfix
    >>> rows = [f"{10 * tick},pod-{pod},{(tick + pod) % 40 // 39},12" for tick in range(2160) for pod in range(20)]
    >>> arm = {"events": "errors", "trials": "requests", "instance": "pod"}
    >>> mapping = {"time": {"unit": "seconds"}, "metrics": {"error_rate": {"canary": arm}}}
    >>> policy = hotfix.Policy.preset("standard")
    >>> found = hotfix.history(policy, "\n".join(["time,pod,errors,requests", *rows]), mapping, format="csv")
    >>> len(found.history["error_rate"]), found.findings
    (20, [])
    >>> incident, release = {"id": "INC-2041", "severity": "P1"}, {"version": "2.3.1", "previous": "2.3.0"}
    >>> plan = policy.plan(incident, release, {"requests_per_minute": 1440}, calibration=found.history)
    >>> hotfix.Rollout(plan).evidence("error_rate").guarantee
    'calibrated'
    """
    return _history(policy, *_read(recording, mapping, format, {}))


def _read(
    recording: str | bytes | PathLike[str],
    mapping: Mapping[str, Any] | str | None,
    format: str | None,
    assume: Mapping[str, object],
) -> tuple[str | bytes, str, str]:
    """Return the text, its format and its mapping as the core takes them."""
    written = format or _format_of(recording)
    read = _mapping("" if mapping is None else mapping, assume)
    return _parquet(recording, read) if written == "parquet" else (_text(recording), written, read)


def _format_of(recording: str | bytes | PathLike[str]) -> str:
    if isinstance(recording, str | bytes):
        raise TypeError("the format of a text is not known: give `format`")
    ending = Path(fspath(recording)).suffix.lower()
    if ending not in _FORMATS:
        raise TypeError(f"the format of a file with the ending {ending!r} is not known: give `format`")
    return _FORMATS[ending]


def _text(recording: str | bytes | PathLike[str]) -> str | bytes:
    return recording if isinstance(recording, str | bytes) else Path(fspath(recording)).read_bytes()


def _parquet(recording: str | bytes | PathLike[str], mapping: str) -> tuple[str, str, str]:
    """Write a table as the CSV that the core reads; timestamps become whole milliseconds."""
    try:
        pa: Any = import_module("pyarrow")
        pc: Any = import_module("pyarrow.csv")
        pq: Any = import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError("Parquet needs pyarrow: pip install pyarrow") from error
    if isinstance(recording, str):
        raise TypeError("Parquet is bytes, or a path")
    source = io.BytesIO(recording) if isinstance(recording, bytes) else fspath(recording)
    table = pq.read_table(source)
    document = json.loads(mapping)
    time = document.get("time", {})
    name = time.get("from", "time")
    if name in table.column_names and pa.types.is_timestamp(table.schema.field(name).type):
        kind = table.schema.field(name).type
        if kind.tz is None:
            raise ValueError(f"the timestamps of {name!r} have no zone: store them with one")
        millis = table.column(name).cast(pa.timestamp("ms", tz=kind.tz), safe=False).cast(pa.int64())
        table = table.set_column(table.column_names.index(name), name, millis)
        document["time"] = {**time, "unit": "milliseconds"}
    out = io.BytesIO()
    pc.write_csv(table, out)
    return out.getvalue().decode(), "csv", json.dumps(document)
