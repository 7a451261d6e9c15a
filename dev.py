#!/usr/bin/env python3
"""One entry for developers and newcomers: python dev.py demo | test | check | serve | evaluate | bench | train-demo.

Each command sets up what it needs in the git-ignored folder .dev on its first run.
"""

import sys

# This file stays readable for every Python, so that an old one gets a sentence and not a SyntaxError.
if sys.version_info < (3, 10):
    sys.stderr.write("dev.py: Python 3.10 or newer is needed, and this is %d.%d\n" % sys.version_info[:2])
    sys.exit(2)

from devtools.commands import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
