"""suite_cases.py - what a case of the leak suites is: a program of theirs, and what must be said of it.

Figures are "D3/48 I2/32 P6/96 R4/64": definite, indirect, possible, reachable, blocks/bytes, what is zero left out; "none":
nothing is lost.  Of the reachable only what the program's own code allocated counts.  "L1/1337" is what LeakSanitizer's
summaries count: definite and indirect together.
"""
from typing import NamedTuple, Optional


class Case(NamedTuple):
    suite: str  # "lsan" or "memcheck"
    source: str  # the file's path below the suite's directory of tests
    want: Optional[str] = None  # figures; None: only the status is judged
    arguments: tuple = ()
    label: Optional[str] = None  # after the source's name; default: the arguments
    flags: tuple = ()  # for the compiler
    part: tuple = ()  # flags with which the source is compiled a second time, into an object or (with -shared) a library
    stop: int = 0  # end at the so-manieth leak check that the source asks valgrind for
    options: tuple = ()  # of heapledger check
    files: tuple = ()  # (name, text) to write beforehand; {program} is the program's path
    status: Optional[int] = None  # the program's own, with check --error-exitcode 0
    api: bool = False  # needs LeakSanitizer's interface in the preloaded library
    silent: bool = False  # may allocate nothing; then check gives no verdict
    groups: str = ""  # the sizes of the losses with what they hold, sorted
    skip: str = ""  # why it is not applicable
    note: str = ""  # for the manual

    @property
    def name(self):
        base = self.source.rsplit("/", 1)[-1]
        label = ("@%d" % self.stop if self.stop else " ".join(self.arguments)) if self.label is None else self.label
        # one name may belong to a C and to a C++ file
        return (base if base.startswith("disabler.") else base.rsplit(".", 1)[0]) + (" " + label if label else "")


class Figures(NamedTuple):
    """Blocks and bytes of each kind."""
    definite: tuple = (0, 0)
    indirect: tuple = (0, 0)
    possible: tuple = (0, 0)
    reachable: tuple = (0, 0)

    def text(self, reachable):
        kinds = zip("DIPR", self if reachable else self[:3])
        return " ".join("%s%d/%d" % (k, *n) for k, n in kinds if n != (0, 0)) or "none"

    def lost(self):
        """As LeakSanitizer counts."""
        blocks, size = (a + b for a, b in zip(self.definite, self.indirect))
        return "L%d/%d" % (blocks, size) if blocks else "none"


def shown(case, figures):
    """Figures in the words of the case's suite; what is only possible must be seen there, too."""
    if case.suite == "memcheck":
        return figures.text(True)
    words = [figures.lost()] if figures.lost() != "none" or not figures.possible[0] else []
    return " ".join(words + ["P%d/%d" % figures.possible] * (figures.possible[0] > 0))
