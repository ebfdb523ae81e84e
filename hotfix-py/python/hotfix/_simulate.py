"""Drills and simulations: a policy is rehearsed against made-up incidents, with no deployment."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hotfix import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hotfix._core import Advice, Differences, DrillRun, Plan, Policy, SimulationOutcome

__all__ = ["advise", "compare", "drill", "simulate"]


def simulate(
    policy: Policy | Plan,
    scenario: str | Mapping[str, Any],
    runs: int,
    *,
    seed: int | None = None,
    threads: int | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
) -> SimulationOutcome:
    """Play a policy against made-up incidents, many times.

    The same seed gives the same table, however many threads play it; they run side by side, without the
    interpreter's lock. Ctrl-C stops it.

    Parameters
    ----------
    policy : Policy or Plan
        What decides. For a policy a plan is made with the incident and release of the scenario.
    scenario : str or mapping
        Traffic, faults and people: TOML or JSON, or what they hold. `docs/simulation.md` has the keys.
    runs : int
        How many.
    seed : int, optional
        Without it the scenario's own, 0 where it has none.
    threads : int, optional
        Without it as many as there are cores.
    progress : bool or callable, optional
        True for a progress bar, by tqdm or rich where one of them is installed and on standard error where not; a
        callable is told the runs that were played and the runs there are.

    Returns
    -------
    dict
        The outcome table: false rollbacks, missed faults, times, users hurt, duties missed and questions, each with a
        95 % interval.

    Raises
    ------
    SimulationError
        With all that is wrong with the scenario.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> outcome = hotfix.simulate(policy, {"faults": [{"kind": "errors", "times": 30.0}]}, runs=20)
    >>> outcome["missed_faults"]["count"], outcome["ended"]
    (0, {'rolled_back': 20})
    """
    with _shown(progress) as told:
        outcome = _core._simulate(policy, _text(scenario), runs, seed, threads, told)
    return outcome


def compare(
    first: Policy | Plan,
    second: Policy | Plan,
    scenario: str | Mapping[str, Any],
    runs: int,
    *,
    seed: int | None = None,
    threads: int | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
) -> Differences:
    """Play two policies against the same luck, and say what the second does differently.

    Parameters
    ----------
    first, second : Policy or Plan
        What decides.
    scenario, runs, seed, threads, progress
        As in `simulate`.

    Returns
    -------
    dict
        Each difference with its paired 95 % interval, and both outcome tables as ``first`` and ``second``.

    Raises
    ------
    SimulationError
        With all that is wrong with the scenario.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> table = hotfix.compare(policy, policy, {}, runs=5)
    >>> table["hurt_each"]["mean"], table["turned_back"]["difference"]
    (0.0, 0.0)
    """
    with _shown(progress) as told:
        differences = _core._compare(first, second, _text(scenario), runs, seed, threads, told)
    return differences


def drill(
    policy: Policy | Plan,
    scenario: str | Mapping[str, Any],
    *,
    seed: int | None = None,
    number: int = 0,
) -> DrillRun:
    """Play one run and keep its log.

    Parameters
    ----------
    policy : Policy or Plan
        What decides.
    scenario, seed
        As in `simulate`.
    number : int
        Which run of the seed.

    Returns
    -------
    dict
        ``run`` has what came of it, ``unmet`` what the scenario expects and what did not come, ``log`` every line.

    Raises
    ------
    SimulationError
        With all that is wrong with the scenario.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> scenario = {"faults": [{"kind": "errors", "times": 30.0}], "expect": {"ended": ["rolled_back"]}}
    >>> drill = hotfix.drill(policy, scenario)
    >>> drill["unmet"], hotfix.audit(drill["log"]).is_clean
    ([], True)
    """
    return _core._drill(policy, _text(scenario), seed, number)


def advise(
    policy: Policy,
    scenarios: Sequence[str | Mapping[str, Any]],
    axes: Sequence[Mapping[str, Any]] | None,
    runs: int,
    *,
    bound: float | str = 0.05,
    seed: int | None = None,
    threads: int | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
) -> Advice:
    """Try a policy with other values, and say which keep false rollbacks under a bound at the least harm.

    Every combination of the values is a candidate, and each value is tried beside the one that the policy has. All
    meet the same luck in every scenario. The same seed gives the same advice, however many threads play it.

    Parameters
    ----------
    policy : Policy
        What is tried as it is, and with other values.
    scenarios : sequence of str or mapping
        What it is tried in, each as in `simulate`: at least one without a fault, and one for each fault to be found.
    axes : sequence of mapping, or None
        ``{"path": "/phases/0/share", "values": ["5%", "20%"]}``: a place in the policy's JSON, and what is tried there.
        None tries what is usual: half and twice the first phase's share and duration, and the level of the tests.
    runs : int
        Of each candidate in each scenario. A candidate keeps a bound only where its runs show it: of 5 % a hundred show
        little, five hundred much.
    bound : float or str
        The share of false rollbacks that is allowed in every scenario.
    seed : int, optional
        At most 2**53; without it the first scenario's own.
    threads, progress
        As in `simulate`; told are the runs of all candidates, each through every scenario.

    Returns
    -------
    Advice
        The candidates and which of them to take; `to_markdown` is the table of them.

    Raises
    ------
    SimulationError
        With all that is wrong with the question, each with its place: ``/axes/0/path``.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("standard")
    >>> scenarios = [{}, {"faults": [{"kind": "errors", "times": 30.0}]}]
    >>> axes = [{"path": "/phases/0/share", "values": ["2%", "20%"]}]
    >>> advice = hotfix.advise(policy, scenarios, axes, runs=20, bound=0.4)
    >>> [(candidate.changes, candidate.keeps) for candidate in advice.candidates]
    [({}, True), ({'/phases/0/share': '2%'}, True), ({'/phases/0/share': '20%'}, True)]
    >>> advice.candidates[advice.best].changes
    {'/phases/0/share': '2%'}
    """
    question = {"scenarios": scenarios, "axes": axes, "runs": runs, "bound": bound}
    if seed is not None:
        question["seed"] = seed
    with _shown(progress) as told:
        advice = _core._advise(policy, json.dumps(question, default=_plain), threads, told)
    return advice


def _plain(value: object) -> object:
    """Turn a mapping into a dict and what can be gone through into a list, for JSON."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value)} is no value of a question: give dict, list, str, number, bool or None")


