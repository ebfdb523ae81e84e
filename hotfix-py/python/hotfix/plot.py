"""Plots, where matplotlib is installed: the extra ``plot`` of the distribution ``hotfix-py``.

Importing `hotfix` does not import this module, and this module imports matplotlib only when something is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hotfix import Plan

__all__ = ["sight"]


def sight(plan: Plan, axes: Any = None) -> Any:
    """Plot how likely each phase of a plan catches a fault, by its size.

    One panel a phase: dashed what the policy's plain bounds roll back in time, solid what the sequential test finds,
    dotted what gets past the gate. At 1 on the left is a healthy fix, whose rollbacks are false alarms.

    Parameters
    ----------
    plan : Plan
        A plan whose `sight` has a leading metric.
    axes : sequence of matplotlib.axes.Axes, optional
        One for each phase; without it a new figure is made.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; show it or save it.

    Raises
    ------
    ImportError
        Where matplotlib is not installed.
    ValueError
        Where nothing can be foreseen, or there are not as many axes as phases.

    Examples
    --------
    >>> import hotfix
    >>> from hotfix import plot
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
    >>> plot.sight(plan).savefig("sight.svg")  # doctest: +SKIP
    """
    seen = plan.sight
    phases = seen.get("phases", [])
    if not phases:
        raise ValueError(f"nothing can be foreseen: {seen.get('missing', 'no metric leads')}")
    if axes is None:
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError("a plot needs matplotlib: pip install matplotlib") from error
        # A figure of its own, not pyplot's: it opens no window and is freed with the last reference.
        figure = Figure(figsize=(1.2 + 3.4 * len(phases), 3.6), layout="constrained")
        axes = list(figure.subplots(1, len(phases), sharey=True, squeeze=False)[0])
    else:
        axes = list(axes)
        if len(axes) != len(phases):
            raise ValueError(f"{len(phases)} phases want as many axes, not {len(axes)}")
        figure = axes[0].figure
    for axis, phase in zip(axes, phases, strict=True):
        _phase(axis, phase, seen["power"])
    axes[0].set_ylabel("of 100 rollouts")
    # The first phase has every line; the last may have no live arm to test against.
    axes[0].legend(loc="center right", fontsize="small", framealpha=0.9)
    figure.suptitle(
        f"{seen['metric']}: what each phase catches in time, at {seen['requests_per_minute']:g} requests a minute, "
        f"{100 * seen['base_rate']:g}% bad on record",
        fontsize="medium",
    )
    return figure


def _phase(axis: Any, phase: dict[str, Any], power: float) -> None:
    faults = [fault for fault in phase["faults"] if "plain" in fault]
    ratios = [1.0, *(fault["ratio"] for fault in faults)]
    plain = [phase["healthy_rolled_back"]["chance"], *(fault["plain"]["chance"] for fault in faults)]
    passes = [phase["healthy_passes"], *(fault["passes"]["chance"] for fault in faults)]
    style = {"marker": "o", "markersize": 4, "clip_on": False}
    axis.plot(ratios, [100 * chance for chance in passes], ":", color="0.45", label="gets past the gate", **style)
    axis.plot(ratios, [100 * chance for chance in plain], "--", color="C1", label="plain bounds roll back", **style)
    if "false_rollback" in phase:
        found = [phase["false_rollback"]["chance"], *(fault["sequential"]["chance"] for fault in faults)]
        axis.plot(ratios, [100 * chance for chance in found], "-", color="C0", label="sequential test finds", **style)
        alarms = f"false alarms: {100 * plain[0]:.2g} and {100 * found[0]:.2g} of 100"
    else:
        alarms = f"false alarms: {100 * plain[0]:.2g} of 100; no live arm to test against"
    axis.axhline(100 * power, color="0.8", linewidth=0.8, zorder=0)
    axis.set_xscale("log")
    axis.set_xticks(ratios, [f"{ratio:g}" for ratio in ratios])
    axis.minorticks_off()
    axis.set_ylim(0, 100)
    axis.set_xlabel(f"times the record's errors\n{alarms}", fontsize="small")
    axis.set_title(f"{phase['phase']}: {100 * phase['share']:g}% for {phase['minutes']:g} min", fontsize="small")
