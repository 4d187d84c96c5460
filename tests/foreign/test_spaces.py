"""Spaces of other libraries, made by those libraries, in every class that takes a space."""

import math

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from hpsearch import (
    ExhaustiveSearchCV,
    GPSearchCV,
    Integer,
    Real,
    SampledSearchCV,
    TPESearchCV,
    minimize,
)
from hpsearch.optimizers import GPOptimizer, RandomOptimizer
from hpsearch.space import Space

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
X, y = load_iris(return_X_y=True)


def drawn(space, n=200):
    """Candidates of a space at random, fewer if it has no more."""
    return [p for p, _ in zip(RandomOptimizer(space, random_state=0), range(n), strict=False)]


@pytest.fixture
def optuna():
    return pytest.importorskip("optuna")


@pytest.fixture
def skopt():
    return pytest.importorskip("skopt")


@pytest.fixture
def hp():
    return pytest.importorskip("hyperopt").hp


@pytest.fixture
def cs():
    return pytest.importorskip("ConfigSpace")


class TestOptuna:
    def test_distributions(self, optuna):
        """Each becomes the dimension that it describes."""
        d = optuna.distributions
        branch = Space.of(
            {
                "a": d.FloatDistribution(0.1, 10, log=True),
                "b": d.FloatDistribution(-1, 1),
                "c": d.FloatDistribution(0, 1, step=0.25),
                "d": d.IntDistribution(1, 64, log=True),
                "e": d.IntDistribution(0, 9),
                "f": d.IntDistribution(16, 128, step=16),
                "g": d.CategoricalDistribution(["x", None, True]),
                "h": d.FloatDistribution(2, 2),
            }
        ).branches[0]
        assert branch["a"] == Real(0.1, 10, log=True)
        assert branch["b"] == Real(-1, 1)
        assert branch["c"].values == [0, 0.25, 0.5, 0.75, 1]
        assert branch["d"] == Integer(1, 64, log=True)
        assert branch["e"] == Integer(0, 9)
        assert branch["f"].values == list(range(16, 129, 16))
        assert branch["g"].values == ["x", None, True]
        assert branch["h"].values == [2.0]

    def test_what_is_drawn_belongs_to_the_distribution(self, optuna):
        """By Optuna's own word, value for value and type for type."""
        d = optuna.distributions
        space = {
            "a": d.FloatDistribution(1e-5, 1, log=True),
            "c": d.FloatDistribution(0, 1, step=0.1),
            "e": d.IntDistribution(1, 99, step=7),
            "g": d.CategoricalDistribution([1, 2.5, "x"]),
        }
        for params in drawn(space):
            for name, distribution in space.items():
                inner = distribution.to_internal_repr(params[name])
                assert distribution._contains(inner)
                assert distribution.to_external_repr(inner) == pytest.approx(params[name]) or (
                    params[name] == "x"
                )
            assert type(params["e"]) is int

    def test_searches(self, optuna):
        d = optuna.distributions
        space = {"C": d.FloatDistribution(0.01, 100, log=True), "degree": d.IntDistribution(2, 4)}
        for cls in (SampledSearchCV, GPSearchCV, TPESearchCV):
            search = cls(SVC(), space, n_iter=6, random_state=0).fit(X, y)
            assert all(0.01 <= p["C"] <= 100 for p in search.cv_results_["params"])
        grid = {"degree": d.IntDistribution(2, 4), "kernel": d.CategoricalDistribution(["poly"])}
        assert len(ExhaustiveSearchCV(SVC(), grid).fit(X, y).trials_) == 3


