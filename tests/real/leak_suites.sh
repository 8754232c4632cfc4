#!/bin/sh
# leak_suites.sh - the leak tests of memcheck and of LeakSanitizer, judged by heapledger; `make check-real`.
# timeout: 2400
exec python3 "$HL_ROOT/tests/real/leak_suites.py" "$@"
