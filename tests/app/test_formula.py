"""The last layer of each page: the formula behind its picture."""

from __future__ import annotations

import pytest

import bridgeviz as bv
from bridgeviz.costs import COSTS
from bridgeviz.couplings import SOLVERS, STRATEGIES
from bridgeviz.experiments import equations
from bridgeviz.experiments.lessons import LESSONS
from bridgeviz.ui.panels import formula

from .driver import load

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def formulas(app) -> list[str]:
    (section,) = [one for one in app.expander if one.label == formula.TITLE]
    return [one.value for one in section.latex]


@pytest.mark.parametrize("page", [name for name in formula.PAGES if name not in ("partners", "diagnose", "compare")])
def test_a_page_ends_with_its_formula(page):
    app = load(page, dataset="blobs", steps="10").run() if page in ("data", "flow") else load(page).run()
    assert not app.exception
    if page != "your_data":  # which stops before it where nothing is uploaded
        assert [one.strip("$\n ") for one in formulas(app)] == list(formula.PAGES[page][1])


def test_the_formula_of_the_pairs_page_is_the_cost_s_and_that_of_the_coupling_page_the_solver_s():
    app = load("pairs_and_cost", dataset="blobs", percent="10", cost="knn").run()
    assert any("ShortestPath" in one for one in formulas(app))
    app = load("coupling", dataset="blobs", percent="10", cost="bridge").run()
    assert any(r"\quad (1)" in one for one in formulas(app))
    app = load("coupling", dataset="blobs", percent="10", strategy="true").run()
    assert any(r"\quad (5)" in one for one in formulas(app))


@pytest.mark.parametrize("entry", [*COSTS.values(), *SOLVERS.values()], ids=lambda entry: entry.name)
def test_every_cost_and_every_solver_says_what_it_computes(entry):
    assert entry.formula.count("{") == entry.formula.count("}")
    assert entry.formula


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_lesson_states_an_equation_as_the_pages_do(lesson):
    stated = [value for name, value in vars(equations).items() if name.isupper()]
    stated += [entry.formula for entry in (*COSTS.values(), *SOLVERS.values())]
    for step in lesson.steps:
        left = step.formula
        for one in stated:
            left = left.replace(one, "")
        assert left.replace(r"\qquad", "").strip(", ") == ""


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_has_an_objective(strategy):
    assert bv.RunConfig(strategy=strategy).coupling.objective
