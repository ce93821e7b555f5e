"""Traffic: the requests that came to the simulator, and the faults that hit them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from cometvid_nb.simulator.arrivals import Request
from cometvid_nb.simulator.script import Fault, is_match


class Traffic:
    """Notes requests and deals out faults. Safe to use from any thread.

    Args:
        storm: returns a fault, or None, for each request that no other fault has hit.
    """

    def __init__(self, storm: Callable[[str, str], Fault | None]) -> None:
        # Bounded: a demo may run for days.
        self.requests: deque[Request] = deque(maxlen=10_000)
        self.storm = storm
        self._faults: list[tuple[Fault, list[int]]] = []  # with how many requests each has met
        self._changed = threading.Condition()  # its lock (reentrant) guards all of a gateway

    # For the owner, such as a test.

    def add_fault(self, fault: Fault) -> None:
        """Add a fault after the others."""
        with self._changed:
            self._faults.append((fault, [0]))

    def clear_faults(self) -> None:
        """Drop all faults."""
        with self._changed:
            self._faults.clear()

    def count(self, pattern: str = "*") -> int:
        """Return how many requests match, e.g. `"GET /videos/{id}"`; see `Fault.match`."""
        with self._changed:
            return sum(is_match(pattern, asked.method, asked.path) for asked in self.requests)

    def wait_for_requests(self, pattern: str, count: int = 1, within_s: float = 10.0) -> bool:
        """Wait until `count` matching requests have come in all; return False after `within_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count(pattern) >= count, within_s)

    # For the handlers.

    def record(self, request: Request) -> None:
        """Note a request and wake those that wait for it."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def take_fault(self, method: str, path: str) -> Fault | None:
        """Return the fault that hits this request, or None."""
        with self._changed:
            for fault, met in self._faults:
                if fault.times is not None and met[0] >= fault.after + fault.times:
                    continue
                if is_match(fault.match, method, path):
                    met[0] += 1
                    if met[0] > fault.after:
                        return fault
            return self.storm(method, path)
