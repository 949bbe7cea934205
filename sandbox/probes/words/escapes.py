"""What a job writes acts on no terminal and no page.

tries: to clear the screen, set the title, fill the clipboard, turn the reading direction
parts: logs.words
family: 24
kinds: experiment, latex, editor
judge: words
"""

from probing import done

for text in (
    "\x1b[2J\x1b[H",  # clears the screen
    "\x1b]0;owned\x07",  # sets the window's title
    "\x1b]52;c;cm0gLXJmIH4=\x07",  # fills the clipboard
    "\x1b]8;;file:///etc/passwd\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP$q\x1b\\\x1b[6n\x1b[c",  # asks, so that the terminal types an answer
    "\x9b31m",  # the same by one character
    "over\rwritten\b\b\b",
    "\u202eturned \u2066around",
    "<script>alert(1)</script>&#27;",
):
    print(text)
done()
