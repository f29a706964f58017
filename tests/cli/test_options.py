"""Options that are generated from metadata: those of new members of the registries, and those that are not read."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bridgeviz._options import Positive, option
from bridgeviz.costs import COSTS, CostOptions, as_cost
from bridgeviz.couplings import SOLVERS, Linear
from bridgeviz.datasets import DATASETS, Blobs
from bridgeviz.flows import ODE_SOLVERS, VELOCITIES, AdaLN, Heun

from . import conftest

ALIGN = (*conftest.ALIGN, "--steps", "20", "--batch-size", "16", "--out", "out")

pytestmark = pytest.mark.usefixtures("small_networks")


@dataclass(frozen=True, kw_only=True)
class Difference(CostOptions):
    """The difference of the first coordinates."""

    name = "difference"
    summary = "the difference of the first coordinates"
    stretch: float = option(Positive(), 1.0, label="Stretch", help="Exponent of the difference.")

    def build(self, x, y, pairs):
        difference = np.abs(np.asarray(x)[:, :1] - np.asarray(y)[:, 0]) ** self.stretch
        return replace(as_cost(difference, self.name), name=self.name)


@dataclass(frozen=True, kw_only=True)
class Renamed(Linear):
    """The linear solver under another name."""

    name = "renamed"
    summary = "the linear problem again"
    endurance: float = option(Positive(), 2.0, label="Endurance", help="Not used.")


@dataclass(frozen=True, kw_only=True)
class Dots(Blobs):
    """Blobs under another name."""

    name = "dots"
    title = "Dots: blobs under another name"


@dataclass(frozen=True, kw_only=True)
class Damped(Heun):
    """Heun's method under another name."""

    name = "damped"
    summary = "Heun's method again"
    damping: float = option(Positive(), 0.5, label="Damping", key="ode_damping", help="Not used.")


@pytest.fixture
def new_members(monkeypatch):
    """One more member in each registry."""
    monkeypatch.setitem(COSTS, "difference", Difference)
    monkeypatch.setitem(SOLVERS, "renamed", Renamed)
    monkeypatch.setitem(VELOCITIES, "mini", AdaLN(d=16, blocks=1))
    monkeypatch.setitem(DATASETS, "dots", Dots)
    monkeypatch.setitem(ODE_SOLVERS, "damped", Damped)


def test_new_members_are_in_the_help(new_members, call):
    code, out, _ = call("align", "--help")
    text = " ".join(out.split())
    assert code == 0
    assert "difference: the difference of the first coordinates." in text
    assert "--stretch NUMBER Exponent of the difference. Only with --cost difference. [default: 1]" in text
    assert "renamed: the linear problem again." in text
    assert "--endurance NUMBER Not used. Only with --solver renamed. [default: 2]" in text
    assert "mini." in text
    text = " ".join(call("transport", "--help")[1].split())
    assert "damped: Heun's method again." in text
    assert "--ode-damping NUMBER Not used." in text
    assert "solver heun, rk4 or damped." in text
    assert "Dots: blobs under another name" in call("datasets")[1]


def test_new_members_run(new_members, folder, call):
    options = ("--cost", "difference", "--stretch", "0.5", "--solver", "renamed", "--endurance", "3")
    code, _, err = call(*ALIGN, *options, "--velocity", "mini", "--reverse", "--no-reweight")
    assert code == 0, err
    report = json.loads((folder / "out" / "report.json").read_text())
    assert (report["cost"], report["cost_options"]) == ("difference", {"stretch": 0.5})
    assert (report["solver"], report["velocity"]) == ("renamed", "mini")
    assert report["config"]["endurance"] == 3
    assert (report["config"]["reverse"], report["config"]["reweight"]) == (True, False)
    code, _, err = call("transport", "out", "y.npy", "--ode-solver", "damped", "--ode-damping", "0.1", "--out", "t.npy")
    assert code == 0, err
    damped = np.load("t.npy")
    assert call("transport", "out", "y.npy", "--ode-steps", "20", "--out", "t.npy")[0] == 0
    np.testing.assert_allclose(damped, np.load("t.npy"), atol=1e-6)


def test_each_side_has_its_own_tau_and_auto_is_the_default(folder, call):
    assert call(*ALIGN, "--tau-y", "0.9", "--epsilon", "auto", "--metric", "auto", "--cost", "knn", "--k", "4")[0] == 0
    report = json.loads((folder / "out" / "report.json").read_text())
    assert report["tau"] == [1.0, 0.9]
    assert report["config"]["epsilon"] is None
    assert (report["metric"], report["cost_options"]) == ("sqeuclidean", {"k": 4})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--k", "5"), ("'k' of align()", "left out with cost 'bridge'", "'geodesic_bridge'", "'knn'")),
        (("--cost", "auto", "--k", "5"), ("'k' of align()", "left out with cost 'auto'")),
        (("--alpha", "0.3", "--strategy", "true"), ("'alpha' of align()", "solver 'linear'", "0.3", "'fgw'")),
        (("--knn-form", "path", "--cost", "kcca"), ("'knn-form' of align()", "cost 'kcca'", "path")),
        (("--k", "1.5"), ("'k' of align()", "an integer", "1.5")),
        (("--ema", "large"), ("'ema' of align()", "a number, or off", "large")),
        (("--learning-rate", "0"), ("'learning-rate' of align()", "float > 0")),
        (("--cost", "knn", "--k", "0"), ("'k' of align()", "integer >= 1")),
        (("--cost", "knn", "--k", "3", "--cost-option", "k=4"), ("'cost-option' of align()", "k=4")),
        (("--cost", "auto", "--cost-option", "k=5"), ("no option 'k'", "none")),
        (("--devices", "two"), ("'devices' of align()", "an integer", "two")),
        (("--kk", "5"), ("--kk",)),
    ],
    ids=lambda value: " ".join(value)[-40:],
)
def test_options_that_are_not_read_are_refused(folder, call, options, words):
    code, out, err = call(*ALIGN, *options)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def test_the_strategy_may_leave_options_unread_and_says_so(folder, call):
    code, _, err = call(*ALIGN, "--strategy", "true", "--epsilon", "0.1", "--ot-batch-size", "40")
    assert code == 0
    assert "Note: the strategy 'true' does not use --cost, --epsilon, --ot-batch-size." in err


def test_options_of_another_ode_solver_are_refused(call):
    code, _, err = call("transport", "out", "x.npy", "--ode-tolerance", "0.1", "--out", "t.npy")
    assert code == 2
    assert err.count("\n") == 1
    assert "'ode-tolerance' of transport() must be left out with ode solver 'heun'. Got 0.1 instead." in err
