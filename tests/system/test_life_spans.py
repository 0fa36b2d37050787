"""Life spans in a user's configuration of Dask, which is written for other clusters."""

from __future__ import annotations

import pytest
from harness import PATIENT, Draco, wait_for
from steps import events

CONFIGURED = """
distributed:
  scheduler:
    idle-timeout: 3s
    no-workers-timeout: 3s
  worker:
    lifetime:
      duration: 6s
"""

KEPT = """
import time
from distributed import Client
with Client() as client:
    before = sorted(client.scheduler_info()["workers"])
    future = client.submit(lambda: 42)
    future.result()
    time.sleep(12)
    assert sorted(client.scheduler_info()["workers"]) == before
    print(client.submit(lambda x: x, future).result())
"""


@pytest.fixture
def configured(draco: Draco) -> Draco:
    """A user with such a configuration."""
    directory = draco.home / ".config/dask"
    directory.mkdir(parents=True)
    (directory / "user.yaml").write_text(CONFIGURED)
    return draco


def test_the_configuration_ends_nothing(configured: Draco) -> None:
    configured.start(PATIENT)
    assert configured.python(KEPT).strip() == "42"
    assert not [e for e in events(configured) if e["kind"] == "failure"]


def test_scheduler_options_are_meant(configured: Draco) -> None:
    configured.start(PATIENT, "--scheduler-options=--idle-timeout,5s")
    wait_for(
        lambda: [
            e
            for e in events(configured)
            if "idle" in e.get("text", "") or "exited" in e.get("text", "")
        ],
        "the scheduler to end, as was asked for",
    )
