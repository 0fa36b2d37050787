"""Print where the time of a start went, from ``dracoctl --json status`` on standard input."""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Print one line for each step, in the order in which they came."""
    steps = json.load(sys.stdin)["cluster"]["milestones"]
    print("Where the time of the start went:")
    before = 0.0
    for name, at in sorted(steps.items(), key=lambda item: item[1]):
        print(f"  {at:6.2f} s  +{at - before:.2f}  {name}")
        before = at


if __name__ == "__main__":
    main()
