"""dracod as a daemon: signals, hostile clients, idling, descriptors, a second one, systemd."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from harness import BUILD, PATIENT, Draco, is_alive, wait_for


def connect(draco: Draco) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    connection.connect(str(draco.runtime / "draco" / draco.name / "control.sock"))
    return connection


def launch(draco: Draco, *options: str) -> subprocess.Popen[str]:
    """Run dracod in the foreground and wait until it serves."""
    process = subprocess.Popen(
        [str(BUILD / "dracod"), "--name", draco.name, "--log-file", str(draco.log), *options],
        env=draco.environment,
        text=True,
        stderr=subprocess.PIPE,
    )
    wait_for(
        lambda: draco.run("status", check=False).returncode == 3 and draco.log.exists(), "up"
    )
    wait_for(lambda: "serves" in draco.log.read_text(), "it serves")
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_everything_in_order(draco: Draco, number: signal.Signals) -> None:
    process = launch(draco)
    draco.start("--minimum=4", PATIENT)
    process.send_signal(number)
    assert process.wait(120) == 0
    assert not draco.jobs()
    assert {job["state"] for job in draco.all_jobs()} == {"COMPLETED"}
    order = re.findall(r"-> (gone|stopped|stopping)|dracod: ends$", draco.log.read_text(), re.M)
    assert order.index("gone") < order.index("stopped")


def test_unused_dracod_ends(draco: Draco) -> None:
    """Not while there is a client or a cluster, though; then another one may start elsewhere."""
    process = launch(draco, "--stay", "6")
    with connect(draco):
        time.sleep(9)
        assert process.poll() is None
        draco.start()
    time.sleep(9)
    assert draco.cluster_state() == "running"
    draco.run("stop")
    assert process.wait(60) == 0
    assert "no cluster and no client for 6 s" in draco.log.read_text()
    assert draco.run("status", check=False).returncode == 3
    draco.start()  # is served by a new one
    draco.run("shutdown")


def test_hangup_opens_the_log_again(draco: Draco) -> None:
    process = launch(draco)
    moved = draco.log.with_suffix(".old")
    draco.log.rename(moved)
    process.send_signal(signal.SIGHUP)
    wait_for(
        lambda: draco.log.exists() and "opened the log" in draco.log.read_text(), "a new log"
    )
    assert draco.log.stat().st_mode & 0o777 == 0o600
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert "dracod: ends" in draco.log.read_text()
    assert "dracod: ends" not in moved.read_text()


def test_second_dracod_refuses(draco: Draco) -> None:
    process = launch(draco)
    second = subprocess.run(
        [str(BUILD / "dracod"), "--name", draco.name],
        env=draco.environment,
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert f"runs already, as process {process.pid}" in second.stderr
    assert len(re.findall(r"^draco(?:ctl|d) +0\.", draco.run("version").stdout, re.M)) == 2
    process.terminate()
    process.wait(60)


def test_hostile_clients(draco: Draco) -> None:
    process = launch(draco)
    silent = [connect(draco) for _ in range(200)]
    half = connect(draco)
    half.sendall(b'{"jsonrpc":"2.0","id":1,"meth')
    for line in (
        b"\x00\xff\xfe\n",
        b"[" * 5000 + b"\n",
        b"{}\n",
        b'{"jsonrpc":"2.0","id":1,"method":"status"}\n',
        b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":99}}\n',
        b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":"x"}}\n',
        b'{"jsonrpc":"2.0","id":1,"method":"fly"}\n',
    ):
        with connect(draco) as connection:
            connection.sendall(line)
            answer = json.loads(connection.makefile().readline())
            assert answer["error"]["message"], line
    with connect(draco) as connection:  # a line that never ends
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(64):
                connection.sendall(b"x" * 65536)
                time.sleep(0.01)
    deaf = connect(draco)  # asks and never reads
    deaf.setblocking(False)
    deaf.sendall(b'{"jsonrpc":"2.0","id":0,"method":"hello","params":{"protocol":1}}\n')
    ask = b'{"jsonrpc":"2.0","id":1,"method":"status"}\n' * 500
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            deaf.send(ask)
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:
            break
    assert draco.run("status", check=False).returncode == 3
    resident = int(
        re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1]
    )
    limit = 800_000 if "sanitize" in str(BUILD) else 400_000  # there freed memory stays, too
    assert resident < limit, "the output of one that does not read is bounded"
    for connection in [*silent, half, deaf]:
        connection.close()
    process.terminate()
    assert process.wait(60) == 0


def test_idle_dracod_sleeps(draco: Draco) -> None:
    """Wake-ups of a dracod whose cluster is settled come from its own few timers only."""
    seconds = int(os.environ.get("DRACO_TEST_IDLE_SECONDS", "20"))
    draco.start()
    draco.wait_for_workers(2)
    time.sleep(1)
    pid = draco.daemon()
    trace = draco.root / "trace"
    tracer = subprocess.Popen(
        [
            "strace",
            "-f",
            "-o",
            str(trace),
            "-e",
            "trace=epoll_wait,epoll_pwait,poll,select",
            "-p",
            str(pid),
        ],
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    tracer.terminate()
    tracer.wait(60)
    wakeups = len(re.findall(r"epoll_p?wait", trace.read_text()))
    print(f"{wakeups} wake-ups in {seconds} s")
    assert 0 < wakeups < 60 * max(1, seconds / 60)
    trace.unlink()


def test_descriptors_do_not_grow(draco: Draco) -> None:
    rounds = int(os.environ.get("DRACO_TEST_ROUNDS", "5"))

    def count() -> int:
        return len(list(Path(f"/proc/{draco.daemon()}/fd").iterdir()))

    draco.start()
    draco.run("stop")
    before = wait_for(count, "dracod runs")
    for _ in range(rounds):
        draco.start()
        draco.run("stop")
    wait_for(lambda: count() <= before, f"{count()} descriptors, {before} before")


def test_dracod_starts_anew_with_stale_files(draco: Draco) -> None:
    draco.start()
    old = draco.daemon()
    draco.run("stop")
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: not is_alive(old), "it is dead")
    assert draco.run("status", check=False).returncode == 3
    draco.start()
    assert draco.daemon() != old


def test_version_of_another_protocol_is_told(draco: Draco) -> None:
    process = launch(draco)
    with connect(draco) as connection:
        connection.sendall(
            b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":99,"version":"9.9"}}\n'
        )
        text = json.loads(connection.makefile().readline())["error"]["message"]
    assert "9.9" in text and "same version" in text
    process.terminate()
    process.wait(60)


def test_under_valgrind(draco: Draco) -> None:
    if "sanitize" in str(BUILD):
        pytest.skip("valgrind cannot run a program built with AddressSanitizer")
    log = draco.root / "valgrind.log"
    draco.wrap(
        f"valgrind -q --error-exitcode=99 --leak-check=full --log-file={log} "
        "--errors-for-leak-kinds=definite,indirect,possible"
    )
    draco.start()
    draco.run("stop")
    draco.run("shutdown")
    wait_for(lambda: not draco.processes(), "dracod has ended")
    assert log.read_text() == ""
