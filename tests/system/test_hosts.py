"""One home on two hosts: what works from the one without dracod, and who is kept out."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from accounts import certificate_files
from harness import COMPUTE, SMALL, is_alive, wait_for
from hosts import ADDRESS, Site, UserAt, connect_file, dracod_port, visit
from network import as_root, made_or_skipped
from steps import attached

pytestmark = as_root

JOIN = "from draco import Cluster\ncluster = Cluster(quiet=True)\nclient = cluster.get_client()"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with made_or_skipped(Site) as site:
        yield site


@pytest.fixture
def users(site: Site) -> Iterator[tuple[UserAt, UserAt]]:
    """The user on dracod's host, and on the other one."""
    try:
        with visit(site) as users:
            yield users
    finally:
        site.two.mend()


@contextlib.contextmanager
def connected(user: UserAt, timeout: float = 30) -> Iterator[socket.socket]:
    """A connection to dracod's port, from where the user is, without any TLS yet."""
    with (
        user.host.inside(),
        socket.create_connection((ADDRESS, dracod_port(user)), timeout) as connection,
    ):
        yield connection


def error_of(result: subprocess.CompletedProcess[str], status: int) -> str:
    assert result.returncode == status, result.stdout + result.stderr
    assert len(re.findall("^dracoctl: (?! )", result.stderr, re.MULTILINE)) == 1
    return result.stderr


def test_connect_file(users: tuple[UserAt, UserAt]) -> None:
    one, _ = users
    one.start()
    file = one.state / "connect.json"
    assert file.stat().st_mode & 0o7777 == 0o600
    cert, key = map(str, certificate_files(one)[1:3])
    content = connect_file(one)
    assert content == {
        **content,
        "protocol": 1,
        "version": json.loads(one.run("--json", "version").stdout)["dracod"],
        "host": one.host.name,
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "pid": one.daemon(),
        "scheduler": one.status()["scheduler"]["address"],
        "no_daemon": None,
        "ca": cert,
        "certificate": cert,
        "key": key,
    }
    one.run("stop")
    assert not file.exists()


def test_a_firewall_before_the_scheduler(users: tuple[UserAt, UserAt]) -> None:
    """Python says where it is, and what helps."""
    one, two = users
    one.start()
    port = int(one.status()["scheduler"]["address"].rpartition(":")[2])
    quick = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"}
    with two.host.without_port(port), two.kernel(**quick) as kernel:
        error = kernel.fail(JOIN).splitlines()[-1]
        assert error.startswith(
            f'draco.errors.DracoError: the Dask scheduler of the cluster "{one.name}" at '
            f"{ADDRESS}, port {port}, on host {one.host.name} cannot be reached from login2: "
        ), error
        assert "set scheduler_port to a port that the firewall lets through" in error
    with two.kernel() as kernel:
        kernel.run(f"{JOIN}\nclient.close(); cluster.close()")
    assert one.cluster_state() == "running"


def test_dracoctl_on_the_other_host(users: tuple[UserAt, UserAt]) -> None:
    one, two = users
    one.start("--adaptive-scale-factor=2")
    status = two.status()
    assert status["cluster"]["state"] == "running"
    assert status["daemon"]["host"] == one.host.name
    assert f"cluster    {one.name} on {one.host.name}: running" in two.run("status").stdout
    assert "is running: 1 job" in two.run("start", *SMALL).stdout  # it joins
    assert "2 jobs of 2 workers" in two.run("scale", "4").stdout
    one.wait_for_workers(4)
    two.run("pause")
    assert one.status()["size"]["paused"]
    two.run("resume")
    two.run("adapt", "--maximum=4")
    assert not one.status()["size"]["paused"]
    job = one.status()["jobs"][0]["id"]
    two.run("retire", job)
    wait_for(lambda: job not in [item["id"] for item in one.jobs()], "the job is given back")
    assert two.run("logs", job).stdout
    assert "paused (by hand)" in two.run("events").stdout
    assert two.python(COMPUTE).endswith(" 285\n")
    command = ["sh", "-c", "echo $DASK_SCHEDULER_ADDRESS"]
    assert two.run("run", *SMALL, "--", *command).stdout.startswith("tls://")
    assert one.cluster_state() == "running"  # run did not begin it
    assert "is stopped, nothing of it is left" in two.run("stop").stdout
    assert one.cluster_state() == "stopped"
    text = error_of(two.run("status", check=False), 3)
    assert f"runs on host {one.host.name} (process {one.daemon()}) and has no cluster" in text
    assert f"ssh {one.host.name} dracoctl --name {one.name} shutdown" in text
    assert "and has no cluster" in error_of(two.start(check=False), 1)


