"""PLAN-6: what each phase can see, from Python, and its plot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

import hotfix
from hotfix import plot


def plan(preset: str = "phased-canary", **traffic: Any) -> hotfix.Plan:
    policy = hotfix.Policy.preset(preset)
    return policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"}, traffic)


def test_plan_6_s1_is_a_coin_toss_at_every_gate() -> None:
    power = plan(requests_per_minute=1000).power
    assert [round(phase["expected_events"], 9) for phase in power["phases"]] == [3.0, 15.0, 90.0]
    assert [round(100 * (1 - phase["healthy_passes"])) for phase in power["phases"]] == [35, 43, 47]
    assert round(100 * power["all_gates"]) == 19
    assert power["phases"][0]["smallest_ratio"] == pytest.approx(5.7, abs=0.1)
    assert any(advice["kind"] == "fault" and advice["ratio"] == 2.0 for advice in power["advice"])


def test_plan_6_the_page_is_the_same_words() -> None:
    page = plan(requests_per_minute=1000).power_markdown()
    assert "A healthy fix is expected to have 3, 15 and 90 errors" in page
    assert "misses the gates in 35, 43 and 47 of 100 cases and passes all of them in about 19" in page
    assert page.endswith("\n")
    assert not page.endswith("\n\n")


def test_plan_6_hotfix_and_its_plots_import_without_matplotlib() -> None:
    code = "import hotfix, hotfix.plot, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_plan_6_without_matplotlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install matplotlib"):
        plot.power(plan())


def test_plan_6_the_plot_has_a_panel_a_phase(tmp_path: Path) -> None:
    figure = plot.power(plan(requests_per_minute=1000))
    panels = figure.axes
    assert [panel.get_title() for panel in panels] == [
        "canary: 10% for 10 min",
        "partial: 50% for 10 min",
        "full: 100% for 30 min",
    ]
    # No live arm is left in the last phase, so nothing is tested there.
    assert [len([line for line in panel.lines if line.get_marker() == "o"]) for panel in panels] == [3, 3, 2]
    passes, plain, found = (line for line in panels[0].lines if line.get_marker() == "o")
    assert list(plain.get_xdata()) == [1.0, 1.5, 2.0, 5.0, 10.0, 20.0]
    assert plain.get_ydata()[0] == pytest.approx(35.28, abs=0.01)
    assert passes.get_ydata()[0] == pytest.approx(64.70, abs=0.01)
    assert found.get_ydata()[0] < 1
    assert "false alarms: 35" in panels[0].get_xlabel()
    figure.savefig(tmp_path / "power.png")
    assert (tmp_path / "power.png").stat().st_size > 10_000


def test_plan_6_a_plot_goes_into_axes_of_ones_own() -> None:
    figure = Figure()
    axes = figure.subplots(1, 3)
    assert plot.power(plan(), axes) is figure
    with pytest.raises(ValueError, match="3 phases need 3 axes, not 1"):
        plot.power(plan(), [axes[0]])


def test_plan_6_where_nothing_is_foreseen_nothing_is_plotted() -> None:
    with pytest.raises(ValueError, match="add `reference` to `error_rate`"):
        plot.power(plan("fast-track"))
