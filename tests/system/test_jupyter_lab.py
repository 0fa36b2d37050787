"""JupyterLab's panel of Dask clusters with draco behind it, in a real browser."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import browser as chromium
import pytest
from browser import Browser
from conftest import has_failed
from harness import BUILD, SOURCE, Draco, wait_for
from lab import Lab, install_package, need_module

for module in ("jupyterlab", "dask_labextension"):
    need_module(module)

pytestmark = pytest.mark.skipif(chromium.missing() != "", reason=chromium.missing())

EXAMPLE = (SOURCE / "client/python/examples/labextension.yaml").read_text()
PICTURES = Path(os.environ.get("DRACO_PICTURES", BUILD / "pictures"))

ITEM = ".dask-ClusterListingItem"
DIALOG = ".jp-Dialog"
RUN_CELL = '[data-command^="notebook:run-cell"]'
LAST_FIELD = f"{DIALOG} .dask-ScalingSection:last-child .dask-ScalingInput"


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    install_package()
    with Browser() as browser:
        yield browser
        if has_failed(request):
            save(browser, "failure")


def save(browser: Browser, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    browser.screenshot(PICTURES / f"lab-{name}.png")


def open_lab(draco: Draco, browser: Browser) -> Lab:
    """Start JupyterLab, open a notebook and the Dask panel."""
    config = draco.home / ".config/draco/draco.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("processes: 2\ncores: 2\nmemory: 1 GiB\nwalltime: 00:50:00\n")
    lab = Lab(draco, EXAMPLE)
    try:
        lab.open(browser)
        browser.click('[data-id="dask-dashboard-launcher"]')
    except BaseException as exc:
        lab.__exit__(type(exc))
        raise
    return lab


def listed(browser: Browser, text: str) -> None:
    browser.wait_for(
        f"[...document.querySelectorAll('{ITEM}')].some(e => "
        f"e.innerText.includes({json.dumps(text)}))",
        f"the panel lists {text}",
    )


def click_new(browser: Browser) -> None:
    browser.click(".dask-DaskClusterManager .jp-ToolbarButtonComponent", "NEW")


def refused(browser: Browser) -> None:
    """The panel says that it does not stop the cluster."""
    browser.wait_for(
        f"document.querySelector('{DIALOG}')?.innerText.includes('is in use')",
        "the panel says why it is not stopped",
    )
    save(browser, "in-use")
    browser.click(f"{DIALOG} button")


def run_cell(browser: Browser, answer: str) -> None:
    """Run the chosen cell, and wait until an output has this text."""
    browser.click(RUN_CELL)
    browser.wait_for(
        "[...document.querySelectorAll('.jp-OutputArea-output')]"
        f".some(e => e.innerText.includes({json.dumps(answer)}))",
        f"the cell's output is {answer}",
    )


def test_new_scale_compute_adapt_close(draco: Draco, browser: Browser) -> None:
    with open_lab(draco, browser):
        click_new(browser)
        listed(browser, "Number of Workers: 2")
        assert draco.cluster_state() == "running"
        assert [lease["program"] for lease in draco.status()["attached"]] == ["jupyterlab"]

        browser.click(f"{ITEM}-scale")
        browser.fill(f"{DIALOG} .dask-ScalingInput", "4")
        save(browser, "scale")
        browser.click(f"{DIALOG} button", "SCALE")
        draco.wait_for_workers(4)
        assert len(draco.jobs()) == 2 and draco.status()["size"]["mode"] == "fixed"
        listed(browser, "Number of Workers: 4")

        browser.click(f"{ITEM}-code")
        browser.wait_for(
            "document.querySelector('.jp-Cell .cm-content').innerText.includes('Client(\"tls://')",
            "the client's cell is there",
        )
        run_cell(browser, "Connection method: Direct")
        browser.click(".jp-Cell.jp-mod-selected .cm-content")
        browser.type("sum(client.gather(client.map(lambda x: x * x, range(100))))")
        run_cell(browser, "328350")
        save(browser, "cell")

        browser.click(".dask-DashboardListing-item button", "WORKERS MEMORY")
        browser.wait_for(
            "[...document.querySelectorAll('iframe')].some(e =>"
            " e.src.includes('/dask/dashboard/') && e.contentDocument.querySelector('.bk-Figure'))",
            "the dashboard's pane has a plot",
        )

        browser.click(f"{ITEM}-scale")
        browser.click(f"{DIALOG} .dask-ScalingCheckbox")
        browser.fill(LAST_FIELD, "6")
        browser.click(f"{DIALOG} button", "SCALE")
        listed(browser, "Maximum Workers: 6")
        wait_for(lambda: draco.status()["size"]["mode"] == "adaptive", "it adapts")
        assert draco.status()["size"]["maximum_jobs"] == 3

        browser.click(f"{ITEM}-stop")
        refused(browser)  # the cell's client is connected
        browser.click(".lm-TabBar-tab", "notebook.ipynb")
        browser.click(".jp-Cell.jp-mod-selected .cm-content")
        browser.type("client.close(); 'closed'")
        run_cell(browser, "'closed'")
        browser.click(f"{ITEM}-stop")
        browser.wait_for(f"!document.querySelector('{ITEM}')", "the panel is empty")
        wait_for(lambda: draco.cluster_state() == "stopped", "it has stopped")
        assert not draco.jobs()


def test_clusters_that_run_already(draco: Draco, browser: Browser) -> None:
    """They are listed; one that is in use is not stopped by a click."""
    with open_lab(draco, browser):
        draco.start()
        listed(browser, draco.name)
        assert draco.status()["attached"] == []  # to look at it is no use of it
        with draco.popen("run", "--", "sleep", "1000") as program:
            wait_for(lambda: draco.status()["attached"], "somebody uses it")
            browser.click(f"{ITEM}-stop")
            refused(browser)
            assert draco.cluster_state() == "running"
            program.terminate()
        wait_for(lambda: not draco.status()["attached"], "nobody uses it")
        browser.click(f"{ITEM}-stop")
        browser.wait_for(f"!document.querySelector('{ITEM}')", "the panel is empty")
        wait_for(lambda: draco.cluster_state() == "stopped", "it has stopped")
        draco.start()
        listed(browser, draco.name)
        draco.run("stop")  # elsewhere
        browser.wait_for(f"!document.querySelector('{ITEM}')", "the panel is empty")


def count(browser: Browser) -> int:
    return int(browser.script(f"return document.querySelectorAll('{ITEM}').length"))


def test_new_while_the_queue_is_full(draco: Draco, browser: Browser) -> None:
    """The cluster is listed at once, once, and can be shut down before it has begun."""
    with open_lab(draco, browser) as lab:
        with draco.sandbox.full():
            click_new(browser)
            listed(browser, f"{draco.name}: Resources")
            listed(browser, "Address: none yet: job ")
            listed(browser, "Number of Workers: 0")
            save(browser, "waiting")
            click_new(browser)
            browser.wait_for(
                f"document.querySelectorAll('{ITEM}').length === 1 && "
                "!document.querySelector('.dask-DaskClusterManager [aria-disabled=true]')",
                "the cluster is listed once",
            )
            assert len(draco.jobs()) == 1
            browser.click(f"{ITEM}-stop")
            browser.wait_for(f"!document.querySelector('{ITEM}')", "the panel is empty")
            wait_for(lambda: draco.cluster_state() == "stopped", "it has stopped")
            assert not draco.jobs()
            click_new(browser)
            listed(browser, "Resources")
        listed(browser, "Number of Workers: 2")
        browser.wait_for(
            f"document.querySelector('{ITEM}-title').innerText === '{draco.name}'",
            "it does not wait any more",
        )
        assert count(browser) == 1
        browser.click(".dask-DashboardListing-item button", "WORKERS MEMORY")
        browser.wait_for(
            "[...document.querySelectorAll('iframe')].some(e =>"
            " e.src.includes('/dask/dashboard/') && e.contentDocument.querySelector('.bk-Figure'))",
            "the dashboard's pane has a plot",
        )
        browser.click(f"{ITEM}-stop")
        browser.wait_for(f"!document.querySelector('{ITEM}')", "the panel is empty")
        wait_for(lambda: draco.cluster_state() == "stopped", "it has stopped")
        assert "Task exception" not in lab.log.read_text()


def test_new_that_fails(draco: Draco, browser: Browser) -> None:
    """A dialog says why when that is known at once, else the list does."""
    with open_lab(draco, browser):
        config = draco.home / ".config/draco/draco.yaml"
        usual = config.read_text()
        config.write_text(f"{usual}queues_to_try: [nowhere]\n")
        click_new(browser)
        browser.wait_for(
            f"document.querySelector('{DIALOG}')?.innerText.includes('nowhere')",
            "the panel says why it does not start",
        )
        save(browser, "not-started")
        browser.click(f"{DIALOG} button")
        config.write_text(f"{usual}queues_to_try: [short]\nwait_timeout: 8\n")
        with draco.sandbox.full():
            click_new(browser)
            listed(browser, "did not start: ")
            save(browser, "failed")
            browser.click(f"{ITEM}-stop")
            browser.wait_for(f"!document.querySelector('{ITEM}')", "the panel is empty")
        assert not draco.jobs()
