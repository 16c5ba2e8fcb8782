"""A gateway with a failpoint: `python -m tests.torture.serve POINT VISIT serve ...`, the rest as for `conflux`."""

import functools
import sys

import conflux.wiring
from conflux.__main__ import main
from tests.torture.failpoints import Armed

if __name__ == "__main__":
    point, visit = sys.argv[1], int(sys.argv[2])
    del sys.argv[1:3]
    conflux.wiring.serve = functools.partial(conflux.wiring.serve, hook=Armed(point, visit).hook)
    main()
