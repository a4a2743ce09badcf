"""Whether a stack runs in a folder is told by a lock, not by a process id that may be anybody's."""

import os
from pathlib import Path

import pytest

from deploy.local.state import AlreadyRunning, RunState


def test_the_holder_is_known_while_it_holds(tmp_path: Path) -> None:
    state = RunState(tmp_path)
    assert state.holder() is None
    state.take()
    assert RunState(tmp_path).holder() == os.getpid()
    state.release()
    assert RunState(tmp_path).holder() is None


def test_a_second_stack_in_the_same_folder_is_refused_and_told_how_to_stop_the_first(tmp_path: Path) -> None:
    state = RunState(tmp_path)
    state.take()
    with pytest.raises(AlreadyRunning, match="down"):
        RunState(tmp_path).take()
    state.release()
    RunState(tmp_path).take()


def test_a_process_id_left_behind_by_a_killed_runner_means_nothing(tmp_path: Path) -> None:
    state = RunState(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").write_text("1")
    assert state.holder() is None


def test_there_are_no_addresses_before_it_is_ready(tmp_path: Path) -> None:
    assert RunState(tmp_path).addresses() is None
