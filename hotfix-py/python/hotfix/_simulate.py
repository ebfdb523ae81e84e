"""Drills and simulations: runs a policy against synthetic incidents, without a deployment."""

from __future__ import annotations

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
    """Simulate a policy against synthetic incidents, many times.

    The same seed gives the same table for any number of threads. The threads run in parallel, without the interpreter's
    lock. Ctrl-C stops the simulation.

    Parameters
    ----------
    policy : Policy or Plan
        The policy or plan to simulate. For a policy, a plan is made with the incident and release of the scenario.
    scenario : str or mapping
        Traffic, faults and people: TOML or JSON text, or a mapping. `docs/simulation.md` lists the keys.
    runs : int
        The number of runs.
    seed : int, optional
        By default the scenario's seed, or 0.
    threads : int, optional
        By default the number of cores.
    progress : bool or callable, optional
        True for a progress bar, by tqdm or rich if one of them is installed, otherwise on standard error. A callable
        receives the number of finished runs and the number of all runs.

    Returns
    -------
    dict
        The outcome table: false rollbacks, missed faults, times, affected requests, missed duties and questions, each
        with a 95% interval.

    Raises
    ------
    SimulationError
        With every fault of the scenario.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> outcome = hotfix.simulate(policy, {"faults": [{"kind": "errors", "times": 30.0}]}, runs=20)
    >>> outcome["missed_faults"]["count"], outcome["ended"]
    (0, {'rolled_back': 20})
    """
    with _shown(progress) as report:
        outcome = _core._simulate(policy, scenario, runs, seed, threads, report)
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
    """Compare two policies in runs with the same random seeds.

    Parameters
    ----------
    first, second : Policy or Plan
        What decides.
    scenario, runs, seed, threads, progress
        As in `simulate`.

    Returns
    -------
    dict
        The differences of the second policy, each with its paired 95% interval, and both outcome tables as ``first``
        and ``second``.

    Raises
    ------
    SimulationError
        With every fault of the scenario.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> table = hotfix.compare(policy, policy, {}, runs=5)
    >>> table["affected_each"]["mean"], table["rolled_back"]["difference"]
    (0.0, 0.0)
    """
    with _shown(progress) as report:
        differences = _core._compare(first, second, scenario, runs, seed, threads, report)
    return differences


def drill(
    policy: Policy | Plan,
    scenario: str | Mapping[str, Any],
    *,
    seed: int | None = None,
    number: int = 0,
) -> DrillRun:
    """Simulate one run and keep its log.

    Parameters
    ----------
    policy : Policy or Plan
        What decides.
    scenario, seed
        As in `simulate`.
    number : int
        The number of the run.

    Returns
    -------
    dict
        ``run`` has the result, ``unmet`` the expectations of the scenario that were not met, ``log`` every line.

    Raises
    ------
    SimulationError
        With every fault of the scenario.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> scenario = {"faults": [{"kind": "errors", "times": 30.0}], "expect": {"ended": ["rolled_back"]}}
    >>> drill = hotfix.drill(policy, scenario)
    >>> drill["unmet"], hotfix.audit(drill["log"]).clean
    ([], True)
    """
    return _core._drill(policy, scenario, seed, number)


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
    """Simulate a policy with other values, and find those that keep false rollbacks below a bound at the least harm.

    Every combination of the values is a candidate, including the policy's own values. All candidates use the same
    random seeds in every scenario. The same seed gives the same advice for any number of threads.

    Parameters
    ----------
    policy : Policy
        The policy to simulate as it is, and with other values.
    scenarios : sequence of str or mapping
        The scenarios, each as in `simulate`: at least one without a fault, and one for each fault to detect.
    axes : sequence of mapping, or None
        ``{"path": "/phases/0/share", "values": ["5%", "20%"]}``: a place in the policy's JSON, and the values to use
        there. None uses the usual axes: half and twice the first phase's share and duration, and the level of the
        tests.
    runs : int
        The number of runs of each candidate in each scenario. A candidate keeps a bound only if its runs show it: for a
        bound of 5%, a hundred runs show little, five hundred show much.
    bound : float or str
        The allowed share of false rollbacks in every scenario.
    seed : int, optional
        Below 2**53; by default the seed of the first scenario.
    threads, progress
        As in `simulate`; the progress counts the runs of all candidates, each through every scenario.

    Returns
    -------
    Advice
        The candidates and the recommended one; `to_markdown` writes a table.

    Raises
    ------
    SimulationError
        With every fault of the question, each with its place: ``/axes/0/path``.

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
    question = {"scenarios": _listed(scenarios), "axes": _listed(axes), "runs": runs, "bound": bound}
    if isinstance(question["axes"], list):
        question["axes"] = [_with_values(axis) for axis in question["axes"]]
    if seed is not None:
        question["seed"] = seed
    with _shown(progress) as report:
        advice = _core._advise(policy, question, threads, report)
    return advice


def _listed(value: object) -> object:
    """Make a list of an array, a generator and the like; anything else is judged where it is read."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)) else value


def _with_values(axis: object) -> object:
    return {**axis, "values": _listed(axis["values"])} if isinstance(axis, Mapping) and "values" in axis else axis


@contextmanager
def _shown(
    progress: bool | Callable[[int, int], object] | None,
) -> Iterator[Callable[[int, int], object] | None]:
    if progress is None or progress is False:
        yield None
    elif progress is not True:
        yield progress
    else:
        with _bar() as report:
            yield report


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
