#!/bin/sh
# soak.sh - a minute of servers under light load: memory as predicted, nothing lost.  `make soak` takes an hour.
# timeout: 150
exec python3 "$HL_ROOT/tests/real/soak.py"
