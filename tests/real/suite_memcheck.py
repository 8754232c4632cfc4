"""suite_memcheck.py - the leak tests of valgrind's memcheck (memcheck/tests), and what memcheck says of each.

"@N": the program ends there, with what its stacks and registers hold, where it asks valgrind for the N-th leak check;
else at its own end.  Requests that describe pools and blocks inside blocks (VALGRIND_MEMPOOL_ALLOC,
VALGRIND_MALLOCLIKE_BLOCK) reach valgrind only: of those programs what malloc handed out is expected.
"""
from suite_cases import Case

POOL = "its pools are told to valgrind only"
ERRORS = "of memory errors, not of leaks"


def case(name, want=None, *arguments, **more):
    return Case("memcheck", name + (".cpp" if name == "leak_cpp_interior" else ".c"), want, arguments, **more)


def delta():
    """leak-delta: 10, 21 and 32 bytes are lost and found again between the checks."""
    for n, want in enumerate(("R1/10", "R1/10", "D1/10 R1/21", "D1/10 R3/86", "D1/10 R3/86", "R4/96", "D1/10 R3/86", "R4/96",
                              "D1/32 R3/64"), 2):
        yield case("leak-delta", want, stop=n)


def heuristics():
    """leak_cpp_interior with one heuristic: what the others explain is possible; newarray explains the array of none, too."""
    for name, want in (("stdstring", "D1/8 P4/111 R4/128"), ("length64", "D1/8 P5/160 R3/79"), ("newarray", "P4/128 R5/119"),
                       ("multipleinheritance", "D1/8 P4/143 R4/96"), ("none", "D1/8 P6/191 R2/48")):
        yield case("leak_cpp_interior", want, stop=1, label="@1 " + name, options=("--heuristics", name))


CASES = [
    case("leak-0", "R1/0", stop=2, note="a block of no bytes, in a register"),
    case("leak-0", "none"),
    case("leak-cases", "D3/48 I2/32 P6/96 R4/64"),
    case("leak-cases", "D3/48 I2/32 P6/96 R4/64", stop=2),
    case("leak-cases", "D3/48 I2/32 R4/64", label="lks.supp", options=("--suppressions", "{tests}/lks.supp"),
         note="the possible are suppressed"),
    case("leak-tree", "D2/32 I2/32 R3/48"),
    case("leak-tree", "D2/32 I2/32 R3/48", stop=2),
    case("leak-cycle", "D15/240 I3/48", groups="48 48 96 96", note="every block of a ring is definite"),
    *delta(),
    case("leak-delta", "D1/32 R3/64"),
    *(case("leak-pool", "D1/24 I1/4096", n, note=POOL) for n in "012345"),
    *(case("leak-autofreepool", "none", n, silent=n != "6", note=POOL) for n in "01246"),
    case("leak-segv-jmp", "R2/201000", stop=2),
    case("leak-segv-jmp", "R2/201000", stop=3, note="the word that it calls undefined is there"),
    *(case("leak-segv-jmp", "D1/1000 R1/200000", stop=n, note="its pages cannot be read") for n in (4, 5)),
    case("leak-segv-jmp", "D1/1000 P1/200000 R1/200000"),
    case("leak_cpp_interior", "R9/247", stop=1, note="heuristics; new MyClass[0]: memcheck says lost, wrongly"),
    *heuristics(),
    case("leak_cpp_interior", "none"),
    case("pointer-trace", "R1/1048576", stop=1, note="words that point everywhere"),
    case("pointer-trace", "D1/1000"),
    case("trivialleak", "D1000/1000"),
    case("nanoleak2", "R1/1000"),
    case("nanoleak_supp", "D1/1000"),
    case("nanoleak_supp", "none", label="nanoleak.supp", options=("--suppressions", "{tests}/nanoleak.supp")),
    case("reach_thread_register", "R1/4"),
    case("mempool", "D1/32 I2/100016", note=POOL),
    case("mempool2", "none", note=POOL),
    case("suppfree", skip=ERRORS),
    *(case(n, skip=ERRORS) for n in ("err_disable1", "err_disable2", "err_disable3", "err_disable4", "xml1")),
]
