"""A dimension that is not of the library."""

import math


class Doubling:
    """A user's own dimension, which reckons with any value: 1, 2, 4, 8."""

    levels = 4
    ordered = True

    def encode(self, value):
        level = math.log2(value)
        if level not in range(4):
            raise ValueError(f"{value!r} is none of 1, 2, 4, 8.")
        return self.cell(level)

    def decode(self, unit):
        return 2 ** min(int(unit * 4), 3)

    def cell(self, level):
        return (level + 0.5) / 4
