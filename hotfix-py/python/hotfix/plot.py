"""Plots with matplotlib: the extra ``plot`` of the distribution ``hotfix-py``.

Importing `hotfix` does not import this module, and this module imports matplotlib only when something is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hotfix import Plan

__all__ = ["power"]


def power(plan: Plan, axes: Any = None) -> Any:
    """Plot the power of each phase of a plan: the probability to catch a fault, by its size.

    There is one panel for each phase. Dashed: faults that the policy's plain bounds roll back in time. Solid: faults
    that the sequential test detects. Dotted: faults that pass the gate. At 1 on the left is a healthy fix, whose
    rollbacks are false alarms.

    Parameters
    ----------
    plan : Plan
        A plan whose `power` has a leading metric.
    axes : sequence of matplotlib.axes.Axes, optional
        One for each phase; without it a new figure is made.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; show it or save it.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If no power can be computed, or the number of axes differs from the number of phases.

    Examples
    --------
    >>> import hotfix
    >>> from hotfix import plot
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
    >>> plot.power(plan).savefig("power.svg")  # doctest: +SKIP
    """
    seen = plan.power
    phases = seen.get("phases", [])
    if not phases:
        raise ValueError(f"no power can be computed: {seen.get('missing', 'no metric leads')}")
    if axes is None:
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError("a plot needs matplotlib: pip install matplotlib") from error
        # Not a figure of pyplot: it opens no window and is freed with the last reference.
        figure = Figure(figsize=(1.2 + 3.4 * len(phases), 3.6), layout="constrained")
        axes = list(figure.subplots(1, len(phases), sharey=True, squeeze=False)[0])
    else:
        axes = list(axes)
        if len(axes) != len(phases):
            raise ValueError(f"{len(phases)} phases need {len(phases)} axes, not {len(axes)}")
        figure = axes[0].figure
    for axis, phase in zip(axes, phases, strict=True):
        _phase(axis, phase, seen["power"])
    axes[0].set_ylabel("of 100 rollouts")
    # The first phase has every line; the last may have no live arm to test against.
    axes[0].legend(loc="center right", fontsize="small", framealpha=0.9)
    figure.suptitle(
        f"{seen['metric']}: faults that each phase catches in time, at {seen['requests_per_minute']:g} requests "
        f"per minute, {100 * seen['base_rate']:g}% bad requests before the incident",
        fontsize="medium",
    )
    return figure


def _phase(axis: Any, phase: dict[str, Any], power: float) -> None:
    faults = [fault for fault in phase["faults"] if "plain" in fault]
    ratios = [1.0, *(fault["ratio"] for fault in faults)]
    plain = [phase["healthy_rolled_back"]["chance"], *(fault["plain"]["chance"] for fault in faults)]
    passes = [phase["healthy_passes"], *(fault["passes"]["chance"] for fault in faults)]
    style = {"marker": "o", "markersize": 4, "clip_on": False}
    axis.plot(ratios, [100 * chance for chance in passes], ":", color="0.45", label="passes the gate", **style)
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
    axis.set_xlabel(f"error rate as a multiple of the reference\n{alarms}", fontsize="small")
    axis.set_title(f"{phase['phase']}: {100 * phase['share']:g}% for {phase['minutes']:g} min", fontsize="small")
