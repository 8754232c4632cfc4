#!/bin/sh
# bench.sh - the parts of `make bench` work (selftest.py); nothing is measured.
# timeout: 120
exec python3 "$HL_ROOT/tests/bench/selftest.py"
