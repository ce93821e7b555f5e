"""Updates reach the cell that waits, or run at once where none does."""

from __future__ import annotations

import asyncio
import threading

from cometvid_nb.display.delivery import Delivery

WITHIN_S = 15.0


class Wait(threading.Thread):
    """A cell that waits in a thread of its own until `done` is set; `ran_in` names threads."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__()
        self.done, self.is_waiting = threading.Event(), threading.Event()
        self._delivery = delivery

    def run(self) -> None:
        asyncio.run(self._delivery.pump(self._is_done, lambda: None))

    def _is_done(self) -> bool:
        self.is_waiting.set()
        return self.done.is_set()


def begin(delivery: Delivery) -> Wait:
    wait = Wait(delivery)
    wait.start()
    assert wait.is_waiting.wait(WITHIN_S)
    return wait


def end(wait: Wait, delivery: Delivery) -> None:
    wait.done.set()
    delivery.post(lambda: None)
    wait.join(WITHIN_S)
    assert not wait.is_alive()


def ran_in(delivery: Delivery) -> str:
    """The name of the thread that an update runs in."""
    names: list[str] = []
    ran = threading.Event()
    delivery.post(lambda: (names.append(threading.current_thread().name), ran.set()))  # type: ignore[func-returns-value, arg-type]
    assert ran.wait(WITHIN_S)
    return names[0]


def test_without_a_wait_an_update_runs_at_once_where_it_was_posted() -> None:
    assert ran_in(Delivery()) == threading.current_thread().name


def test_an_update_runs_in_the_cell_that_waits_and_after_it_at_once() -> None:
    delivery = Delivery()
    wait = begin(delivery)
    assert ran_in(delivery) == wait.name
    end(wait, delivery)
    assert ran_in(delivery) == threading.current_thread().name


def test_of_two_threads_that_wait_either_may_end_first() -> None:
    delivery = Delivery()
    first = begin(delivery)
    second = begin(delivery)
    assert ran_in(delivery) in (first.name, second.name)
    end(first, delivery)
    assert ran_in(delivery) == second.name
    end(second, delivery)
    assert ran_in(delivery) == threading.current_thread().name
