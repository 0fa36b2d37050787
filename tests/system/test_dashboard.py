"""The dashboard: where it is, and who is told of it."""

from __future__ import annotations

import importlib.util
import json
import re
import socket
import subprocess

import pytest
from accounts import address_of, listening
from harness import PYTHON, Draco
from test_json import Answers


def test_dashboard_off(draco: Draco) -> None:
    result = draco.start("--dashboard=off")
    assert "dashboard" not in result.stdout
    status = draco.status()
    assert listening(status["scheduler"]["pid"]) == {address_of(status["scheduler"]["address"])}
    assert not (draco.runtime / "draco" / draco.name / "http.sock").exists()
    assert draco.run("dashboard", check=False).returncode == 1
    assert (
        "dashboard  none: it is switched off (setting dashboard)" in draco.run("status").stdout
    )
    # Clients show no link, and nothing trips over that.
    code = (
        "from distributed import Client\nwith Client() as c:\n"
        "    print([c.dashboard_link], len(c._repr_html_()) > 100)"
    )
    assert draco.python(code) == "[''] True\n"


def test_dashboard_port_stays_the_same(draco: Draco) -> None:
    draco.start()
    port = draco.status()["dashboard"]["wanted_port"]
    assert ("127.0.0.1", port) in listening(draco.status()["scheduler"]["pid"])
    with socket.create_connection(("127.0.0.1", port)):
        draco.run("stop")
    draco.start()
    assert draco.status()["dashboard"]["wanted_port"] == port
    assert ("127.0.0.1", port) in listening(draco.status()["scheduler"]["pid"])
    draco.run("stop")
    with socket.create_server(("127.0.0.1", port)):
        draco.start()
    ports = listening(draco.status()["scheduler"]["pid"])
    assert ("127.0.0.1", port) not in ports and len(ports) == 2
    moved = re.search(rf"port {port} is taken, so it is at port (\d+)", draco.log.read_text())
    assert moved and ("127.0.0.1", int(moved[1])) in ports


def test_dashboard_for_everyone_is_warned_about(draco: Draco) -> None:
    result = draco.start("--dashboard-address=0.0.0.0", "--dashboard-port=18787")
    warning = "dashboard_address is 0.0.0.0: everyone who reaches it can read the dashboard\n"
    assert result.stderr.endswith(warning)
    assert draco.run("status").stderr.endswith(warning)
    hosts = {host for host, _ in listening(draco.status()["scheduler"]["pid"])}
    assert "0.0.0.0" in hosts


def test_dashboard_address_of_another_host(draco: Draco) -> None:
    failed = draco.start("--dashboard-address=192.0.2.77", check=False)
    assert failed.returncode == 1
    assert "dashboard_address: 192.0.2.77 is not an address of this host" in failed.stderr


@pytest.mark.skipif(
    importlib.util.find_spec("bokeh") is not None, reason="bokeh is installed for this Python"
)
def test_dashboard_without_bokeh(draco: Draco) -> None:
    assert draco.run("dashboard", check=False).returncode == 3
    reason = f"{PYTHON} has no bokeh that fits"
    started = draco.start().stdout
    assert "http://" not in started and f"dashboard  none: {reason}" in started
    assert f"dashboard  none: {reason}" in draco.run("status").stdout
    for options in ([], ["--json"]):
        result = draco.run(*options, "dashboard", check=False)
        assert result.returncode == 1
        assert f"there is no dashboard: {reason}" in result.stdout + result.stderr
    assert draco.status()["dashboard"]["url"] is None
    assert draco.status()["scheduler"]["dashboard"] is None


@pytest.mark.skipif(
    importlib.util.find_spec("bokeh") is None, reason="this Python has no bokeh"
)
def test_dashboard_with_bokeh(draco: Draco) -> None:
    import urllib.request

    draco.start()
    answer = json.loads(draco.run("--json", "dashboard").stdout)
    port = answer["port"]
    url = f"http://127.0.0.1:{port}/status"
    assert answer["url"] == url and answer["jupyter_path"] == f"/proxy/{port}/status"
    answers = Answers()
    answers.check("dashboard", answer)
    assert answer["ssh"].startswith(f"ssh -N -L {port}:127.0.0.1:{port} ")
    text = draco.run("dashboard", JUPYTERHUB_SERVICE_PREFIX="/user/me/").stdout
    assert url in text and answer["ssh"] in text and f"/user/me/proxy/{port}/status" in text
    with urllib.request.urlopen(url, timeout=30) as page:
        assert page.status == 200 and b"Dask" in page.read()
    link = draco.python("from distributed import Client\nprint(Client().dashboard_link)")
    assert link == f"{url}\n"
    hub = draco.run("env", "--format=json", JUPYTERHUB_SERVICE_PREFIX="/user/me/").stdout
    assert json.loads(hub)["DASK_DISTRIBUTED__DASHBOARD__LINK"] == (
        "{JUPYTERHUB_SERVICE_PREFIX}proxy/{port}/status"
    )
    draco.run("stop")
    draco.start("--dashboard=socket")
    answer = json.loads(draco.run("--json", "dashboard").stdout)
    path = draco.runtime / "draco" / draco.name / "http.sock"
    assert answer["socket"] == str(path) and answer["url"] is None
    answers.check("dashboard", answer)
    assert (answers.faults, answers.missing("dashboard")) == ([], set())
    assert re.match(rf"ssh -N -L \d+:{path} ", answer["ssh"]) and answer["jupyter_path"] is None
    page = subprocess.check_output(["curl", "-sSL", "--unix-socket", path, "http://x/status"])
    assert b"Dask" in page
