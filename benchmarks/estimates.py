"""How the time that `xent inspect` tells compares with the time that `xent score` takes, file by file.

python benchmarks/estimates.py FILE…
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

XENT = [sys.executable, "-m", "xentcli"]


def main() -> None:
    print(f"{'told':>8} {'took':>8} {'ratio':>6}  file")
    for path in sys.argv[1:]:
        look = subprocess.run([*XENT, "inspect", path, "--json"], capture_output=True, check=True)
        told = json.loads(look.stdout)["estimate"]["seconds"]
        begun = time.perf_counter()
        subprocess.run([*XENT, "score", path, "--json"], capture_output=True, check=True)
        took = time.perf_counter() - begun
        print(f"{told:8.2f} {took:8.2f} {told / took:6.2f}  {path}", flush=True)


if __name__ == "__main__":
    main()