def test_started_on_both_hosts_at_once(users: tuple[UserAt, UserAt]) -> None:
    """The later one waits until the cluster has a port, and joins it."""
    one, two = users
    start = one.popen("start", *SMALL)
    wait_for((one.state / "daemon.json").exists, "a dracod has the name", pause=0.001)
    assert "is running: 1 job" in two.run("start", *SMALL).stdout
    assert start.wait(120) == 0
    assert len(one.jobs()) == 1
    one.run("shutdown")


def test_shutdown_from_the_other_host(users: tuple[UserAt, UserAt]) -> None:
    one, two = users
    one.start()
    pid = one.daemon()
    assert "has ended" in two.run("shutdown").stdout
    wait_for(lambda: not is_alive(pid), "dracod has ended")
    assert "no cluster" in error_of(two.run("status", check=False), 3)


def test_events_are_followed(users: tuple[UserAt, UserAt], tmp_path: Path) -> None:
    one, two = users
    one.start()
    seen = tmp_path / "events"
    with seen.open("w") as file, two.popen("events", "-f", stdout=file) as process:
        wait_for(lambda: "starting -> running" in seen.read_text(), "what was is shown")
        one.run("pause")
        wait_for(lambda: "paused (by hand)" in seen.read_text(), "what comes is shown")
        process.terminate()
        process.wait(60)


def test_python_on_the_other_host(users: tuple[UserAt, UserAt]) -> None:
    one, two = users
    one.start()
    here, there = one.kernel(), two.kernel()
    with here, there:
        here.run(JOIN)
        there.run(JOIN)
        assert attached(one, "host") == [one.host.name, two.host.name]
        assert there.run("print(client.submit(pow, 2, 5).result())") == "32\n"
        assert there.run("print(cluster.status.name, cluster.dashboard_link)") == "running \n"
        there.run("cluster.scale(4)")
        one.wait_for_workers(4)
        assert there.run("import draco; print(draco.list_clusters()[0].state)") == "running\n"
        there.run(f"other = Cluster.from_name({one.name!r}); other.close()")
        there.run(
            "import asyncio\n"
            "async def main():\n"
            "    async with Cluster(asynchronous=True, quiet=True) as cluster:\n"
            "        async with cluster.get_client() as client:\n"
            "            print(await client.submit(pow, 2, 6))\n"
        )
        assert there.run("asyncio.run(main())") == "64\n"
        there.kill()
        wait_for(
            lambda: attached(one, "host") == [one.host.name], "the lease of the killed one ends"
        )
    with two.kernel() as there:
        there.run(JOIN)
        there.run("cluster.shutdown()")
        assert one.cluster_state() == "stopped"
        error = there.fail(JOIN)
        assert f'DaemonNotRunning: dracod "{one.name}" runs on host {one.host.name}' in error
        assert "and has no cluster now" in error
        assert there.run("import draco; print(draco.list_clusters()[0].state)") == "elsewhere\n"


def test_the_lease_of_a_vanished_host_ends(site: Site, users: tuple[UserAt, UserAt]) -> None:
    """As does the connection at the other end; a program goes on when its host is back soon."""
    one, two = users
    one.start()
    with two.kernel() as kernel:
        kernel.run(JOIN + "\nclient.close()")
        assert attached(one, "host") == [two.host.name]
        site.two.cut()
        wait_for(lambda: attached(one, "host") == [], "the lease ends", timeout=90, pause=0.5)
        site.two.mend()
        wait_for(lambda: attached(one, "host") == [two.host.name], "it is back", timeout=90)
        assert kernel.run("cluster.scale(2); print(cluster.status.name)") == "running\n"
        site.two.cut()
        begin = time.monotonic()
        wait_for(lambda: attached(one, "host") == [], "the lease ends", timeout=90, pause=0.5)
        print(f"the lease of a vanished host ended after {time.monotonic() - begin:.1f} s")
        wait_for(
            lambda: kernel.run("print(cluster.status.name)") == "closed\n",
            "the notebook learns of it",
            timeout=90,
            pause=0.5,
        )
        text = error_of(two.run("status", check=False), 1)
        assert f"runs on host {one.host.name}" in text and f"connect to {ADDRESS}:" in text
        error = kernel.fail("Cluster(quiet=True)")
        assert (
            f"runs on host {one.host.name}" in error and "the setting remote_port can" in error
        )


