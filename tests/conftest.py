"""A folder that nobody may write to, and a user who is bound by that."""

import os
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def read_only_folder():
    """A folder that can be read and not written to; outside pytest's own, which only their owner can enter."""
    with tempfile.TemporaryDirectory() as made:
        outer, folder = Path(made), Path(made) / "read-only"
        folder.mkdir()
        outer.chmod(0o755)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


@pytest.fixture
def ordinary_user():
    """Root may write everywhere: be somebody else for a while."""
    if os.name == "nt":
        pytest.skip("permissions of folders are different on Windows")
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)
