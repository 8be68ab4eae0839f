"""Pieces of work on threads: every result in its place, the first failure told."""

from __future__ import annotations

import threading
import time

import pytest

from xentcli.numerics.apart import apart


@pytest.mark.parametrize("threads", [1, 2, 5, 20])
def test_results_stand_in_the_order_of_the_pieces(threads: int) -> None:
    def piece(number: int) -> int:
        time.sleep(0.001 * (number % 3))
        return number * number

    found = apart([lambda number=number: piece(number) for number in range(12)], threads)  # type: ignore[misc]
    assert found == [number * number for number in range(12)]
    assert apart([], threads) == []


def test_pieces_run_beside_each_other() -> None:
    meet = threading.Barrier(2, timeout=10)
    assert sorted(apart([meet.wait, meet.wait], 2)) == [0, 1]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_failure_is_raised_and_none_is_lost(threads: int) -> None:
    def fail() -> int:
        raise ValueError("no such score")

    for _ in range(20):
        with pytest.raises(ValueError, match="no such score"):
            apart([lambda: 1, fail, lambda: 2], threads)


def test_work_is_done_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", full)
    assert apart([lambda: 1, lambda: 2, lambda: 3], 3) == [1, 2, 3]
