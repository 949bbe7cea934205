"""Waits in an experiment's container with packages imported, then becomes the experiment.

The host starts it as ``python -c``, with the modules of the template's ``preload`` as its words, before
a job is known. It reads the job's words as the gate does, a line each up to an empty line. A script
then runs in this interpreter as ``python SCRIPT`` would run it; anything else in a new one.
Standard library only.
"""

import sys

sys.path.pop(0)  # the working directory, where the job's files come: none of them is imported here


def wait() -> None:
    """Import, wait, and run what the host names. A module that cannot be imported is left to the job."""
    import importlib
    import os
    import select

    words = _words() if select.select([0], [], [], 0)[0] else []
    whole = not words or _is_script(words)
    for module in sys.argv[1:] if whole else []:
        try:
            importlib.import_module(module)
        except BaseException:  # the job's own import tells why
            whole = False
    words = words or _words()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if whole and _is_script(words):
        folder = os.path.dirname(os.path.abspath(words[1]))
        if not _would_import_otherwise(folder):
            _become(words[1:], folder)
            return
    os.execvp(words[0], words)


def _words() -> list[str]:
    """What the host names, awaited."""
    import os

    told = b""
    while not told.endswith(b"\n\n"):
        piece = os.read(0, 1 << 16)
        if not piece:
            os._exit(125)
        told += piece
    return [os.fsdecode(word) for word in map(_word, told.split(b"\n")[:-2])]


def _is_script(words: list[str]) -> bool:
    import os

    return words[0] == "python" and len(words) > 1 and os.path.isfile(words[1])


def _word(line: bytes) -> bytes:
    """A word stands after "=" as it is, or after "+" with backslashes for its line breaks."""
    if line[:1] == b"=":
        return line[1:]
    return line[1:].replace(b"\\\\", b"\0").replace(b"\\n", b"\n").replace(b"\0", b"\\")


def _would_import_otherwise(folder: str) -> bool:
    """Whether a file beside the script would have been imported in place of an imported module, or one sets
    a variable, which a package may read when it is imported.
    """
    import os
    import re

    tops = {name.partition(".")[0] for name in sys.modules}
    names = os.listdir(folder)
    if any(name.partition(".")[0] in tops for name in names):
        return True
    # cuBLAS reads its variable at its first call, wherever a script sets it.
    late = rb"""environ(\.setdefault\(|\[)\s*["']CUBLAS_WORKSPACE_CONFIG["']"""
    sets = re.compile(rb"environ\s*\[[^]]*\]\s*=[^=]|environ\s*\.\s*(setdefault|update|pop)|putenv")
    for name in names:
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as file:
                if sets.search(re.sub(late, b"", file.read())):
                    return True
    return False


def _become(words: list[str], folder: str) -> None:
    """Run a script as the interpreter runs its main program; only the frames of this file are left out."""
    import builtins
    import os
    import sys
    from importlib.machinery import SourceFileLoader

    path = os.path.abspath(words[0])
    sys.argv, sys.path[:0] = words, [folder]
    names = vars(sys.modules["__main__"])
    with open(path, "rb") as file:
        source = file.read()
    names.clear()
    names.update(
        __name__="__main__", __doc__=None, __package__=None, __spec__=None, __annotations__={},
        __loader__=SourceFileLoader("__main__", path), __builtins__=builtins, __file__=path, __cached__=None,
    )  # fmt: skip
    try:
        exec(compile(source, path, "exec", dont_inherit=True), names)
    except SystemExit:
        raise
    except BaseException as error:
        frames = error.__traceback__ and error.__traceback__.tb_next
        sys.excepthook(type(error), error.with_traceback(frames), frames)
        if isinstance(error, KeyboardInterrupt):
            raise SystemExit(130) from None
        raise SystemExit(1) from None


wait()
