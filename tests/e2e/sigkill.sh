#!/bin/sh
# sigkill.sh - SIGKILL at random moments loses no committed event.  SIGKILL_ROUNDS=N for a soak.
# timeout: 3600
exec python3 "$HL_ROOT/tests/lib/sigkill.py" "$HL_ROOT/tests/e2e/sigkill.c"
