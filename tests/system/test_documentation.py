"""The documentation: its links lead somewhere, and the script finds those that do not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from harness import SOURCE

GOOD = """# Start

[there](docs/other.md), [a heading](docs/other.md#two-words-and-code), [here](#start),
[over two
lines](docs/other.md#again-1), [far away](https://example.org/nothing), `tests/links`, `tests/X.c`,
![a picture](docs/a.png) <img src="docs/a.png"> [by name][other]

    [in code](nothing.md)

```
[in code](nothing.md)
```

[other]: docs/other.md
"""

OTHER = """# Other

## Two words, and `code`

## Again

## Again
"""

BAD = """# Bad

[a](nothing.md)
[b](docs/other.md#nothing)
![c](docs/b.png)
<img alt="d" src="docs/c.png">
[e](../outside.md)
[f][nowhere]
`daemon/nothing.c`
"""


def check(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SOURCE / "tests/links", directory], capture_output=True, text=True, timeout=60
    )


def tree(directory: Path, **pages: str) -> Path:
    for name in ("docs", "tests"):
        (directory / name).mkdir()
    (directory / "docs/a.png").touch()
    (directory / "tests/links").touch()
    (directory / "docs/other.md").write_text(OTHER)
    for name, text in pages.items():
        (directory / f"{name}.md").write_text(text)
    return directory


def test_links_of_the_documentation() -> None:
    found = check(SOURCE)
    assert (found.returncode, found.stdout) == (0, "")


def test_good_links_pass(tmp_path: Path) -> None:
    found = check(tree(tmp_path, good=GOOD))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    found = check(tree(tmp_path, bad=BAD, good=GOOD))
    assert found.returncode == 1
    assert found.stdout.splitlines() == [
        "bad.md:3: nothing.md: there is no nothing.md",
        "bad.md:4: docs/other.md#nothing: docs/other.md has no heading #nothing",
        "bad.md:5: docs/b.png: there is no docs/b.png",
        "bad.md:6: docs/c.png: there is no docs/c.png",
        "bad.md:7: ../outside.md leads out of the repository",
        "bad.md:8: [nowhere] is defined nowhere",
        "bad.md:9: there is no daemon/nothing.c",
    ]


def test_no_links_at_all_is_a_failure(tmp_path: Path) -> None:
    assert check(tmp_path).returncode == 1


def test_readme_is_short() -> None:
    assert len((SOURCE / "README.md").read_text().splitlines()) < 150


# Messages


def texts(path: Path) -> str:
    """The texts of a source file, each in one piece, with what is put in left out."""
    text = re.sub(r'"\s*(?:(?:PRI|JSON_)\w+\s*)?[rf]*"', "", path.read_text())
    text = re.sub(r'" \\\n\s*"', " ", text)  # arguments of a function of the shell
    text = re.sub(r"'\s*\n\s*[rf]*'", "", text)
    return text.replace('\\"', '"').replace("'\\''", "'").replace("\\n", " ")


def test_troubleshooting_quotes_messages_that_there_are() -> None:
    """Each piece of a quoted message, between what varies, is a text of one source file."""
    folders = ("client", "common", "daemon")
    files = [path for folder in folders for path in (SOURCE / folder).rglob("*.[chps]*")]
    sources = [texts(path) for path in files if path.suffix in (".c", ".h", ".py", ".sh")]
    page = (SOURCE / "docs/troubleshooting.md").read_text()
    messages = re.findall(r"^\| `(.+?)` \|", page, re.M)
    assert len(messages) > 50
    others = {  # of the shell, and of Dask
        "dracoctl: command not found",
        "CancelledError`, `FutureCancelledError: … cancelled for reason: cluster-ended",
        "FutureCancelledError: … cancelled for reason: scheduler-connection-lost",
        "ClosedClientError`, `Client not running. Status: closed",
        "Couldn't gather … keys",
    }
    unknown = []
    for message in set(messages) - others:
        pieces = [piece.strip(' ()"') for piece in message.split("…")]
        pieces = [piece for piece in pieces if len(piece) > 3]
        if not any(all(piece in source for piece in pieces) for source in sources):
            unknown.append(message)
    assert unknown == []
