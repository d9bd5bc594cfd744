"""Work that is handed to a pool: in order, from several threads, and when a worker dies."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from jaxspot.errors import UserError
from jaxspot.workers import Pool, worker_pool


def double(number):
    return 2 * number


def die(number):
    os._exit(3)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_from_several_threads(workers):
    with worker_pool(workers) as pool, ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda n: pool.map(double, range(n, n + 4)), range(3)))
    assert found == [[2 * (n + i) for i in range(4)] for n in range(3)]


def test_a_dead_worker_is_one_line_then_and_later():
    with worker_pool(2) as pool:
        for _ in range(2):
            with pytest.raises(UserError, match="a worker process died"):
                pool.map(die, range(3))


def test_an_error_ends_a_map_in_this_process():
    with pytest.raises(ZeroDivisionError):
        Pool().map(lambda number: 1 / number, [1, 0])
