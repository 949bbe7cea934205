"""The folder for temporary files ends where the policy says.

tries: twice as much in files
parts: disk.tmp
family: 1
kinds: experiment, latex, editor
"""

from filling import fill
from probing import GIVEN, attempt, done

attempt("twice as much", lambda: fill("/tmp", 2 * GIVEN["tmp"]))
done()
