"""What is installed: manual pages with all settings and commands, and completions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import BUILD, SOURCE
from user import User


def test_install_puts_pages_and_completions_where_they_belong(tmp_path: Path) -> None:
    subprocess.run(
        ["make", "-s", "-C", str(BUILD), "install", f"DESTDIR={tmp_path}", "prefix=/usr"],
        check=True,
        capture_output=True,
        timeout=300,
    )
    for file in (
        "man/man1/dracoctl.1",
        "man/man8/dracod.8",
        "man/man5/draco.yaml.5",
        "bash-completion/completions/dracoctl",
        "zsh/site-functions/_dracoctl",
        "fish/vendor_completions.d/dracoctl.fish",
    ):
        assert (tmp_path / "usr/share" / file).stat().st_size > 1000, file


PAGES = ["client/dracoctl.1", "daemon/dracod.8", "common/draco.yaml.5"]


@pytest.mark.parametrize("page", PAGES)
def test_manual_page_is_right(page: str) -> None:
    text = (BUILD / page).read_text()
    assert not re.search(r"@[A-Z_]+@", text)
    if not shutil.which("man"):
        pytest.skip("man is not installed (on Debian: apt-get install man-db groff)")
    shown = subprocess.run(
        ["man", "--warnings=w", "-E", "UTF-8", "-l", "-Tutf8", str(BUILD / page)],
        text=True,
        capture_output=True,
        timeout=60,
        env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C.UTF-8"},
    )
    assert shown.returncode == 0 and shown.stderr == "", shown.stderr


@pytest.mark.parametrize("page", PAGES)
def test_manual_page_passes_lint(page: str) -> None:
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not installed (on Debian: apt-get install mandoc)")
    lint = subprocess.run(
        ["mandoc", "-T", "lint", str(BUILD / page)], text=True, capture_output=True, timeout=60
    )
    assert lint.stdout + lint.stderr == ""


def test_manual_pages_have_all_settings_and_commands(user: User) -> None:
    settings = (BUILD / PAGES[2]).read_text()
    commands = (BUILD / PAGES[0]).read_text()
    for name, setting in user.show()["settings"].items():
        assert f"\n\\fB{name}\\fR\n" in settings, name
        assert f"\\fB\\-\\-{name}".replace("_", "\\-") in commands, name
        assert setting["layer"] == "default"
    overview = user.run("--help").stdout
    names = re.findall(
        r"^  ([a-z]+) ", overview.split("Commands:")[1].split("Options")[0], re.M
    )
    assert len(names) > 8
    for name in names:
        assert f"\n.TP\n\\fB{name}\\fR" in commands, name


def test_settings_stand_in_groups(user: User) -> None:
    """In --help, the manual pages and docs/settings.md, each setting once, in the same groups."""
    names = set(user.show()["settings"])
    text = user.run("start", "--help").stdout
    groups = {
        title.lower(): {
            option.replace("-", "_")
            for option in re.findall(r"^  --(?:\[no-\])?([a-z-]+)", part, re.M)
        }
        for title, part in re.findall(
            r"^Settings: (.+)\n((?:  .+\n)+)", text.split("\nOptions:")[0], re.M
        )
    }
    assert len(groups) > 4 and sum(map(len, groups.values())) == len(names)
    assert set().union(*groups.values()) == names
    page = (SOURCE / "docs/settings.md").read_text()
    parts = re.findall(r"^### (.+)\n\n((?:\|.+\n)+)", page, re.M)
    assert {
        title.lower(): set(re.findall(r"^\| `(\w+)`", part, re.M)) for title, part in parts
    } == groups
    for path in (PAGES[0], PAGES[2]):
        manual = (BUILD / path).read_text().lower()
        for title in groups:
            assert f"\n.ss {title}\n" in manual, (path, title)


def test_pages_from_tables_are_those_of_the_repository() -> None:
    for template in (SOURCE / "client/doc").glob("*.md.in"):
        made = subprocess.run(
            [BUILD / "draco-doc", "markdown"],
            stdin=template.open(),
            capture_output=True,
            check=True,
        )
        assert made.stdout == (SOURCE / "docs" / template.stem).read_bytes(), "make docs"