def refused(connection: socket.socket, context: ssl.SSLContext) -> bool:
    """Whether dracod parts from a client with this context before it answers anything."""
    context.check_hostname = False
    hello = '{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":1}}\n'
    try:
        with context.wrap_socket(connection) as secure:
            secure.sendall(hello.encode())
            return secure.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_who_has_no_certificate_is_refused(
    users: tuple[UserAt, UserAt], tmp_path: Path
) -> None:
    one, two = users
    one.start()
    cert, key = certificate_files(one)[1:3]
    with connected(two) as connection:  # none
        assert refused(connection, ssl._create_unverified_context())
    subprocess.run(
        [
            *["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"],
            *["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=draco cluster x"],
            *["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")],
        ],
        check=True,
        capture_output=True,
    )
    with connected(two) as connection:  # one of an authority of its own
        context = ssl._create_unverified_context()
        context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
        assert refused(connection, context)
    with connected(two) as connection:  # not even TLS
        connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"status"}\n')
        with contextlib.suppress(ConnectionError):
            assert b"{" not in connection.recv(4096)
    with connected(two) as connection:  # and dracod has to show it, too
        context = ssl.create_default_context(cafile=tmp_path / "cert")
        context.load_cert_chain(cert, key)
        context.check_hostname = False
        with pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(connection)
    with connected(two) as connection:  # the right one gets in, to be sure
        context = ssl.create_default_context(cafile=cert)
        context.load_cert_chain(cert, key)
        assert not refused(connection, context)
    assert "remote: 10.71.0.2:" in one.log.read_text()


def test_who_hangs_does_not_hinder(users: tuple[UserAt, UserAt]) -> None:
    one, two = users
    one.start()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        ssl._create_unverified_context().wrap_bio(incoming, outgoing).do_handshake()
    begun = outgoing.read()
    with connected(two) as silent, connected(two) as half, connected(two) as begins:
        half.sendall(begun[: len(begun) // 2])
        begins.sendall(begun)  # all of the first message, and nothing after it
        for _ in range(3):
            assert two.status()["cluster"]["state"] == "running"
        assert begins.recv(65536)
        for connection in (silent, half, begins):
            with contextlib.suppress(ConnectionError):
                while connection.recv(65536):
                    pass  # until dracod has had enough: else a time-out
        assert two.status()["cluster"]["state"] == "running"


def test_a_dracod_that_does_not_answer(users: tuple[UserAt, UserAt]) -> None:
    one, two = users
    one.start()
    pid = one.daemon()
    os.kill(pid, signal.SIGSTOP)
    try:
        text = error_of(two.run("status", check=False), 1)
        assert f"runs on host {one.host.name} (process {pid}) and cannot be reached" in text
        assert "no answer within 10 s" in text
        with two.kernel() as kernel:
            assert "no answer within 10 s" in kernel.fail(JOIN)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert two.cluster_state() == "running"


@pytest.mark.parametrize(
    ("option", "why"),
    [("--remote-port=none", "remote_port is none"), ("--security=none", "security is none")],
)
def test_without_a_port(users: tuple[UserAt, UserAt], option: str, why: str) -> None:
    one, two = users
    one.start(option)
    assert connect_file(one)["daemon"] is None
    text = error_of(two.run("status", check=False), 1)
    assert (
        f"runs on host {one.host.name} (process {one.daemon()}) and cannot be reached" in text
    )
    assert f"from login2: {why}\n" in text
    assert f"  use it there: ssh {one.host.name} dracoctl --name {one.name}\n" in text
    with two.kernel() as kernel:
        assert f"from login2: {why}. Use ssh" in kernel.fail(JOIN)
        assert (
            kernel.run("import draco; print(draco.list_clusters()[0].state)") == "elsewhere\n"
        )


def test_a_port_by_number(users: tuple[UserAt, UserAt]) -> None:
    one, two = users
    one.start("--remote-port=18790")
    assert dracod_port(one) == 18790
    assert two.cluster_state() == "running"
    one.run("stop")
    with one.host.inside(), socket.create_server((ADDRESS, 18790)):
        result = one.start("--remote-port=18790")
    assert (
        "remote_port: cannot listen at 10.71.0.1, port 18790: Address already" in result.stdout
    )
    assert "port 18790: Address already in use\n" in error_of(two.run("status", check=False), 1)
    for value in ("80", "any"):
        text = one.start(f"--remote-port={value}", check=False).stderr
        assert f'--remote-port: "{value}" is neither a port nor a range of ports: give' in text


def test_a_dracod_that_was_killed(users: tuple[UserAt, UserAt]) -> None:
    """The lock tells it also on the other host; the next dracod on its own host goes on."""
    one, two = users
    one.start()
    before, pid = one.status(), one.daemon()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), "dracod has died")
    former = f"dracod ran on host {one.host.name} (process {pid}) and ended without cleaning up"
    text = error_of(two.run("status", check=False), 3)
    assert f'no cluster "{one.name}" is running' in text and former in text
    with two.kernel() as kernel:
        error = kernel.fail(f"from draco import Cluster\nCluster.from_name({one.name!r})")
        assert f'no cluster "{one.name}" is running: {former}' in error
        assert kernel.run("import draco; print(draco.list_clusters()[0].state)") == "killed\n"
    one.run("launch")
    assert json.loads(one.run("--json", "launch").stdout)["host"] == one.host.name
    after = two.status()
    assert after["cluster"]["id"] == before["cluster"]["id"]
    assert after["scheduler"]["pid"] == before["scheduler"]["pid"]