def _text(scenario: str | Mapping[str, Any]) -> str:
    return scenario if isinstance(scenario, str) else json.dumps(dict(scenario))


@contextmanager
def _shown(
    progress: bool | Callable[[int, int], object] | None,
) -> Iterator[Callable[[int, int], object] | None]:
    if progress is None or progress is False:
        yield None
    elif progress is not True:
        yield progress
    else:
        with _bar() as told:
            yield told


@contextmanager
def _bar() -> Iterator[Callable[[int, int], object]]:
    """Show a progress bar: tqdm's, rich's, or a line on standard error."""
    try:
        tqdm = import_module("tqdm.auto").tqdm
    except ImportError:
        pass
    else:
        with tqdm(unit="run") as bar:

            def by_tqdm(done: int, runs: int) -> None:
                bar.total = runs
                bar.update(done - bar.n)

            yield by_tqdm
        return
    try:
        rich = import_module("rich.progress")
    except ImportError:
        pass
    else:
        with rich.Progress() as shown:
            task = shown.add_task("runs", total=None)
            yield lambda done, runs: shown.update(task, completed=done, total=runs)
        return

    def plain(done: int, runs: int) -> None:
        share = done / runs if runs else 1.0
        sys.stderr.write(f"\r{done} of {runs} runs ({share:.0%})")
        sys.stderr.flush()

    try:
        yield plain
    finally:
        sys.stderr.write("\n")
