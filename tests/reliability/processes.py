"""Looking at other processes."""

from pathlib import Path

import pytest

in_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def is_alive(pid):
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
