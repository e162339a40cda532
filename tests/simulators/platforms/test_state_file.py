"""A state file is used by one process at a time, by whatever name."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from simulators.platforms.embedded import EmbeddedError, embedded_server
from simulators.platforms.state_file import connect

HOLDER = """
import sys
from pathlib import Path
from simulators.platforms.state_file import connect
connection = connect(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_file_is_free_again_once_it_is_closed(tmp_path):
    path = tmp_path / "state.sqlite"
    with closing(connect(path)) as first:
        first.execute("CREATE TABLE kept (number INTEGER)")
        with pytest.raises(OSError, match="it is in use"):
            connect(path)
    with closing(connect(path)) as second:
        assert second.execute("SELECT name FROM sqlite_schema").fetchall() == [("kept",)]


def test_a_link_to_the_file_is_the_same_file(tmp_path):
    path, link = tmp_path / "state.sqlite", tmp_path / "link.sqlite"
    link.symlink_to(path)
    with closing(connect(path)), pytest.raises(OSError, match="it is in use"):
        connect(link)


def test_a_kill_sets_the_file_free(tmp_path):
    path = tmp_path / "state.sqlite"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(OSError, match="it is in use"):
            connect(path)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with closing(connect(path)) as connection:
            connection.execute("CREATE TABLE kept (number INTEGER)")


def test_databases_in_memory_are_not_shared(tmp_path):
    with closing(connect(None)) as first, closing(connect(None)) as second:
        first.execute("CREATE TABLE kept (number INTEGER)")
        assert second.execute("SELECT name FROM sqlite_schema").fetchall() == []


@pytest.mark.parametrize("platform", ["thethings-io", "things-stack"])
def test_servers_of_two_folders_do_not_share_a_file(tmp_path, platform):
    """Each folder has its own lock; the file is the same."""
    first, second = tmp_path / "first", tmp_path / "second"
    second.mkdir()
    (second / f"{platform}.sqlite").symlink_to(first / f"{platform}.sqlite")
    with (
        embedded_server(platform, state=first),
        pytest.raises(EmbeddedError, match=r"sqlite: expected a state file of .*; it is in use"),
        embedded_server(platform, state=second),
    ):
        pass


def test_what_is_no_state_file_is_left_alone(tmp_path):
    path = tmp_path / "things-stack.sqlite"
    path.write_text("these are my notes, not a database\n" * 100)
    before = path.read_bytes()
    with (
        pytest.raises(EmbeddedError, match=r"things-stack\.sqlite: file is not a database"),
        embedded_server("things-stack", state=tmp_path),
    ):
        pass
    assert path.read_bytes() == before


def test_a_folder_in_place_of_the_file_keeps_nobody_out(tmp_path):
    path = tmp_path / "state.sqlite"
    path.mkdir()
    with pytest.raises(sqlite3.Error, match="unable to open"):
        connect(path)
    path.rmdir()
    connect(path).close()
