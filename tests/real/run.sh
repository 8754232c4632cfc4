#!/bin/sh
# run.sh - real programs run unharmed and their books balance; `make check-real`.
# timeout: 3600
exec python3 "$HL_ROOT/tests/real/real.py" "$@"
