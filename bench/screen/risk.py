"""Mean squared error on sparse normal means, the mixture's posterior mean beside its rivals."""

import json
import subprocess

from .microarrays import BenchError
from .parts import part

RIVALS = ("soft_universal", "soft_sure", "james_stein")


def measure(program):
    done = subprocess.run([str(program)], capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"{program}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def run(program, stamp, progress):
    rows = part(f"risk {stamp}", lambda: measure(program), progress)
    print("\nSparse normal means, 10,000 of them: mean squared error, mean of 20 draws")
    print(f"  {'signals':<10} {'share %':>8} {'mixture':>9} {'universal':>10} {'SURE':>9} {'James-Stein':>12} "
          f"{'oracle threshold':>17}")
    for row in rows:
        print(f"  {row['signal']:<10} {100 * row['sparsity']:>8.1f} {row['mixture']:>9.5f} {row['soft_universal']:>10.5f} "
              f"{row['soft_sure']:>9.5f} {row['james_stein']:>12.5f} {row['soft_oracle']:>17.5f}")
    ratios = [row["mixture"] / min(row[name] for name in RIVALS) for row in rows]
    return {"risk_ratio_worst": round(max(ratios), 4), "risk_ratio_best": round(min(ratios), 4)}
