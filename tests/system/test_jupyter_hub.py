"""Below a JupyterHub: Dask's dashboard is reached through the user's Jupyter server."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest
from harness import SOURCE, Draco, wait_for
from kernels import Kernel
from lab import Lab, install_package, need_module

for module in ("jupyterlab", "dask_labextension", "jupyter_server_proxy", "bokeh"):
    need_module(module)

EXAMPLE = (SOURCE / "client/python/examples/labextension.yaml").read_text()
PREFIX = "/user/ann/"
MINE = "b9d4a3c2-0000-4000-8000-000000000001"  # as the panel numbers clusters


@pytest.fixture
def hub(draco: Draco) -> Iterator[Lab]:
    """Ann's server, as a hub starts it."""
    install_package()
    config = draco.home / ".config/draco/draco.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("processes: 2\ncores: 2\nmemory: 1 GiB\nwalltime: 00:50:00\n")
    with Lab(draco, EXAMPLE, PREFIX) as lab:
        wait_for(lambda: answers(lab), "Jupyter answers", timeout=120)
        yield lab


def answers(lab: Lab) -> bool:
    try:
        return ask(lab, f"{PREFIX}api")[0] == 200
    except urllib.error.URLError:
        return False


def ask(lab: Lab, path: str, method: str = "GET") -> tuple[int, str]:
    """Ask the server, as Ann's browser does: status and text."""
    url = urllib.parse.urljoin(lab.info["url"], path)
    token = {"Authorization": f"token {lab.info['token']}"}
    request = urllib.request.Request(url, method=method, headers=token)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def check_live(lab: Lab, path: str) -> None:
    """This page of the dashboard comes, all that it loads, and its plots are alive."""
    status, page = ask(lab, path)
    assert status == 200 and "Dask" in page, (status, page[-2000:])
    parts = re.findall(r'(?:src|href)="([^"#]+\.(?:js|css)[^"]*)"', page)
    ours = [part for part in parts if "://" not in part]
    assert ours
    for part in ours:
        assert ask(lab, urllib.parse.urljoin(path, part))[0] == 200, part
    (token,) = set(re.findall(r'"token":"([^"]+)"', page))
    assert asyncio.run(greet(lab, f"{path}/ws", token)) == "ACK"


async def greet(lab: Lab, path: str, token: str) -> str:
    """Connect as a page of bokeh does: the kind of message that comes first."""
    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    url = urllib.parse.urljoin(lab.info["url"], path).replace("http", "ws", 1)
    request = HTTPRequest(url, headers={"Authorization": f"token {lab.info['token']}"})
    connection = await websocket_connect(request, subprotocols=["bokeh", token])
    try:
        message = await asyncio.wait_for(connection.read_message(), 60)
    finally:
        connection.close()
    return str(json.loads(message)["msgtype"])


def test_the_link_of_a_notebook(draco: Draco, hub: Lab) -> None:
    with Kernel(draco, JUPYTERHUB_SERVICE_PREFIX=PREFIX) as kernel:
        kernel.run("import draco\nclient, cluster = draco.start_slurm_cluster(quiet=True)")
        link = kernel.run("print(cluster.dashboard_link)").strip()
        port = draco.status()["dashboard"]["port"]
        assert link == f"{PREFIX}proxy/{port}/status"
        assert kernel.run("print(client.dashboard_link)").strip() == link
        assert f'href="{link}"' in kernel.run("print(cluster._repr_html_())")
        check_live(hub, link)
        path = draco.run("dashboard", "--json", JUPYTERHUB_SERVICE_PREFIX=PREFIX).stdout
        assert json.loads(path)["jupyter_path"] == link
        kernel.run("client.close(); cluster.close()")


def test_the_panes_of_the_panel(draco: Draco, hub: Lab) -> None:
    status, text = ask(hub, f"{PREFIX}dask/clusters/{MINE}", "PUT")
    assert status == 200, text

    def listed() -> list[dict]:
        return json.loads(ask(hub, f"{PREFIX}dask/clusters")[1])

    (model,) = wait_for(
        lambda: [m for m in listed() if m["workers"]], "it has begun", pause=0.5
    )
    link = f"{PREFIX}proxy/{draco.status()['dashboard']['port']}/status"
    assert model["dashboard_link"] == link
    status, text = ask(hub, f"{PREFIX}dask/dashboard/{MINE}/individual-plots.json")
    assert status == 200, text
    plots = json.loads(text)
    check_live(hub, f"{PREFIX}dask/dashboard/{MINE}{plots['Individual Workers Memory']}")
    # One that runs already, too.
    assert ask(hub, f"{PREFIX}dask/clusters/{MINE}", "DELETE")[0] in (200, 204)
    draco.start()
    wait_for(listed, "it is listed", pause=0.5)
    (model,) = listed()
    assert model["dashboard_link"] == link
    path = f"{PREFIX}dask/dashboard/{model['id']}/individual-plots.json"
    assert ask(hub, path)[0] == 200
