"""Results that would take their reader's time or memory are refused.

tries: lists and mappings nested a hundred thousand times, fifty thousand numbers, a name of a megabyte
parts: harvest.numbers
family: 22
kinds: experiment
judge: numbers
"""

import json

from planting import begin, put
from probing import done

RESULTS = {
    "lists": "[" * 100_000 + "]" * 100_000,
    "mappings": '{"d":' * 100_000 + "1" + "}" * 100_000,
    "many": json.dumps({"d": {"means": {str(number): number for number in range(50_000)}}}),
    "nested": '{"d": {"means": ' + '{"a":' * 50 + "1" + "}" * 52,
    "long name": json.dumps({"d": {"means": {"m" * 1_000_000: 1}}}),
}

begin()
for name, text in RESULTS.items():
    put(f"out/{name}.json", text.encode())
done()
