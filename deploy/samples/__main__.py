"""`python -m deploy.samples`: write sample applications to files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.samples.files import write_csv, write_jsonl
from deploy.samples.maker import DEFAULT_SEED, samples, stream
from shared.policy.loader import load_pack

PACK = Path(__file__).parents[2] / "policies" / "weprotect"


def main(arguments: list[str] | None = None) -> int:
    """Write what the arguments ask for; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.samples", description="Write sample applications to files.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--chapter", type=int, choices=(1, 2), help="1: while the pause is on; 2: after it")
    what.add_argument("--rows", type=int, help="this many rows for a load test")
    parser.add_argument("--file", type=Path, help="CSV for the applications that come by file")
    parser.add_argument("--api", type=Path, help="JSON Lines for those that come by API (chapters only)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another seed gives other names and texts")
    parser.add_argument("--policy", type=Path, default=PACK, help="the pack whose commitments are signed")
    given = parser.parse_args(arguments)
    if not (given.file or given.api):
        parser.error("name a file to write: --file, or --api with --chapter")
    if given.rows is not None and given.api:
        parser.error("--rows writes a CSV file only: use --file")
    commitments_hash = load_pack(given.policy).document.commitments.hash
    if given.rows is not None:
        written = write_csv(given.file, stream(given.rows, commitments_hash, given.seed))
        print(f"{given.file}: {written} rows")
        return 0
    made = samples(given.chapter, commitments_hash, given.seed)
    for path, channel, write in ((given.file, "file", write_csv), (given.api, "api", write_jsonl)):
        if path:
            print(f"{path}: {write(path, (s for s in made if s.channel == channel))} applications")
    return 0


if __name__ == "__main__":
    sys.exit(main())
