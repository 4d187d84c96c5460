"""Functions to minimise, and a program that is killed. Run as a module by the tests."""

import importlib
import math
import os
import sys
import time
from pathlib import Path

from hpsearch import StepHalving, minimize

SPACE = {"x": (0.0, 1.0), "k": [1, 2, 3]}


class Logged:
    """A function that writes down each call; some of its values are failures."""

    def __init__(self, log=None, seconds=0.0):
        self.log = log
        self.seconds = seconds

    def __call__(self, params):
        self._write(params)
        time.sleep(self.seconds)
        if params["x"] > 0.9:
            raise ValueError("too far")
        return math.cos(7 * params["x"] + params["k"])

    def _write(self, params):
        if self.log is not None:
            with Path(self.log).open("a") as file:
                file.write(f"{params['x']!r} {params['k']!r}\n")


class Trained(Logged):
    """The same, approached in nine epochs."""

    def __call__(self, params, trial):
        self._write(params)
        for epoch in range(1, 10):
            time.sleep(self.seconds / 9)
            value = math.cos(7 * params["x"] + params["k"]) + 1 / epoch
            if not trial.report(epoch, value):
                break
        return value


def search(name, checkpoint, log, *, n_jobs=1, seconds=0.0, n_iter=15):
    """The same search in the test and in the program."""
    is_stepped = name == "steps"
    objective = (Trained if is_stepped else Logged)(log, seconds)
    return minimize(
        objective,
        SPACE,
        n_iter=n_iter,
        optimizer="gp" if is_stepped else name,
        n_jobs=n_jobs,
        checkpoint=checkpoint,
        steps=StepHalving(reduction=3) if is_stepped else None,
        random_state=0,
    )


def exits(params):
    """End the process for some candidates."""
    if params["n"] == 3:
        os._exit(3)
    return params["n"]


def hangs(params):
    """Never return for some candidates."""
    if params["n"] == 3:
        time.sleep(1000)
    return params["n"]


def pid_of(params, trial):
    """Tell where it ran."""
    for step in range(1, 4):
        if not trial.report(step, params["n"]):
            break
    return {"loss": params["n"], "status": "ok", "pid": os.getpid()}


if __name__ == "__main__":
    name, checkpoint, log, n_jobs, seconds = sys.argv[1:]
    # Under the name that the tests know it by: the class of the objective is part of the work.
    program = importlib.import_module("tests.minimize.objectives")
    program.search(name, checkpoint, log, n_jobs=int(n_jobs), seconds=float(seconds))
