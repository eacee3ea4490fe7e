"""What comes from elsewhere is pinned and hashed, workflows may do little, and every exception says why."""

from __future__ import annotations

import datetime
import re
import stat
import sys
from pathlib import Path

import pytest
import yaml

from tools import audit

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LOCKS = {path.name: path.read_text(encoding="utf-8") for path in (audit.LOCK, ROOT / "tools" / "audit.txt")}
# What a job may do beyond reading the repository.
MORE = {"publish": {"pages": "write", "id-token": "write"}, "release": {"contents": "write"}}


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_one_version_and_hashes(name):
    packages = re.split(r"\n(?=\S)", LOCKS[name].strip())
    assert len(packages) > 40
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+( ;.*)? \\\n", package), package[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package[:80]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_use_what_is_pinned_and_may_write_only_where_they_must(path):
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [use for use in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}.items() <= (
        MORE.items()
    )
    kept = [step for job in workflow["jobs"].values() for step in job["steps"] if "checkout@" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in kept)


def test_an_exception_names_a_package_of_the_lock_and_says_why_and_since_when():
    rules = audit.rules()
    locked = set(re.findall(r"^([\w.-]+)", LOCKS["requirements.txt"], re.M))
    assert {exception["name"] for exception in rules["licences"]["exceptions"]} <= locked
    for exception in rules["licences"]["exceptions"] + rules["vulnerabilities"]["exceptions"]:
        assert set(exception) == {"name", "reason", "date"}
        assert len(exception["reason"]) > 30
        assert exception["date"] <= datetime.date.today()


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Stand-ins for the audit's tools, which note what they are asked; pip-licenses fails."""
    (tmp_path / "bin").mkdir()
    for name in ("pip-licenses", "cyclonedx-py", "pip-audit"):
        tool = tmp_path / "bin" / name
        tool.write_text(f'#!/bin/sh\necho "$0 $@" >> {tmp_path}/asked\n[ {name} != pip-licenses ]\n')
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(audit, "TOOLS", tmp_path)
    monkeypatch.setattr(audit, "install", lambda: None)
    return tmp_path / "asked"


def test_the_audit_fails_if_one_part_does_and_still_does_the_others(tools, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["audit"])
    with pytest.raises(SystemExit, match="The audit failed: licences"):
        audit.main()
    licences, materials, vulnerabilities = tools.read_text().splitlines()
    assert "--allow-only=" in licences
    assert licences.endswith("--ignore-packages fo-lib gensim axe-playwright-python namex")
    assert f"requirements {audit.LOCK}" in materials
    assert "--strict" in vulnerabilities  # or a package that the register does not know would pass
    assert "--require-hashes" in vulnerabilities


def test_a_part_can_be_chosen_and_must_exist(tools, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["audit", "materials"])
    audit.main()
    assert len(tools.read_text().splitlines()) == 1
    monkeypatch.setattr(sys, "argv", ["audit", "licenses"])
    with pytest.raises(SystemExit, match="licences, materials, vulnerabilities, not licenses"):
        audit.main()


def test_an_ignored_vulnerability_is_passed_on(monkeypatch):
    rules = {"vulnerabilities": {"exceptions": [{"name": "PYSEC-1"}]}}
    monkeypatch.setattr(audit, "rules", lambda: rules)
    assert "--ignore-vuln=PYSEC-1" in audit.vulnerabilities()
