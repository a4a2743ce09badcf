"""A process dies at the point that its environment names, the time it names, and nowhere else."""

from __future__ import annotations

import importlib
import signal
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from shared import stopping

Import = Callable[[str], ModuleType]


@pytest.fixture
def kills(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr("os.kill", lambda pid, number: found.append(number))
    return found


@pytest.fixture
def with_point(monkeypatch: pytest.MonkeyPatch) -> Iterator[Import]:
    def load(value: str) -> ModuleType:
        monkeypatch.setenv("ACCEDE_STOP_AT", value)
        return importlib.reload(stopping)

    yield load
    monkeypatch.delenv("ACCEDE_STOP_AT", raising=False)
    importlib.reload(stopping)


def test_without_the_variable_nobody_dies(with_point: Import, kills: list[int]) -> None:
    module = with_point("")
    for point in module.Point:
        module.reached(point)
    assert kills == []


def test_it_dies_there_and_only_there(with_point: Import, kills: list[int]) -> None:
    module = with_point("fact-published")
    module.reached(module.Point.FACT_WRITTEN)
    assert kills == []
    module.reached(module.Point.FACT_PUBLISHED)
    assert kills == [signal.SIGKILL]


def test_it_dies_the_time_it_is_told(with_point: Import, kills: list[int]) -> None:
    module = with_point("fact-written#3")
    for expected in (0, 0, 1):
        module.reached(module.Point.FACT_WRITTEN)
        assert len(kills) == expected


def test_a_point_that_does_not_exist_is_refused_so_that_no_test_waits_in_vain(with_point: Import) -> None:
    with pytest.raises(ValueError, match="fact-written"):
        with_point("fact-writen")


def test_points_have_names_of_their_own() -> None:
    assert len({str(point) for point in stopping.Point}) == len(stopping.Point)
