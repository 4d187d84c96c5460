"""Keywords of other packages are answered with ours."""

import copy
import inspect
import pickle

import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from hpsearch import (
    Categorical,
    ExhaustiveSearchCV,
    GPSearchCV,
    Integer,
    Ordinal,
    Real,
    SampledSearchCV,
    TPESearchCV,
    maximize,
    minimize,
)

GRID = {"C": [1, 10]}
SPACE = {"x": (0.0, 1.0)}


def square(params):
    return params["x"] ** 2


@pytest.mark.parametrize(
    ("call", "given", "keyword", "told"),
    [
        # as in BayesSearchCV, OptunaSearchCV, GridSearchCV and HalvingRandomSearchCV
        (GPSearchCV, [SVC()], {"search_spaces": GRID}, "'param_distributions' here"),
        (TPESearchCV, [SVC(), GRID], {"n_trials": 9}, "'n_iter' here"),
        (TPESearchCV, [SVC(), GRID], {"timeout": 9}, "'max_time' here"),
        (GPSearchCV, [SVC(), GRID], {"n_points": 9}, "no batches"),
        (ExhaustiveSearchCV, [SVC()], {"param_distributions": GRID}, "'param_grid' here"),
        (ExhaustiveSearchCV, [SVC(), GRID], {"iid": True}, "It takes: estimator, param_grid, .*cv"),
        (SampledSearchCV, [SVC()], {"param_grid": GRID}, "'param_distributions' here"),
        (SampledSearchCV, [SVC(), GRID], {"factor": 3}, 'pruner="halving".*takes this'),
        (SampledSearchCV, [SVC(), GRID], {"n_candidates": 9}, "'n_iter' here"),
        (ExhaustiveSearchCV, [SVC(), GRID], {"aggressive_elimination": True}, "no such option"),
        (TPESearchCV, [SVC(), GRID], {"enable_pruning": True}, "'pruner' here"),
        (TPESearchCV, [SVC(), GRID], {"max_iter": 9}, r'HalvingPruner\("max_iter"\)'),
        (TPESearchCV, [SVC(), GRID], {"subsample": 0.5}, 'pruner="halving"'),
        (TPESearchCV, [SVC(), GRID], {"catch": ()}, "costs its candidate alone"),
        (GPSearchCV, [SVC(), GRID], {"n_initial_points": 9}, "no such option"),
        (SampledSearchCV, [SVC(), GRID], {"n_itr": 3}, "mean 'n_iter'"),
        # as in study.optimize, fmin and gp_minimize
        (minimize, [square, SPACE], {"n_trials": 9}, "'n_iter' here"),
        (minimize, [square, SPACE], {"max_evals": 9}, "'n_iter' here"),
        (maximize, [square, SPACE], {"n_calls": 9}, "'n_iter' here"),
        (maximize, [square, SPACE], {"direction": "maximize"}, "Call minimize or maximize"),
        (minimize, [], {"fn": square, "space": SPACE}, "'objective' here"),
        # as in skopt.space and Optuna's distributions
        (Real, [1e-3, 1.0], {"prior": "log-uniform"}, "log=True"),
        (Real, [1e-3, 1.0], {"transform": "normalize"}, "makes no difference"),
        (Integer, [1, 9], {"step": 2}, "List the values"),
        (Categorical, [["a", "b"]], {"prior": [0.1, 0.9]}, "all as likely"),
        (Categorical, [], {"categories": ["a"]}, "'values' here"),
        (Ordinal, [], {"choices": [1, 2]}, "'values' here"),
    ],
)
def test_errors_name_our_keyword(call, given, keyword, told):
    """A TypeError, as Python's own, that says what to write."""
    named = f"{call.__name__}.*unexpected keyword argument '{next(iter(keyword))}'.*{told}"
    with pytest.raises(TypeError, match=named):
        call(*given, **keyword)


@pytest.mark.parametrize("prior", ["uniform", "log-uniform", 2, None])
@pytest.mark.parametrize("cls", [Real, Integer])
def test_a_third_argument_is_not_taken_for_a_logarithm(cls, prior):
    """skopt's prior and Optuna's step stand where ours has `log`; "uniform" is true to Python."""
    with pytest.raises(TypeError, match="log is True or False"):
        cls(1, 9, prior)


