"""Sample applications for the demo, the tests and the benchmark, made from a seed.

What a sample says is decided here (`kinds.py`: what is special about it); what becomes of it is not: the expected
outcomes stand in `tests/reference/outcomes.csv` alone. Names of states and intergovernmental organisations are facts,
all else is invented, and every address lies in a domain reserved for examples.

    python -m deploy.samples --chapter 1 --file october.csv --api october.jsonl
    python -m deploy.samples --rows 5000 --file many.csv
"""

from deploy.samples.cast import Part, cast
from deploy.samples.files import COLUMNS, csv_row, write_csv, write_jsonl
from deploy.samples.maker import DEFAULT_SEED, Sample, samples, stream

__all__ = [
    "COLUMNS",
    "DEFAULT_SEED",
    "Part",
    "Sample",
    "cast",
    "csv_row",
    "samples",
    "stream",
    "write_csv",
    "write_jsonl",
]
