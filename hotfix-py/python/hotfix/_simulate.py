"""Drills and simulations: a policy is rehearsed against made-up incidents, with no deployment."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hotfix import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hotfix._core import Differences, DrillRun, Plan, Policy, SimulationOutcome

__all__ = ["compare", "drill", "simulate"]


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
