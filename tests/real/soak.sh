#!/bin/sh
# soak.sh - servers under load for SOAK_SECONDS; `make soak`.
# timeout: 1000000
exec python3 "$HL_ROOT/tests/real/soak.py"
