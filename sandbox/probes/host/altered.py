"""What came home cannot be changed without being noticed.

tries: to change a result that came home, behind the record's back
parts: harvest.kept
family: 17
kinds: experiment
judge: host
"""

from pathlib import Path

from probing import done

Path("out").mkdir()
Path("out/final_info.json").write_text('{"d": {"means": {"m": 1.5}}}')
done()
