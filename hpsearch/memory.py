"""How much memory a call needs, and how much there is. Linux tells; elsewhere nothing is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc(5), clear_refs
MACHINE = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")


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
    found = [_told(MACHINE, "MemAvailable", unit=1024), _free_of_groups()]
    return min((n for n in found if n is not None), default=None)


def _of_this_process(name: str) -> int:
    return _told(STATUS, name, unit=1024) or 0


def _free_of_groups() -> int | None:
    """What the containers and jobs that this process is in still let it take."""
    found = [_free_of(group) for group in _groups()]
    return min((n for n in found if n is not None), default=None)


def _groups() -> Iterator[Path]:
    """The group of this process and those around it: a job's limit is on any of them."""
    own: list[str] = []
    with suppress(OSError):
        found = re.search(r"^0::/(.*)$", OWN_GROUP.read_text(), re.MULTILINE)
        path = "" if found is None or ".." in found.group(1) else found.group(1)
        own = [part for part in path.split("/") if part]
    for depth in range(len(own) + 1):
        yield CGROUP.joinpath(*own[:depth])


def _free_of(group: Path) -> int | None:
    """What a group has left; what it only holds of files goes when it is needed."""
    with suppress(OSError, ValueError):
        limit = int((group / "memory.max").read_text())  # "max" where there is no limit
        used = int((group / "memory.current").read_text())
        return limit - used + (_told(group / "memory.stat", "inactive_file") or 0)
    return None


def _told(file: Path, name: str, unit: int = 1) -> int | None:
    """The number that stands beside a name in a file of the system's, in bytes."""
    with suppress(OSError):
        found = re.search(rf"^{name}:?\s+(\d+)", file.read_text(), re.MULTILINE)
        return None if found is None else int(found.group(1)) * unit
    return None
