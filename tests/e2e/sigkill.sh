#!/bin/sh
# sigkill.sh - SIGKILL at random moments, of the program and of the collector, loses no committed event and harms
# nobody.  SIGKILL_ROUNDS=N for a soak.
# timeout: 21600
exec python3 "$HL_ROOT/tests/lib/sigkill.py" "$HL_ROOT/tests/e2e/sigkill.c"
