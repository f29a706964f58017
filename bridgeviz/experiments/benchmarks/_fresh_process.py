"""One measurement in a new interpreter, so that its peak memory is its own.

`measure_fresh` starts this file as a script: it reads the request as JSON from its standard input, and writes the row
as JSON to its standard output. Until it imports the measured function, it has imported the standard library only.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

PATIENCE = 60.0
"""Seconds of the first call from which on it is not repeated."""

POLL = 0.2
"""Seconds between two looks at the memory of the process."""

GB = 2**30


class Trial(NamedTuple):
    """What is measured, with its data ready.

    Attributes:
        call: what is timed. It returns when its result is computed.
        report: the other columns of the row, from the result.
    """

    call: Callable[[], Any]
    report: Callable[[Any], dict[str, Any]]


def measure_fresh(
    trial: Callable[..., Trial], arguments: dict[str, Any], *, repeats: int, seconds: float, memory: float
) -> dict[str, Any]:
    """Measure a trial in a process of its own.

    Args:
        trial: a function of a module that makes the trial; its data are loaded in the new process.
        arguments: of `trial`; JSON values.
        repeats: calls after the first one, which compiles; none if the first takes longer than `PATIENCE`.
        seconds: the time limit of the process, imports and data included.
        memory: the limit of its resident memory, in bytes.

    Returns:
        The columns of the trial's report, and

        - "seconds_first"; "seconds", the median of the repeats, or the first call if there are none; "seconds_least";
        - "repeats";
        - "gb_over" and "gb_total": peak of the resident memory above that before the first call, and in total.

        Or "failed", a sentence about an error; or "exceeded", a sentence about the limit that ended the process.
    """
    request = {
        "path": sys.path, "module": trial.__module__, "function": trial.__qualname__, "arguments": arguments,
        "repeats": repeats, "parent": os.getpid(),
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        return _follow(process, json.dumps(request), time.monotonic() + seconds, seconds, memory)
    finally:
        _end(process)


def _follow(process: subprocess.Popen, request: str, deadline: float, seconds: float, memory: float) -> dict[str, Any]:
    """The row of a process, or a sentence about how it ended."""
    message: str | None = request
    while True:
        try:
            out, err = process.communicate(message, timeout=POLL)
            break
        except subprocess.TimeoutExpired:
            message = None
        if _resident(process.pid) > memory:
            return {"exceeded": f"It took more than {memory / GB:.3g} GB of memory."}
        if time.monotonic() > deadline:
            return {"exceeded": f"It took longer than {seconds / 60:.3g} minutes."}
    if process.returncode == -signal.SIGKILL:
        return {"exceeded": "The system ended the process, as it does when memory runs out."}
    if process.returncode:
        last = (err.strip().splitlines() or ["no message"])[-1]
        return {"failed": f"The process ended with status {process.returncode}: {last}"}
    return json.loads(out.splitlines()[-1])


def _end(process: subprocess.Popen) -> None:
    """End a process and everything that it has started."""
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.communicate()


def _resident(process: int | str) -> int:
    """Bytes of memory that a process has now; 0 if the system does not say."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _peak() -> int:
    """The peak of this process's resident memory in bytes.

    Linux's own count comes first: `ru_maxrss` of a new process starts from the peak of its parent.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 2**10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 2**10)


def _settle() -> int:
    """Return freed memory to the system and forget the peak so far; the bytes that are left."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _resident("self") or _peak()


def _time(trial: Trial, repeats: int) -> dict[str, Any]:
    """Time a trial in this process; see `measure_fresh`."""
    before = _settle()
    times, result = [], None
    for _ in range(1 + repeats):
        result = None  # two results at a time would count as memory of the call
        start = time.perf_counter()
        result = trial.call()
        times.append(time.perf_counter() - start)
        if times[0] > PATIENCE:
            break
    peak = _peak()
    return {
        "seconds_first": times[0], "seconds": statistics.median(times[1:] or times), "seconds_least": min(times),
        "repeats": len(times) - 1, "gb_over": (peak - before) / GB, "gb_total": peak / GB, **trial.report(result),
    }  # fmt: skip


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, however that happened."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _main() -> None:
    request = json.loads(sys.stdin.read())
    Thread(target=_end_with, args=(request["parent"],), daemon=True).start()
    sys.path[:] = request["path"]
    with redirect_stdout(sys.stderr):  # libraries may print
        try:
            trial = getattr(import_module(request["module"]), request["function"])
            row = _time(trial(**request["arguments"]), request["repeats"])
        except Exception as error:
            row = {"failed": " ".join(f"{type(error).__name__}: {error}".split())}
    print(json.dumps(row))


if __name__ == "__main__":
    _main()
