"""Python processes that use draco, cell by cell: like a notebook's kernel, and real ones."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import textwrap
from pathlib import Path
from typing import Any

from harness import BUILD, PYTHON, SOURCE, Draco, is_alive

PACKAGE = SOURCE / "client" / "python"

#: The longest that a cell may take, in seconds.
TIMEOUT = 240

#: The settings of a small cluster, as arguments.
SMALL = 'processes=2, cores=2, memory="1 GiB", walltime="00:50:00"'

_LOOP = r"""
import contextlib, faulthandler, io, json, signal, sys, traceback

faulthandler.register(signal.SIGUSR1, all_threads=True)
answers, scope, in_cell = sys.stdout, {"__name__": "__main__"}, False

def on_interrupt(*_):  # as a kernel does: only cells are interrupted
    if in_cell:
        raise KeyboardInterrupt

signal.signal(signal.SIGINT, on_interrupt)
print(json.dumps({"out": "", "error": None}), file=answers, flush=True)
for line in sys.stdin:
    out, error = io.StringIO(), None
    try:
        with contextlib.redirect_stdout(out):
            try:
                in_cell = True
                exec(compile(json.loads(line), "<cell>", "exec"), scope)
            finally:
                in_cell = False
    except BaseException:
        in_cell = False
        error = traceback.format_exc()
    print(json.dumps({"out": out.getvalue(), "error": error}), file=answers, flush=True)
"""


def environment(draco: Draco) -> dict[str, str]:
    """What a Python of this user needs to find the package and the programs."""
    return {
        "DRACO_BIN": str(BUILD / "dracod"),
        **draco.environment,
        "PATH": f"{draco.environment['PATH']}:{BUILD}",  # where DRACO_BIN is a wrapper
        "PYTHONPATH": str(PACKAGE),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def show(path: Path, code: str) -> str:
    """A cell whose output goes to a file at once, not only in the end."""
    return (
        "import contextlib\n"
        f"with open({str(path)!r}, 'w', 1) as file, contextlib.redirect_stdout(file):\n"
        + textwrap.indent(code, "    ")
    )


class Kernel:
    """A Python process that keeps its variables from one cell to the next.

    Parameters
    ----------
    draco : Draco
        Whose it is.
    python : str
        The Python that it runs.
    directory : Path, optional
        Where it runs, by default in the user's home.
    **variables : str
        More for its environment.
    """

    def __init__(
        self,
        draco: Draco,
        python: str = PYTHON,
        directory: Path | None = None,
        **variables: str,
    ) -> None:
        self.process = subprocess.Popen(
            [python, "-c", _LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=directory or draco.home,
            env={**environment(draco), **variables},
        )
        self.answer()  # it is ready

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        if is_alive(self.process.pid):
            assert self.process.stdin is not None
            self.process.stdin.close()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def send(self, code: str) -> None:
        """Begin a cell."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()

    def answer(self) -> tuple[str, str | None]:
        """Wait for the end of the cell: what it printed, and its traceback."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], TIMEOUT)[0]:
            self.process.send_signal(signal.SIGUSR1)  # it shows on stderr where it is
            raise AssertionError(f"the cell does not end within {TIMEOUT} s")
        answer = json.loads(self.process.stdout.readline())
        return answer["out"], answer["error"]

    def run(self, code: str) -> str:
        """Run a cell that must go well; returns what it printed."""
        self.send(code)
        out, error = self.answer()
        assert error is None, error
        return out

    def fail(self, code: str) -> str:
        """Run a cell that must raise; returns the traceback's last lines."""
        self.send(code)
        out, error = self.answer()
        assert error is not None, out
        return error

    def interrupt(self) -> None:
        """Do what the button "interrupt kernel" does."""
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it without any chance to clean up."""
        self.process.kill()
        self.process.wait()


class JupyterKernel:
    """A kernel as a notebook has it.

    Parameters
    ----------
    draco : Draco
        Whose it is.
    notebook : str
        The path that the notebook server tells it.
    """

    def __init__(self, draco: Draco, notebook: str) -> None:
        from jupyter_client import manager

        variables = {**environment(draco), "JPY_SESSION_NAME": notebook}
        #: All that was shown, also what was then replaced, and the errors and the traceback of
        #: the last cell.
        self.shown: list[dict[str, str]] = []
        self.errors = ""
        self.traceback = ""
        self.manager, self.client = manager.start_new_kernel(
            startup_timeout=180, env=variables, cwd=draco.home
        )

    def __enter__(self) -> JupyterKernel:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(
        self, code: str, timeout: float = TIMEOUT
    ) -> tuple[str, dict[str, str], str | None]:
        """Run a cell: what it printed, what it showed, and the name of its exception."""
        return self.finish(self.client.execute(code), timeout)

    def finish(
        self, number: str, timeout: float = TIMEOUT
    ) -> tuple[str, dict[str, str], str | None]:
        """Wait for the end of the cell that ``client.execute()`` has begun."""
        out, shown, error = "", {}, None
        self.errors = ""
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != number:
                continue
            content = message["content"]
            if message["msg_type"] == "stream":
                out += content["text"]
                self.errors += content["text"] if content["name"] == "stderr" else ""
            elif message["msg_type"] in (
                "display_data",
                "update_display_data",
                "execute_result",
            ):
                shown = content["data"]
                self.shown.append(shown)
            elif message["msg_type"] == "error":
                error = content["ename"]
                self.traceback = "\n".join(content["traceback"])
            elif content.get("execution_state") == "idle":
                return out, shown, error
