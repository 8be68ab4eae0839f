"""What each exit code of a run means."""

from __future__ import annotations

CODES = {
    0: "Done. If rules were given, all of them hold. Warnings never change the code.",
    1: "A rule of --require failed. It beats 4 and a broken pipe, so a failed gate stays failed.",
    2: "Usage: the command line asks for what cannot be meant, or names a file that is not there.",
    3: "Bad input: the data cannot be read, contradicts itself, or has more than one reading.",
    4: "Cannot decide: nothing was wrong, but there is no answer, such as 0 rows or an undefined metric.",
    70: "A bug in xent, the only end with a traceback.",
    74: "An output could not be written.",
    130: "Interrupted from the keyboard. Nothing was written.",
    141: "Who read standard output has left (a broken pipe).",
    143: "Terminated by the system or another program. Nothing was written.",
}
