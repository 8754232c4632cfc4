#!/bin/sh
# sample.sh - what a sample estimates, against what the program did: right on average, and as far off as it says.
# timeout: 180
exec python3 "$HL_ROOT/tests/lib/sampling.py" "$HL_ROOT/tests/e2e/sample.cc"
