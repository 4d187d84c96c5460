"""Whether a Dask cluster has workers: without any, what it is sent is lost after half a minute.

A local cluster gives up a worker that ends again and again, others lose theirs to other users; and
an adaptive one begins without. Dask waits for workers for ever and says nothing.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

LOOK = 5.0  # seconds between two looks; Dask's own patience with a cluster without workers is 30
PATIENCE = 60.0  # seconds without a worker, until that is said


class DaskWorkers:
    """Looks at the workers of a cluster.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._empty_since: float | None = None
        self._has_told = False

    def have_returned(self) -> bool:
        """Return whether there are workers again, after a look that found none."""
        try:
            there_are_any = bool(self._client.nthreads())
        except OSError:  # the client tries to find its scheduler again
            return False
        if there_are_any:
            was_empty, self._empty_since = self._empty_since is not None, None
            return was_empty
        if self._empty_since is None:
            self._empty_since = time.monotonic()
        if not self._has_told and time.monotonic() - self._empty_since >= PATIENCE:
            self._has_told = True
            warnings.warn(
                "The Dask cluster has no workers. The search waits for new ones and goes on when "
                "they come; Ctrl-C ends it with what is done.",
                RuntimeWarning,
                stacklevel=2,
            )
        return False
