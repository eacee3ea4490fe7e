"""``python -m fo_lib.distributed``."""

import sys

from .command_line import main

sys.exit(main())