class TestSkopt:
    def test_dimensions(self, skopt):
        """Alone, in a list with names, and as a Space."""
        s = skopt.space
        expected = {"C": Real(1e-3, 10, log=True), "n": Integer(1, 9)}
        named = [s.Real(1e-3, 10, "log-uniform", name="C"), s.Integer(1, 9, name="n")]
        space = {"C": s.Real(1e-3, 10, "log-uniform"), "n": s.Integer(1, 9)}
        for given in (space, named, s.Space(named)):
            assert Space.of(given).branches == [expected]
        assert Space.of({"k": s.Categorical(["a", "b"])}).branches[0]["k"].values == ["a", "b"]

    def test_what_is_drawn_belongs_to_the_dimension(self, skopt):
        s = skopt.space
        space = {
            "a": s.Real(-3, 5),
            "b": s.Integer(3, 300, prior="log-uniform"),
            "c": s.Categorical(["a", 3, None]),
        }
        for params in drawn(space):
            assert all(params[name] in dimension for name, dimension in space.items())

    def test_refusals(self, skopt):
        s = skopt.space
        with pytest.raises(ValueError, match="unequal weights"):
            Space.of({"k": s.Categorical(["a", "b"], prior=[0.9, 0.1])})
        with pytest.raises(ValueError, match="need names"):
            Space.of([s.Real(0, 1), s.Real(0, 2)])

    def test_bayes_search_pages_run(self, skopt):
        """The space of BayesSearchCV's page, with the class changed."""
        s = skopt.space
        space = {
            "C": s.Real(1e-6, 1e6, prior="log-uniform"),
            "gamma": s.Real(1e-6, 1e1, prior="log-uniform"),
            "degree": s.Integer(1, 8),
            "kernel": s.Categorical(["linear", "poly", "rbf"]),
        }
        search = GPSearchCV(SVC(max_iter=1000), space, n_iter=15, random_state=0).fit(X, y)
        assert search.best_score_ > 0.9


def quadratic(space):
    """The objective of hyperopt's tutorial."""
    return (space["x"] - 2) ** 2


