"""Ctrl-C, whatever the command is doing."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from bridgeviz import _interrupt
from bridgeviz._files import new_folder

ALIGN = (
    sys.executable, "-m", "bridgeviz", "align", "x.npy", "y.npy", "--pairs", "pairs.csv", "--cost", "bridge",
    "--steps", "100000", "--out", "out",
)  # fmt: skip


@pytest.fixture
def in_the_foreground():
    """Tests that themselves run in the background ignore the signal, and what they start would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("seconds", [0, 0.7, 1.7, 3.2])  # imports, more imports, coupling, training or compilation
def test_ctrl_c_ends_the_command_with_one_sentence(folder, in_the_foreground, seconds):
    """From the first import that follows ours; before, the interpreter starts, and Ctrl-C is its own affair."""
    command, said = [sys.executable, "-X", "importtime", *ALIGN[1:]], Path("said.txt")  # a pipe would fill up
    with said.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
    try:
        while b"\n" not in said.read_bytes().partition(b"bridgeviz._interrupt\n")[2]:
            assert process.poll() is None, "it ended before it was interrupted"
            time.sleep(0.01)
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, b"")
    others = [line for line in said.read_text().splitlines() if line and not line.startswith("import time:")]
    assert others == [f"bridgeviz: {_interrupt.TEXT}"]
    assert not [name for name in os.listdir() if name.startswith(".out")]


@pytest.mark.parametrize("method", ["dense", "ott"])
def test_a_long_coupling_shows_how_far_it_is_and_ctrl_c_ends_it_at_once(folder, in_the_foreground, method):
    before = sorted(os.listdir())
    reader, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 120))  # on one without a size, no bar is drawn
    command = [*ALIGN, "--epsilon", "0.00001", "--max-iterations", "1000000", "--method", method]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=terminal)
    os.close(terminal)
    try:
        shown = b""
        while b"coupling, iteration 1" not in shown:
            assert select.select([reader], [], [], 120)[0], "it says nothing"
            shown += os.read(reader, 4096)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(60)
        spent = time.monotonic() - began
    finally:
        process.kill()
        os.close(reader)
    assert process.returncode == _interrupt.STATUS
    assert spent < 3  # a fraction of a second where nothing else runs
    assert sorted(os.listdir()) == before


def test_while_a_result_is_written_its_draft_is_deleted_first(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "_exit", lambda status: pytest.fail("it ended at once"))
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "out", holds=set()):
        _interrupt._stop(signal.SIGINT, None)
    assert not list(tmp_path.iterdir())


def test_a_command_in_the_background_ignores_it(monkeypatch):
    set_ = []
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_IGN)
    monkeypatch.setattr(signal, "signal", lambda *arguments: set_.append(arguments))
    _interrupt.end_at_once()
    assert set_ == []
