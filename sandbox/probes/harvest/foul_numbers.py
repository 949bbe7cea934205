"""Results that say what is no number are refused.

tries: NaN, infinities, 1e999, one key twice, an integer of 4000 digits, a negative error
parts: harvest.numbers
family: 22
kinds: experiment
judge: numbers
"""

from planting import begin, put
from probing import done

RESULTS = {
    "nan": '{"d": {"means": {"m": NaN}}}',
    "infinity": '{"d": {"means": {"m": -Infinity}}}',
    "1e999": '{"d": {"means": {"m": 1e999}}}',
    "key twice": '{"d": {"means": {"m": 1, "m": 2}}}',
    "data set twice": '{"d": {"means": {"m": 1}}, "d": {"means": {"m": 2}}}',
    "one name twice": '{"d": {"means": {"a.b": 1, "a": {"b": 2}}}}',
    "long integer": '{"d": {"means": {"m": ' + "9" * 4000 + "}}}",
    "negative error": '{"d": {"means": {"m": 1}, "stderrs": {"m": -1}}}',
    "name that acts": '{"d": {"means": {"\\u001b]52;c;eA==\\u0007": 1}}}',
    "no number": '{"d": {"means": {"m": true}}}',
}

begin()
for name, text in RESULTS.items():
    put(f"out/{name}.json", text.encode())
done()
