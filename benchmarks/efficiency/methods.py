# ruff: noqa: PLC0415 - each peer lives in an environment of its own, where the others are not
"""The optimizers, ours and others', each behind `ask()` and `tell(params, score)`.

An adapter takes a problem and a seed. Each speaks its library's own language as its users would,
with the library's defaults: conditional spaces where it knows them, else all parameters side by
side, those that do not count being ignored. Peers are imported when they are asked for.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from problems import Params, Problem

BRANCH = "branch"


class Method(Protocol):
    def ask(self) -> Params: ...
    def tell(self, params: Params, score: float) -> None: ...


# --- ours -----------------------------------------------------------------------------------------


def random(problem: Problem, seed: int) -> Method:
    from hpsearch.optimizers import RandomOptimizer

    return RandomOptimizer(problem.space, seed)


def tpe(problem: Problem, seed: int) -> Method:
    from hpsearch.optimizers import TPEOptimizer

    return TPEOptimizer(problem.space, seed)


def gp(problem: Problem, seed: int) -> Method:
    from hpsearch.optimizers import GPOptimizer

    return GPOptimizer(problem.space, seed)


def gp_defaults_first(problem: Problem, seed: int) -> Method:
    from hpsearch.optimizers import GPOptimizer
    from hpsearch.space import Space
    from hpsearch.start import start_of

    openings = []
    for branch, estimator in zip(problem.branches, problem.estimators, strict=False):
        which = {name: branch[name][0] for name in branch if name == "model"}
        own = Space.of({name: values for name, values in branch.items() if name not in which})
        openings += [which | params for params in start_of(own, estimator, None).first]
    return GPOptimizer(problem.space, seed, openings[:1], opening_params=openings)


# --- how others write a space ---------------------------------------------------------------------


def flat_names(problem: Problem) -> list[dict[str, str]]:
    """Return for each branch its parameters' names in one flat space.

    A parameter that has the same values in several branches is one parameter.
    """
    uses: dict[str, list[Any]] = {}
    names = []
    for branch in problem.branches:
        names.append({})
        for name, values in branch.items():
            known = uses.setdefault(name, [])
            if values not in known:
                known.append(values)
            number = known.index(values)
            names[-1][name] = name if number == 0 else f"{name}{number}"
    return names


def flat_space(problem: Problem) -> dict[str, Any]:
    """Return all parameters of all branches, and the branch where there are several."""
    flat = {}
    for branch, names in zip(problem.branches, flat_names(problem), strict=True):
        flat |= {names[k]: v for k, v in branch.items() if not is_constant(v)}
    n = len(problem.branches)
    return flat | ({BRANCH: list(range(n))} if n > 1 else {})


def from_flat(problem: Problem, flat: Params) -> Params:
    """Return the candidate that a flat one stands for."""
    number = int(flat.get(BRANCH, 0))
    branch, names = problem.branches[number], flat_names(problem)[number]
    return {k: v[0] if is_constant(v) else flat[names[k]] for k, v in branch.items()}


def is_constant(values: Any) -> bool:
    return isinstance(values, list) and len(values) == 1


def is_log(values: Any) -> bool:
    return values[-1] == "log-uniform"


def is_whole(values: Any) -> bool:
    return isinstance(values[0], int)


# --- others ---------------------------------------------------------------------------------------


class Optuna:
    def __init__(self, problem: Problem, sampler: Any) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.problem, self.names = problem, flat_names(problem)
        self.study = optuna.create_study(direction="maximize", sampler=sampler)

    def ask(self) -> Params:
        self.trial = self.study.ask()
        n, number = len(self.problem.branches), 0
        if n > 1:
            number = self.trial.suggest_categorical(BRANCH, list(range(n)))
        branch, names = self.problem.branches[number], self.names[number]
        return {name: self.suggest(names[name], values) for name, values in branch.items()}

    def suggest(self, name: str, values: Any) -> Any:
        if is_constant(values):
            return values[0]
        if isinstance(values, list):
            return self.trial.suggest_categorical(name, values)
        suggest = self.trial.suggest_int if is_whole(values) else self.trial.suggest_float
        return suggest(name, values[0], values[1], log=is_log(values))

    def tell(self, params: Params, score: float) -> None:
        self.study.tell(self.trial, score)


def optuna_tpe(problem: Problem, seed: int) -> Method:
    import optuna

    return Optuna(problem, optuna.samplers.TPESampler(seed=seed))


def optuna_gp(problem: Problem, seed: int) -> Method:
    import optuna

    return Optuna(problem, optuna.samplers.GPSampler(seed=seed))


class Skopt:
    def __init__(self, problem: Problem, seed: int) -> None:
        from skopt import Optimizer
        from skopt.space import Categorical, Integer, Real

        def dimension(values: Any) -> Any:
            if isinstance(values, list):
                return Categorical(range(len(values)))
            kind = Integer if is_whole(values) else Real
            return kind(*values[:2], prior="log-uniform" if is_log(values) else "uniform")

        self.problem, self.flat = problem, flat_space(problem)
        self.optimizer = Optimizer([dimension(v) for v in self.flat.values()], random_state=seed)

    def ask(self) -> Params:
        self.x = self.optimizer.ask()
        flat = {
            name: values[x] if isinstance(values, list) else x
            for (name, values), x in zip(self.flat.items(), self.x, strict=True)
        }
        return from_flat(self.problem, flat)

    def tell(self, params: Params, score: float) -> None:
        self.optimizer.tell(self.x, -score)


class Hyperopt:
    def __init__(self, problem: Problem, seed: int) -> None:
        from hyperopt import Domain, Trials, hp

        self.rng, self.nodes = np.random.default_rng(seed), {}
        branches = [
            {k: v[0] if is_constant(v) else self.node(names[k], v) for k, v in branch.items()}
            for branch, names in zip(problem.branches, flat_names(problem), strict=True)
        ]
        self.space = hp.choice(BRANCH, branches) if len(branches) > 1 else branches[0]
        self.trials = Trials()
        self.domain = Domain(lambda _: 0.0, self.space)

    def node(self, name: str, values: Any) -> Any:
        from hyperopt import hp
        from hyperopt.pyll import scope

        if name not in self.nodes:
            if isinstance(values, list):
                made = hp.choice(name, values)
            elif is_whole(values) and is_log(values):
                low, high = np.log(values[0] - 0.5), np.log(values[1] + 0.5)
                made = scope.int(hp.qloguniform(name, low, high, 1))
            elif is_whole(values):
                made = scope.int(hp.quniform(name, values[0], values[1], 1))
            elif is_log(values):
                made = hp.loguniform(name, np.log(values[0]), np.log(values[1]))
            else:
                made = hp.uniform(name, *values[:2])
            self.nodes[name] = made
        return self.nodes[name]

    def ask(self) -> Params:
        from hyperopt import space_eval, tpe

        ids = self.trials.new_trial_ids(1)
        self.trials.refresh()
        seed = int(self.rng.integers(2**31 - 1))
        (self.doc,) = tpe.suggest(ids, self.domain, self.trials, seed)
        given = {k: v[0] for k, v in self.doc["misc"]["vals"].items() if len(v)}
        params = space_eval(self.space, given)
        return {k: max(v, 1) if is_zero_of_log(v) else v for k, v in params.items()}

    def tell(self, params: Params, score: float) -> None:
        from hyperopt import JOB_STATE_DONE, STATUS_OK

        self.doc["result"] = {"loss": -score, "status": STATUS_OK}
        self.doc["state"] = JOB_STATE_DONE
        self.trials.insert_trial_docs([self.doc])
        self.trials.refresh()


def is_zero_of_log(value: Any) -> bool:
    # A qloguniform from log(0.5) may round to 0; no problem has 0 in a range of such integers.
    return False if isinstance(value, (str, bool, float)) or value is None else value < 0


class Smac:
    def __init__(self, problem: Problem, seed: int) -> None:
        import ConfigSpace as cs  # noqa: N813 - as its own documentation does
        from smac import HyperparameterOptimizationFacade, Scenario

        self.problem, self.names = problem, flat_names(problem)
        self.flat = flat_space(problem)
        space = cs.ConfigurationSpace(seed=seed)
        made = {name: self.hyperparameter(name, v) for name, v in self.flat.items()}
        space.add(*made.values())
        for name in self.flat:
            has = [i for i, names in enumerate(self.names) if name in names.values()]
            if BRANCH in made and name != BRANCH and len(has) < len(self.names):
                space.add(cs.InCondition(made[name], made[BRANCH], has))
        scenario = Scenario(
            space,
            deterministic=True,
            n_trials=50,
            seed=seed,
            output_directory=tempfile.mkdtemp(),
        )
        self.smac = HyperparameterOptimizationFacade(
            scenario, no_function, overwrite=True, logging_level=False
        )

    def hyperparameter(self, name: str, values: Any) -> Any:
        import ConfigSpace as cs  # noqa: N813 - as its own documentation does

        if isinstance(values, list):
            return cs.CategoricalHyperparameter(name, list(range(len(values))))
        kind = (
            cs.UniformIntegerHyperparameter if is_whole(values) else cs.UniformFloatHyperparameter
        )
        return kind(name, *values[:2], log=is_log(values))

    def ask(self) -> Params:
        self.info = self.smac.ask()
        flat = {
            name: self.flat[name][int(x)] if isinstance(self.flat[name], list) else x
            for name, x in dict(self.info.config).items()
        }
        params = from_flat(self.problem, flat)
        return {k: v.item() if isinstance(v, np.generic) else v for k, v in params.items()}

    def tell(self, params: Params, score: float) -> None:
        from smac.runhistory import TrialValue

        self.smac.tell(self.info, TrialValue(cost=-score))


def no_function(config: Any, seed: int = 0) -> float:  # noqa: ARG001 - the names are required
    raise RuntimeError("Only asked and told.")


class Hebo:
    def __init__(self, problem: Problem, seed: int) -> None:
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        np.random.seed(seed)  # noqa: NPY002 - the library draws from the global generator
        self.problem, self.flat = problem, flat_space(problem)
        space = DesignSpace().parse([self.parameter(k, v) for k, v in self.flat.items()])
        self.optimizer = HEBO(space, scramble_seed=seed)

    def parameter(self, name: str, values: Any) -> dict[str, Any]:
        if isinstance(values, list):
            return {"name": name, "type": "cat", "categories": list(range(len(values)))}
        kind = {(1, 0): "int", (1, 1): "pow_int", (0, 0): "num", (0, 1): "pow"}
        kind = kind[is_whole(values), is_log(values)]
        base = {"base": 10} if kind.startswith("pow") else {}
        return {"name": name, "type": kind, "lb": values[0], "ub": values[1], **base}

    def ask(self) -> Params:
        self.suggestion = self.optimizer.suggest(n_suggestions=1)
        flat = {}
        for name, values in self.flat.items():
            x = self.suggestion[name].iloc[0]
            x = x.item() if hasattr(x, "item") else x
            flat[name] = values[int(x)] if isinstance(values, list) else x
        return from_flat(self.problem, flat)

    def tell(self, params: Params, score: float) -> None:
        self.optimizer.observe(self.suggestion, np.array([[-score]]))


def quiet(make: Callable[[Problem, int], Method]) -> Callable[[Problem, int], Method]:
    def made(problem: Problem, seed: int) -> Method:
        warnings.simplefilter("ignore")
        return make(problem, seed)

    return made


METHODS: dict[str, Callable[[Problem, int], Method]] = {
    "random": random,
    "tpe": tpe,
    "gp": gp,
    "gp-defaults-first": gp_defaults_first,
    "optuna-tpe": quiet(optuna_tpe),
    "optuna-gp": quiet(optuna_gp),
    "skopt": quiet(Skopt),
    "hyperopt": quiet(Hyperopt),
    "smac": quiet(Smac),
    "hebo": quiet(Hebo),
}
OURS = ("gp", "gp-defaults-first", "tpe", "random")
