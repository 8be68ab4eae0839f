"""The engine: the same state for any number of threads, and the first error of the input."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import numpy as np
import pytest

from xentcli.batch import Batch, Place, Spec
from xentcli.engines import threads
from xentcli.errors import DataError
from xentcli.plan import common

SPEC = Spec("multiclass", "logits", ("a", "b", "c"), 3, ("a", "b", "c"))


def _stream(index: int, batches: int, fail_at: int | None = None, slow: bool = False) -> threads.Stream:
    def walk() -> Iterator[threads.Work]:
        for number in range(batches):

            def work(number: int = number) -> tuple[Batch, int]:
                if slow:
                    time.sleep(random.random() * 0.003)
                if number == fail_at:
                    raise DataError(f"stream {index} batch {number}")
                rng = np.random.default_rng([index, number])
                columns = tuple(rng.normal(size=50) for _ in range(3))
                return Batch(rng.integers(0, 3, 50), Place(f"f{index}", 1 + 50 * number), columns), 50

            yield work

    return walk


def _bytes(jobs: int, streams: int) -> list[bytes]:
    made = [_stream(i, 7, slow=True) for i in range(streams)]
    states = threads.run(SPEC, made, jobs)
    assert states.read == 350 * streams
    arrays = [state.to_arrays() for _, state in sorted(states.states.items())]
    return [array.tobytes() for held in arrays for _, array in sorted(held.items())]


@pytest.mark.parametrize("streams", [1, 2, 9])
def test_any_number_of_threads_gives_the_same_bytes(streams: int) -> None:
    reference = _bytes(1, streams)
    assert all(_bytes(jobs, streams) == reference for jobs in (2, 3, 16))


def test_states_that_threads_share_have_the_same_bytes() -> None:
    """Weighted scores and what is kept by group, of a binary task."""
    spec = Spec("binary", "logits", ("no", "yes"), 1, ("z",), weighted=True, grouped=True)

    def stream(index: int) -> threads.Stream:
        def walk() -> Iterator[threads.Work]:
            for number in range(6):

                def work(number: int = number) -> tuple[Batch, int]:
                    time.sleep(random.random() * 0.003)
                    rng = np.random.default_rng([index, number])
                    weights, groups = rng.gamma(2.0, 1.0, 50), rng.integers(0, 9, 50)
                    columns = (rng.normal(size=50).round(1),)
                    place = Place(f"f{index}", 1 + 50 * number)
                    return Batch(rng.integers(0, 2, 50), place, columns, weights=weights, groups=groups), 50

                yield work

        return walk

    def bytes_of(jobs: int) -> list[bytes]:
        states = threads.run(spec, [stream(index) for index in range(5)], jobs).states
        assert set(common(spec)) & set(states) == {"sample", "scores", "clustercells"}
        arrays = [state.to_arrays() for _, state in sorted(states.items())]
        return [array.tobytes() for held in arrays for _, array in sorted(held.items())]

    reference = bytes_of(1)
    assert all(bytes_of(jobs) == reference for jobs in (2, 8))


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_the_error_that_comes_first_in_the_input_is_raised_whichever_thread_meets_one(jobs: int) -> None:
    for _ in range(5):
        streams = [_stream(0, 6, slow=True), _stream(1, 6, fail_at=4, slow=True), _stream(2, 6, fail_at=0)]
        with pytest.raises(DataError, match="stream 1 batch 4"):
            threads.run(SPEC, streams, jobs)


def test_progress_is_told_by_the_calling_thread_and_only_grows() -> None:
    seen: list[int] = []
    threads.run(SPEC, [_stream(i, 60, slow=True) for i in range(4)], 2, seen.append)
    assert seen == sorted(seen)
    assert seen


def test_no_streams_give_empty_states() -> None:
    assert threads.run(SPEC, [], 4).read == 0
