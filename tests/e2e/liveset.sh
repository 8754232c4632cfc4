#!/bin/sh
# liveset.sh - a program that knows its own live set, against the tool, line by line and exactly.
# timeout: 900
exec python3 "$HL_ROOT/tests/lib/liveset.py" "$HL_ROOT/tests/e2e/liveset.c"
