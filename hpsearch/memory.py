"""How much memory a call needs, and how much there is. Linux tells; elsewhere nothing is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc(5), clear_refs
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Measured:
    """What a call returned, and by how many bytes its process grew at its peak."""

    value: Any
    growth: int


def measured(call: Callable[[], Any]) -> Measured:
    """Run a call, and measure how much memory it takes beyond what its process had."""
    with suppress(OSError):  # without the reset the peak is that of the process so far
        CLEAR.write_text(RESET_PEAK)
    before = _of_this_process("VmRSS")
    value = call()
    return Measured(value, max(0, _of_this_process("VmHWM") - before))


def available() -> int | None:
    """Return how many bytes could be taken now; None if the system does not tell."""
    found = [_free_of_machine(), _free_of_group()]
    return min((n for n in found if n is not None), default=None)


def _of_this_process(name: str) -> int:
    with suppress(OSError):
        found = re.search(rf"^{name}:\s*(\d+) kB", STATUS.read_text(), re.MULTILINE)
        if found:
            return int(found.group(1)) * 1024
    return 0


def _free_of_machine() -> int | None:
    with suppress(OSError):
        text = Path("/proc/meminfo").read_text()
        found = re.search(r"^MemAvailable:\s*(\d+) kB", text, re.MULTILINE)
        if found:
            return int(found.group(1)) * 1024
    return None


def _free_of_group() -> int | None:
    """What the container still lets us take."""
    with suppress(OSError, ValueError):
        limit = int((CGROUP / "memory.max").read_text())  # "max" where there is no limit
        return limit - int((CGROUP / "memory.current").read_text())
    return None