class TestHyperopt:
    def test_expressions(self, hp):
        """Each becomes the dimension that it describes; integers are ints."""
        pyll = pytest.importorskip("hyperopt").pyll
        branch = Space.of(
            {
                "a": hp.uniform("a", -1, 1),
                "b": hp.loguniform("b", math.log(1e-3), math.log(10)),
                "c": hp.quniform("c", 1, 10, 1),
                "d": hp.quniform("d", 0, 1, 0.25),
                "e": hp.randint("e", 5),
                "f": hp.randint("f", 2, 5),
                "g": hp.uniformint("g", 1, 4),
                "h": hp.choice("h", ["x", None, (1, 2)]),
                "i": pyll.scope.int(hp.quniform("i", 10, 50, 10)),
                "j": hp.qloguniform("j", 0, math.log(64), 1),
                "k": 3,
            }
        ).branches[0]
        assert branch["a"] == Real(-1, 1)
        assert (branch["b"].low, branch["b"].high) == pytest.approx((1e-3, 10))
        assert branch["b"].log
        assert branch["c"] == Integer(1, 10)
        assert branch["d"].values == [0, 0.25, 0.5, 0.75, 1]
        assert branch["e"] == Integer(0, 4)
        assert branch["f"] == Integer(2, 4)
        assert branch["g"] == Integer(1, 4)
        assert branch["h"].values == ["x", None, (1, 2)]
        assert branch["i"].values == [10, 20, 30, 40, 50]
        assert branch["j"] == Integer(1, 64, log=True)
        assert branch["k"].values == [3]

    def test_normal_priors(self, hp):
        """Quantiles of the same distributions, drawn by hyperopt itself."""
        pyll = pytest.importorskip("hyperopt").pyll
        space = {"n": hp.normal("n", 3, 2), "l": hp.lognormal("l", 1, 0.5)}
        rng = np.random.default_rng(0)
        theirs = [pyll.stochastic.sample(space, rng=rng) for _ in range(2000)]
        ours = drawn(space, 2000)
        for name in space:
            a, b = (
                np.quantile([p[name] for p in both], [0.1, 0.5, 0.9]) for both in (theirs, ours)
            )
            np.testing.assert_allclose(a, b, rtol=0.15, atol=0.15)

    def test_nested_choices(self, hp):
        """The classifier example of its documentation: the function gets what fmin would give."""
        hyperopt = pytest.importorskip("hyperopt")
        space = hp.choice(
            "classifier_type",
            [
                {"type": "naive_bayes"},
                {
                    "type": "svm",
                    "C": hp.lognormal("svm_C", 0, 1),
                    "kernel": hp.choice(
                        "svm_kernel",
                        [
                            {"ktype": "linear"},
                            {"ktype": "RBF", "width": hp.lognormal("svm_rbf_width", 0, 1)},
                        ],
                    ),
                },
                {
                    "type": "dtree",
                    "criterion": hp.choice("dtree_criterion", ["gini", "entropy"]),
                    "max_depth": hp.choice(
                        "dtree_max_depth", [None, hp.uniformint("dtree_max_depth_int", 3, 12)]
                    ),
                },
            ],
        )

        def shape(value):
            if isinstance(value, dict):
                return tuple((key, shape(inner)) for key, inner in sorted(value.items()))
            return value if isinstance(value, str) else type(value)

        rng, seen = np.random.default_rng(0), []
        theirs = {shape(hyperopt.pyll.stochastic.sample(space, rng=rng)) for _ in range(500)}

        def objective(params):
            seen.append(params)
            return {"loss": float(len(params)), "status": hyperopt.STATUS_OK}

        found = minimize(objective, space, n_iter=150, optimizer="random", random_state=0)
        assert {shape(params) for params in seen} == theirs
        assert found.best_params == {"type": "naive_bayes"}
        assert found.trials[0].params.keys() <= {
            *("type", "C", "kernel.ktype", "kernel.width", "criterion", "max_depth")
        }

    @pytest.mark.parametrize("optimizer", ["gp", "tpe"])
    def test_its_tutorial_runs(self, hp, optimizer):
        """`fmin`'s pages, with the call changed: values, not indices."""
        found = minimize(
            quadratic,
            {"x": hp.uniform("x", -10, 10), "act": hp.choice("act", ["relu", "tanh"])},
            n_iter=40,
            optimizer=optimizer,
            random_state=0,
        )
        assert abs(found.best_params["x"] - 2) < 0.3
        assert found.best_params["act"] in ("relu", "tanh")

    def test_bare_expressions_and_lists(self, hp):
        """A function of a number, and of a list of numbers."""
        found = minimize(lambda x: x**2, hp.uniform("x", -10, 10), n_iter=20, random_state=0)
        assert isinstance(found.best_params, float)
        assert abs(found.best_params) < 1
        found = minimize(
            lambda point: point[0] ** 2 + point[1] ** 2,
            [hp.uniform("x", -1, 1), hp.randint("n", 3)],
            n_iter=20,
            random_state=0,
        )
        assert found.best_params[1] == 0

    def test_estimators(self, hp):
        """A conditional space for a search class: a list of dicts by itself."""
        space = hp.choice(
            "kernel",
            [
                {"kernel": "rbf", "gamma": hp.loguniform("g", -7, 0)},
                {"kernel": "poly", "degree": hp.randint("d", 2, 5)},
            ],
        )
        for cls in (SampledSearchCV, GPSearchCV, TPESearchCV):
            search = cls(SVC(), space, n_iter=12, random_state=0).fit(X, y)
            assert {p["kernel"] for p in search.cv_results_["params"]} == {"rbf", "poly"}
            assert all(
                ("gamma" in p) == (p["kernel"] == "rbf") for p in search.cv_results_["params"]
            )
        grid = ExhaustiveSearchCV(SVC(), {"C": hp.choice("C", [1, 10])}).fit(X, y)
        assert [p["C"] for p in grid.cv_results_["params"]] == [1, 10]

    def test_refusals(self, hp):
        for bad, told in [
            ({"p": hp.pchoice("p", [(0.2, "a"), (0.8, "b")])}, "unequal weights"),
            ({"n": hp.qnormal("n", 0, 1, 1)}, "'n'.*hp.qnormal has no counterpart"),
            ({"n": hp.uniform("n", 0, 1) * 2}, "'n'.*operation 'mul'"),
            ({"a": hp.uniform("x", 0, 1), "b": hp.uniform("x", 0, 1)}, "labels \\['x'\\]"),
            ({"a": hp.uniform("a", 0, 1), "b": [1, 2]}, "'b'.*hp.choice"),
            ({"j": hp.qloguniform("j", 0, 5, 8)}, "qloguniform"),
        ]:
            with pytest.raises((TypeError, ValueError), match=told):
                Space.of(bad)
        many = {
            f"c{i}": hp.choice(f"c{i}", [{"a": hp.uniform(f"a{i}", 0, 1)}, {"b": 1}])
            for i in range(12)
        }
        with pytest.raises(ValueError, match="more than 1000 branches"):
            Space.of(many)


