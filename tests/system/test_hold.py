"""For how long an idle job is kept: learned from the pauses."""

from __future__ import annotations

from harness import Draco, wait_for
from steps import size

#: So long that it is worth a job which, on a busy machine, takes a quarter of a minute to come.
BURST = """
import time
from distributed import Client, wait
client = Client()
wait(client.map(lambda i: time.sleep(1), range(72), pure=False))
"""


def test_a_hold_in_vain_shortens_the_next(draco: Draco) -> None:
    draco.start("--adaptive-scale-factor=3", "--idle-hold=6")
    assert size(draco)["hold_ms"] == 6000
    draco.python(BURST)
    assert len(draco.all_jobs()) == 3
    wait_for(lambda: len(draco.jobs()) == 1, "the first hold is over")
    assert "idle_hold" in size(draco)["hold_why"]
    draco.python(BURST)
    wait_for(lambda: size(draco)["hold_ms"] < 6000, "it was in vain, as draco knows now")
    assert "after " in size(draco)["hold_why"]
