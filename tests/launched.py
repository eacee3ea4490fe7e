"""Small workers for tests of the launcher: who they are, how they are run, and whether they still are."""

import sys
import textwrap

import psutil

from fo_lib.distributed import launch

WHO = "import json, os; c = json.loads(os.environ['TF_CONFIG']); i = c['task']['index']; role = c['task']['type']\n"
BEAT = "from fo_lib.distributed import heartbeat\n"
ONCE = "import pathlib; n = len(list(pathlib.Path('{}').glob(f'{{i}}-*'))); pathlib.Path(f'{}/{{i}}-{{n}}').touch()\n"


def run(code, **options):
    lines = []
    command = [sys.executable, "-c", WHO + textwrap.dedent(code)]
    try:
        return launch(command, write=lines.append, **{"time_limit": 60, **options}), lines
    finally:
        run.lines = lines


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
