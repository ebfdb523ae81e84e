"""POST-5: simulations on threads, with progress, and the errors of a scenario."""

import _thread
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import hotfix

BAD = {"faults": [{"kind": "errors", "times": 30.0}]}


@pytest.fixture(scope="module")
def policy() -> hotfix.Policy:
    return hotfix.Policy.preset("phased-canary")


def test_post_5_the_table_is_the_same_on_any_number_of_threads(policy: hotfix.Policy) -> None:
    tables = [hotfix.simulate(policy, BAD, runs=200, seed=5, threads=threads) for threads in (1, 2, 7, None)]
    assert all(table == tables[0] for table in tables)
    assert (tables[0]["runs"], tables[0]["missed_faults"]["count"]) == (200, 0)
    assert hotfix.simulate(policy, BAD, runs=200, seed=6) != tables[0]


def test_post_5_a_plan_and_a_text_do_as_well(policy: hotfix.Policy) -> None:
    incident, release = {"id": "INC-1", "severity": "P1"}, {"version": "2", "previous": "1"}
    plan = policy.plan(incident, release, {"requests_per_minute": 500})
    table = hotfix.simulate(plan, 'faults = [{ kind = "errors", times = 30.0 }]', runs=3)
    assert table["ended"] == {"rolled_back": 3}
    with pytest.raises(TypeError, match="a Policy or a Plan"):
        hotfix.simulate("standard", {}, runs=1)  # type: ignore[arg-type]
    no_scenarios: list[object] = [None, []]
    for no_scenario in no_scenarios:
        with pytest.raises(TypeError, match="a scenario is a text or a dict"):
            hotfix.simulate(policy, no_scenario, runs=1)  # type: ignore[arg-type]


def test_post_5_no_runs_are_an_empty_table(policy: hotfix.Policy) -> None:
    assert hotfix.simulate(policy, {}, runs=0)["runs"] == 0


def test_post_5_progress_is_told_to_the_end(policy: hotfix.Policy) -> None:
    told: list[tuple[int, int]] = []
    hotfix.simulate(policy, BAD, runs=300, progress=lambda done, runs: told.append((done, runs)))
    assert told[-1] == (300, 300)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_post_5_a_bar_without_tqdm_and_rich_is_a_line(
    policy: hotfix.Policy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("tqdm", "tqdm.auto", "rich", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)
    hotfix.simulate(policy, BAD, runs=10, progress=True)
    assert "10 of 10 runs (100%)\n" in capsys.readouterr().err


def test_post_5_a_bar_by_tqdm(policy: hotfix.Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    class Bar:
        def __init__(self, unit: str) -> None:
            self.unit, self.n, self.total = unit, 0, 0

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            seen.update(n=self.n, total=self.total)

        def update(self, more: int) -> None:
            self.n += more

    module = type(sys)("tqdm.auto")
    module.tqdm = Bar  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tqdm", type(sys)("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    hotfix.simulate(policy, BAD, runs=10, progress=True)
    assert seen == {"n": 10, "total": 10}


def test_post_5_what_a_callback_raises_stops_it(policy: hotfix.Policy) -> None:
    def stop(*_: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        hotfix.simulate(policy, {}, runs=1_000_000, progress=stop)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as in a terminal: a shell starts programs in the background with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_post_5_ctrl_c_stops_it(policy: hotfix.Policy) -> None:
    timer = threading.Timer(0.3, _thread.interrupt_main)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        hotfix.simulate(policy, {}, runs=50_000_000)
    timer.join()
    assert time.monotonic() - begun < 20.0


def test_post_5_others_run_meanwhile(policy: hotfix.Policy) -> None:
    counted, stop = [0], threading.Event()

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0.001)

    other = threading.Thread(target=count)
    other.start()
    hotfix.simulate(policy, {}, runs=3000, threads=1)
    stop.set()
    other.join()
    assert counted[0] > 10


def test_post_5_a_comparison_of_a_policy_with_itself_is_nothing(policy: hotfix.Policy) -> None:
    table = hotfix.compare(policy, policy, BAD, runs=130, threads=2)
    assert table["first"] == table["second"]
    assert (table["affected_each"]["mean"], table["rolled_back"]["only_first"]) == (0.0, 0)
    assert table == hotfix.compare(policy, policy, BAD, runs=130, threads=1)


def test_post_5_a_drill_has_a_log(policy: hotfix.Policy) -> None:
    drill = hotfix.drill(policy, {**BAD, "expect": {"ended": ["closed"]}}, number=3)
    assert drill["run"]["ended"] == "rolled_back"
    assert drill["unmet"] == ["the run ended in `rolled_back`, not in `closed`"]
    assert hotfix.audit(drill["log"]).clean


def test_post_5_all_that_is_wrong_comes_at_once(policy: hotfix.Policy) -> None:
    with pytest.raises(hotfix.SimulationError) as raised:
        hotfix.simulate(policy, {"until": "soon", "sed": 1}, runs=1)
    assert {(error.path, error.code) for error in raised.value.errors} == {
        ("/until", "HF-SIM-004"),
        ("/sed", "HF-SIM-002"),
    }
    with pytest.raises(ValueError, match="HF-SIM-007"):
        hotfix.simulate(policy, {"metrics": {"eror_rate": {}}}, runs=1)
