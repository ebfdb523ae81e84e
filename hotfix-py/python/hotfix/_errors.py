"""The exceptions. They are written in Python, so that they can have two base classes and be pickled."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hotfix._core import ImportFault, Problem, TrainFinding, TrainMove, _InputKind, _State


class Error(Exception):
    """The base class of all exceptions of this package.

    Attributes
    ----------
    code
        A stable code such as ``"HF-POL-006"``; `docs/codes.md` lists all.
    """

    code: str = ""


class PolicyError(Error, ValueError):
    r"""A policy that cannot be read, with every fault.

    Attributes
    ----------
    code, path
        Of the first error.
    errors
        All of them, each with `code`, `path` (a JSON Pointer) and `message`; in a text also with `line` and
        `column`, and with the `base` that has the place, if it is not the policy itself.

    Examples
    --------
    >>> import hotfix
    >>> try:
    ...     hotfix.Policy.from_toml("format = 1\nnaem = 'payments'")
    ... except hotfix.PolicyError as error:
    ...     [e.path for e in error.errors if e.code == "HF-POL-006"]
    ['/naem']
    """

    path: str = ""
    errors: list[Problem] = []  # noqa: RUF012 - replaced, never changed


class FactError(Error, ValueError):
    """Facts of an incident that cannot be read, with every fault.

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
    """Documents from which no plan can be made, or parts from which no commit message can be made.

    Attributes
    ----------
    path : str
        The place: a JSON Pointer into ``{"incident", "release", "traffic", "calibration"}``, or into the parts of the
        message; empty if the error concerns the whole.
    """

    path: str


class InputError(Error, ValueError):
    """An invalid input or time. Nothing was logged, and nothing has changed.

    Attributes
    ----------
    path
        The place, a JSON Pointer into the input such as ``/metrics/error_rate/canary/pod-7``; empty if the error
        concerns the whole.
    """

    path: str = ""


class Refused(Error):  # noqa: N818 - not an error of the program
    """A valid input that is refused in the present state. The state is unchanged.

    Attributes
    ----------
    accepted
        The kinds of input that would be accepted.
    state
        The state in which it was refused.
    got
        The kind of the refused input.
    path
        Of a refused reading its place, a JSON Pointer such as ``/metrics/error_rate/canary/pod-7``; else empty.
    events
        The log lines of the refusal: append them like any others. Usually one line or none.
    service
        In a train: the service that the input was for, to whose log `events` belong.
    moves
        In a train: its moves before the refusal. Append them and act on them first.
    findings
        In a train: findings about which people have to be notified at once.
    """

    accepted: list[_InputKind] = []  # noqa: RUF012 - replaced, never changed
    state: _State
    got: _InputKind
    path: str = ""
    events: list[str] = []  # noqa: RUF012 - replaced, never changed
    service: str = ""
    moves: list[TrainMove] = []  # noqa: RUF012 - replaced, never changed
    findings: list[TrainFinding] = []  # noqa: RUF012 - replaced, never changed


class LogError(Error, ValueError):
    """A log or a snapshot that cannot be replayed or restored.

    Attributes
    ----------
    line
        The line, from 1; 0 if the error concerns a snapshot.
    """

    line: int = 0


class ReportError(Error, ValueError):
    """A report, a measure or an export that cannot be made."""


class StatsError(Error, ValueError):
    """Settings or data that a test does not accept."""


class KayentaError(Error, ValueError):
    """A configuration or samples that the Kayenta-compatible judge does not accept.

    Attributes
    ----------
    code, path
        Of the first error; the path is a JSON Pointer into the configuration, the settings or the samples.
    errors
        All of them, each with `code`, `path` and `message`; in a text also with `line` and `column`.
    """

    path: str = ""
    errors: list[Problem] = []  # noqa: RUF012 - replaced, never changed


class RecordedError(Error, ValueError):
    """A recording that cannot be read, or that a policy cannot be run on.

    Attributes
    ----------
    code, path
        Of the first error; the path is "line 3, column 2" or a JSON Pointer, and empty if the error concerns the whole.
    errors
        All of them, also of a mapping, each with `code`, `path` (a JSON Pointer) and `message`; in a text also with
        `line` and `column`.
    """

    path: str = ""
    errors: list[Problem] = []  # noqa: RUF012 - replaced, never changed


class ConvertError(Error, ValueError):
    r"""Documents of another tool that cannot be imported, with every fault.

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
    """A message that cannot be written, or a request with an unknown kind, audience or format.

    Attributes
    ----------
    code, path
        Of the first error; the path is a JSON Pointer into the request, and empty for a message that cannot be written.
    errors
        All faults of a request, each with `code`, `path` and `message`.
    """

    path: str = ""
    errors: list[Problem] = []  # noqa: RUF012 - replaced, never changed


class SimulationError(Error, ValueError):
    """A scenario that cannot be read or does not fit the policy, with every fault.

    Attributes
    ----------
    code, path
        Of the first error.
    errors
        All of them, each with `code`, `path` (a JSON Pointer) and `message`; in a text also with `line` and `column`.

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
