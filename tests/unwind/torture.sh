#!/bin/sh
# torture.sh - random programs that know their stacks (torture.py)
# timeout: 60
exec python3 "${HL_ROOT:?}/tests/unwind/torture.py" "$@"