def test_a_list_is_not_taken_for_three_values_where_a_range_is_meant():
    """As BayesSearchCV takes it."""
    search = GPSearchCV(SVC(), {"C": [1e-3, 1e3, "log-uniform"]})
    with pytest.raises(ValueError, match=r"'C'.*A range is a tuple: \(0.001, 1000.0, 'log-unif"):
        search.fit([[0.0], [1.0]] * 9, [0, 1] * 9)


@pytest.mark.parametrize("cls", [GPSearchCV, TPESearchCV])
def test_a_branch_with_a_budget_of_its_own_is_told_to_go_without(cls):
    """As BayesSearchCV takes them."""
    search = cls(SVC(), [({"C": (0.1, 1.0)}, 9), {"gamma": (0.1, 1.0)}])
    with pytest.raises(TypeError, match=r"Write its dict alone.*one budget"):
        search.fit([[0.0], [1.0]] * 9, [0, 1] * 9)


@pytest.mark.parametrize("keyword", ["callback", "callbacks"])
def test_a_callback_of_fit_is_told_its_place(keyword):
    """Where the estimator's own fit has none of that name, which would be given it."""
    search = ExhaustiveSearchCV(SVC(), GRID)
    with pytest.raises(ValueError, match=f"'{keyword}'.*its watch="):
        search.fit([[0.0], [1.0]] * 9, [0, 1] * 9, **{keyword: print})


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("optimizer_results_", "trials_"),  # BayesSearchCV
        ("total_iterations", r"plan\(X, y\)"),
        ("study_", "to_optuna"),  # OptunaSearchCV
        ("trials_dataframe", r"trials_.to_frame\(\)"),
        ("n_resources_", "cv_results_"),  # HalvingGridSearchCV
    ],
)
def test_errors_name_our_attribute(name, told):
    """An AttributeError, so that `hasattr` is as ever."""
    search = GPSearchCV(SVC(), GRID)
    with pytest.raises(AttributeError, match=f"'GPSearchCV' object.*{name!r}.*{told}"):
        getattr(search, name)
    assert not hasattr(search, name)


def in_its_words(error):
    """What an error and its cause say, whichever of the two searches says it."""
    said = f"{error!r} {error.__cause__!r}"
    return said.replace("ExhaustiveSearchCV", "GridSearchCV")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("x", "best_params"),  # scipy, scikit-optimize
        ("fun", "best_value"),
        ("func_vals", "to_frame"),
        ("trials_dataframe", "to_frame"),  # Optuna
        ("optimize", "checkpoint="),
        ("losses", "to_frame"),  # hyperopt
    ],
)
def test_an_optimum_names_our_attribute(name, told):
    """What other minimisers return has other names; copies are asked for their own."""
    found = minimize(square, {"x": [0.5, 1.0]}, optimizer="grid")
    for optimum in (found, copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert not hasattr(optimum, name)
        with pytest.raises(AttributeError, match=f"'Optimum' object.*{name!r}.*{told}"):
            getattr(optimum, name)
        assert optimum.best_value == 0.25


def test_other_missing_attributes_say_what_they_say_in_scikit_learn():
    """Also the methods that are there only after a refit."""
    searches = [cls(SVC(), GRID, refit=False) for cls in (ExhaustiveSearchCV, GridSearchCV)]
    for name in ("predict", "transform", "classes_", "best_estimator_", "nothing"):
        said = []
        for search in searches:
            search.fit([[0.0], [1.0]] * 9, [0, 1] * 9)
            with pytest.raises(AttributeError) as raised:
                getattr(search, name)
            said.append(in_its_words(raised.value))
        assert said[0] == said[1]


class Own(GPSearchCV):
    """With keywords of its own, whatever they are."""

    def __init__(self, estimator=None, **kwargs):
        self.given = kwargs
        super().__init__(estimator, {})


def test_signatures_and_copies_are_as_ever():
    """Tools that look at signatures see ours; copies are made without any."""
    search = GPSearchCV(SVC(), {"C": Real(1, 2, log=True), "degree": Integer(1, 3)})
    for twin in (clone(search), copy.deepcopy(search), pickle.loads(pickle.dumps(search))):
        assert repr(twin) == repr(search)
    for call in (GPSearchCV, ExhaustiveSearchCV, Real, Categorical, minimize):
        named = list(inspect.signature(call).parameters)
        assert named[0] in ("estimator", "low", "values", "objective")
    assert Own(SVC(), search_spaces=1).given == {"search_spaces": 1}