class TestConfigSpace:
    def space(self, cs):
        """Conditions on a category, on an integer, joined, and chained; two forbidden clauses."""
        space = cs.ConfigurationSpace(seed=0)
        kernel = cs.Categorical("kernel", ["linear", "poly", "rbf", "sigmoid"])
        degree = cs.Integer("degree", (2, 5))
        gamma = cs.Float("gamma", (1e-4, 10), log=True)
        coef0 = cs.Float("coef0", (0, 1))
        extra = cs.Categorical("extra", ["a", "b"])
        fixed = cs.Constant("tol", 0.01)
        space.add(kernel, degree, gamma, coef0, extra, fixed)
        space.add(cs.EqualsCondition(degree, kernel, "poly"))
        space.add(cs.InCondition(gamma, kernel, ["rbf", "poly", "sigmoid"]))
        space.add(
            cs.OrConjunction(
                cs.EqualsCondition(coef0, kernel, "sigmoid"),
                cs.GreaterThanCondition(coef0, degree, 3),
            )
        )
        space.add(cs.LessThanCondition(extra, coef0, 0.5))
        space.add(
            cs.ForbiddenAndConjunction(
                cs.ForbiddenEqualsClause(kernel, "poly"), cs.ForbiddenInClause(degree, [2, 5])
            )
        )
        return space

    def test_what_is_drawn_is_a_configuration(self, cs):
        """By ConfigSpace's own checks: conditions, forbidden clauses, values."""
        space = self.space(cs)
        ours = drawn(space, 300)
        for params in ours:
            cs.Configuration(space, values=params).check_valid_configuration()
        theirs = {tuple(sorted(c)) for c in space.sample_configuration(500)}
        assert {tuple(sorted(p)) for p in ours} == theirs
        assert {p["kernel"] for p in ours} == {"linear", "poly", "rbf", "sigmoid"}

    def test_what_it_draws_lies_in_the_space(self, cs):
        """Every configuration has its place here."""
        theirs = self.space(cs)
        ours = Space.of(theirs)
        for configuration in theirs.sample_configuration(300):
            assert ours.allows(ours.encode(dict(configuration)))

    def test_relations(self, cs):
        """A clause between two parameters."""
        space = cs.ConfigurationSpace({"low": (0.0, 1.0), "high": (0.0, 1.0)})
        space.add(cs.ForbiddenGreaterThanRelation(space["low"], space["high"]))
        assert all(p["low"] <= p["high"] for p in drawn(space))

    def test_other_hyperparameters(self, cs):
        space = cs.ConfigurationSpace(seed=0)
        space.add(cs.OrdinalHyperparameter("o", [1, 10, 100]))
        space.add(cs.OrdinalHyperparameter("w", ["cold", "warm", "hot"]))
        space.add(cs.NormalFloatHyperparameter("n", mu=0, sigma=1, lower=-2, upper=2))
        space.add(cs.BetaFloatHyperparameter("b", alpha=2, beta=3, lower=1, upper=3))
        for params in drawn(space):
            cs.Configuration(space, values=params).check_valid_configuration()
        np.testing.assert_allclose(
            np.mean([p["b"] for p in drawn(space)]),
            np.mean([c["b"] for c in space.sample_configuration(2000)]),
            atol=0.05,
        )

    def test_refusals(self, cs):
        space = cs.ConfigurationSpace(seed=0)
        space.add(cs.Categorical("c", ["a", "b"], weights=[0.9, 0.1]))
        with pytest.raises(ValueError, match=r"'c'.*unequal weights"):
            Space.of(space)
        space = cs.ConfigurationSpace(seed=0)
        space.add(cs.NormalIntegerHyperparameter("n", mu=5, sigma=1, lower=0, upper=9))
        with pytest.raises(TypeError, match=r"'n'.*no counterpart"):
            Space.of(space)

    def test_searches(self, cs):
        """In every class, the forbidden clauses kept, with a constraint of the user's beside."""
        space = cs.ConfigurationSpace(seed=0)
        kernel = cs.Categorical("kernel", ["poly", "rbf"])
        degree = cs.Integer("degree", (2, 4), default=2)
        C = cs.Float("C", (0.1, 10), log=True)
        space.add(kernel, degree, C)
        space.add(cs.EqualsCondition(degree, kernel, "poly"))
        space.add(cs.ForbiddenEqualsClause(degree, 3))
        for cls in (SampledSearchCV, GPSearchCV, TPESearchCV):
            search = cls(
                SVC(), space, n_iter=10, random_state=0, constraint=lambda p: p["C"] < 5
            ).fit(X, y)
            assert len(search.trials_) == 10
            for params in search.cv_results_["params"]:
                assert params.get("degree") != 3
                assert params["C"] < 5
                assert ("degree" in params) == (params["kernel"] == "poly")
        grid = cs.ConfigurationSpace(seed=0)
        grid.add(kernel, degree)
        grid.add(cs.EqualsCondition(degree, kernel, "poly"))
        grid.add(cs.ForbiddenEqualsClause(degree, 3))
        search = ExhaustiveSearchCV(SVC(), grid).fit(X, y)
        assert search.cv_results_["params"] == [
            {"degree": 2, "kernel": "poly"},
            {"degree": 4, "kernel": "poly"},
            {"kernel": "rbf"},
        ]
        found = minimize(lambda p: p.get("degree", 5), space, n_iter=20, random_state=0)
        assert found.best_params["degree"] == 2


