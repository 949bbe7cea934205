"""A name that git would obey does not come home.

tries: .git as a folder, as a file, below another folder, in the spellings of other systems
parts: harvest.names
family: 20
kinds: experiment
judge: home
"""

from planting import begin, put
from probing import done

begin()
for name in ("out/.git/config", "out/deep/.git/hooks/post-checkout", "out/sub/.git",
             "out/.GIT/config", "out/git~1/config", "out/.git./config", "out/.git::x/config"):  # fmt: skip
    put(name)
done()
