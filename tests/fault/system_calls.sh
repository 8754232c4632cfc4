#!/bin/sh
# system_calls.sh - whichever of the library's system calls fails, and however: the program goes on as without us, and
# what is missing in the trace is counted.  The library under test is build/faulty's (tests/fault/gateway.h).
# timeout: 900
exec python3 "$HL_ROOT/tests/fault/system_calls.py"