def test_searches_resume_and_clone_with_foreign_spaces(hp, cs, tmp_path):
    """A checkpoint knows the same space again, built anew, and another one from it."""
    from sklearn.base import clone

    def search(high):
        space = cs.ConfigurationSpace(seed=0)
        space.add(cs.Float("C", (0.1, high), log=True))
        return GPSearchCV(
            SVC(), space, n_iter=4, random_state=0, checkpoint=tmp_path / "run.sqlite"
        )

    first = search(10).fit(X, y)
    again = clone(search(10)).fit(X, y)
    assert first.cv_results_["params"] == again.cv_results_["params"]
    assert (
        again.cv_results_["mean_fit_time"].tolist() == first.cv_results_["mean_fit_time"].tolist()
    )
    with pytest.raises(ValueError, match="differs"):
        search(20).fit(X, y)

    def least(high):
        space = {"x": hp.uniform("x", 0, high), "c": hp.choice("c", ["a", "b"])}
        return minimize(
            quadratic, space, n_iter=5, random_state=0, checkpoint=tmp_path / "m.sqlite"
        )

    assert least(1).best_params == least(1).best_params
    with pytest.raises(ValueError, match="the space differs"):
        least(2)


def test_optimizers_take_them(hp):
    """In a loop of one's own as well."""
    optimizer = GPOptimizer({"x": hp.uniform("x", 0, 1)}, random_state=0)
    params = optimizer.ask()
    optimizer.tell(params, 1.0)
    assert 0 <= params["x"] <= 1
