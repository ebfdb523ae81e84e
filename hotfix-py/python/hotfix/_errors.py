"""The exceptions. They are written in Python so that they can have two bases and be pickled."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hotfix._core import ImportFault, Problem, TrainFinding, TrainMove, _InputKind, _State


class Error(Exception):
    """What every exception of this package is.

    Attributes
    ----------
    code
        A stable code such as ``"HF-POL-006"``; `docs/codes.md` lists all.
    """

    code: str = ""


class PolicyError(Error, ValueError):
    r"""A policy that cannot be read: everything that is wrong with it, at once.

    Attributes
    ----------
    code, path
        Of the first error.
    errors
        All of them, each with `code`, `path` (a JSON Pointer) and `message`.

    Examples
    --------
    >>> import hotfix
    >>> try:
    ...     hotfix.Policy.from_toml("format = 1\nnaem = 'house'")
    ... except hotfix.PolicyError as error:
    ...     [e.path for e in error.errors if e.code == "HF-POL-006"]
    ['/naem']
    """

    path: str = ""
    errors: list[Problem] = []  # noqa: RUF012 - replaced, never changed


class FactError(Error, ValueError):
    """Facts of an incident that cannot be read: everything that is wrong with them, at once.

    Attributes
    ----------
    code, path
        Of the first error.
    errors
        All of them, each with `code`, `path` (a JSON Pointer) and `message`.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> try:
    ...     policy.classify({"service_dwon": True})
    ... except hotfix.FactError as error:
    ...     error.code, error.path
    ('HF-FACT-001', '/service_dwon')
    """

    path: str = ""
    errors: list[Problem] = []  # noqa: RUF012 - replaced, never changed


class PlanError(Error, ValueError):
    """An incident, release or traffic that no plan can be made of, or parts that make no commit message.

    Attributes
    ----------
    path : str
        Where: a JSON Pointer into ``{"incident", "release", "traffic", "calibration"}``, or into the parts of the
        message; empty for the whole.
    """

    path: str


class InputError(Error, ValueError):
    """An input or a time that is none. Nothing was logged, nothing has changed."""


class Refused(Error):  # noqa: N818 - not an error of the program
    """A legal input that is not taken now. The state is as before.

    Attributes
    ----------
    accepted
        The kinds of input that would be taken.
    state
        In which state it was refused.
    got
        The kind that came.
    events
        The log lines that the refusal adds, to be appended like any other; mostly one or none.
    service
        In a train: the service that the input was for, to whose log `events` belong.
    moves
        In a train: what it did before, to be appended and acted on first.
    findings
        In a train: what came up meanwhile for a person to know. To be told at once.
    """

    accepted: list[_InputKind] = []  # noqa: RUF012 - replaced, never changed
    state: _State
    got: _InputKind
    events: list[str] = []  # noqa: RUF012 - replaced, never changed
    service: str = ""
    moves: list[TrainMove] = []  # noqa: RUF012 - replaced, never changed
    findings: list[TrainFinding] = []  # noqa: RUF012 - replaced, never changed


class LogError(Error, ValueError):
    """A log, or a snapshot, that cannot be taken up.

    Attributes
    ----------
    line
        Which line, from 1; 0 where it is about a snapshot.
    """

    line: int = 0


class ReportError(Error, ValueError):
    """A report that cannot be made: another format, or a rollout that keeps no log."""


class StatsError(Error, ValueError):
    """A figure that a test does not take."""


class KayentaError(Error, ValueError):
    """A configuration or samples that the Kayenta-compatible judge does not take.

    Attributes
    ----------
    path
        A JSON Pointer into the configuration or the samples; empty where it is the whole.
    """

    path: str = ""


class RecordedError(Error, ValueError):
    """A recording that cannot be read, or that a policy cannot be run on.

    Attributes
    ----------
    path
        Where: "line 3, column 2" or a JSON Pointer; empty where it is the whole.
    """

    path: str = ""


class ConvertError(Error, ValueError):
    r"""Documents of another tool that cannot be imported: everything that is wrong with them, at once.

    Attributes
    ----------
    code, path, line, column
        Of the first error; line and column count from 1.
    errors
        All of them, each with `code`, `path` (a JSON Pointer), `document`, `line`, `column` and `message`.

    Examples
    --------
    >>> import hotfix
    >>> try:
    ...     hotfix.convert("kind: Rollout\nspec: [")
    ... except hotfix.ConvertError as error:
    ...     error.code, error.line
    ('HF-CONV-002', 3)
    """

    path: str = ""
    line: int = 0
    column: int = 0
    errors: list[ImportFault] = []  # noqa: RUF012 - replaced, never changed


class MessageError(Error, ValueError):
    """A message that is asked for in a way that does not exist, or that cannot be written."""


class SimulationError(Error, ValueError):
    """A scenario that cannot be read or does not fit the policy: everything that is wrong with it, at once.

    Attributes
    ----------
    code, path
        Of the first error.
    errors
        All of them, each with `code`, `path` (a JSON Pointer) and `message`.

    Examples
    --------
    >>> import hotfix
    >>> try:
    ...     hotfix.simulate(hotfix.Policy.preset("standard"), {"faults": [{"kind": "erors"}]}, runs=1)
    ... except hotfix.SimulationError as error:
    ...     error.code, error.path
    ('HF-SIM-005', '/faults/0/kind')
    """

    path: str = ""
    errors: list[Problem] = []  # noqa: RUF012 - replaced, never changed


_MADE = (PolicyError, FactError, PlanError, InputError, Refused, LogError,
    StatsError, KayentaError, RecordedError, ConvertError, MessageError, ReportError, SimulationError)
for _class in (Error, *_MADE):
    _class.__module__ = "hotfix"
