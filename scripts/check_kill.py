#!/usr/bin/env python3
"""Kills `tinygpt quantize` and `tinygpt convert` at random moments, and looks at what is left.

    scripts/check_kill.py --tinygpt .build/release/tinygpt --model MODEL.gguf [--folder FOLDER] [--kills 50]

Each command is first timed, then started `--kills` times and killed (SIGKILL) at a moment drawn evenly from its whole
time and a little more. After each kill the output must be absent or whole: equal, byte for byte, to what an undisturbed
run wrote. At the end an undisturbed run in the same place must succeed and leave nothing in it but the output: what a
killed run left, if it left anything, is cleared by the next. In between, for `--force`, a file that was there must stay as
it was or be the new one. Python 3.9 or later, nothing else.
"""

import argparse
import hashlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def digest(path):
    """One value for a file's bytes, or for all of a folder's."""
    total = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        total.update(file.name.encode())
        if file.is_file():
            total.update(file.read_bytes())
    return total.hexdigest()


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def check(name, command, place, output, kills, rng):
    """(kills that left the output whole, kills that left it absent, kills that left a partial file beside it)"""
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    # The folder's time is in no file, and the same is written each time.
    whole = digest(output)
    remove(output)
    counts = [0, 0, 0]
    for number in range(kills):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, seconds * 1.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if output.exists():
            if digest(output) != whole:
                sys.exit(f"check_kill: {name}, kill {number}: {output} is there and not whole")
            counts[0] += 1
            remove(output)
        else:
            counts[1] += 1
        counts[2] += any(path != output for path in place.iterdir())
    old = b"what was there before"
    if name == "quantize":
        for number in range(max(1, kills // 5)):
            output.write_bytes(old)
            process = subprocess.Popen(command + ["--force"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, seconds * 1.1))
            process.send_signal(signal.SIGKILL)
            process.wait()
            if not output.exists() or (output.read_bytes() != old and digest(output) != whole):
                sys.exit(f"check_kill: {name} --force, kill {number}: the old file is lost")
            remove(output)
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode or digest(output) != whole:
        sys.exit(f"check_kill: {name}: the run after the kills failed: {result.stderr}")
    left = [path.name for path in place.iterdir() if path != output]
    if left:
        sys.exit(f"check_kill: {name}: {left} is left, and the next run did not clear it")
    remove(output)
    return seconds, counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tinygpt", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path, help="a GGUF file that quantize and convert read")
    parser.add_argument("--folder", type=Path, help="a folder that convert reads")
    parser.add_argument("--type", default="Q4_K_M")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    tinygpt = str(options.tinygpt.resolve())
    runs = [("quantize", options.model, "out.gguf", ["--type", options.type]),
            ("convert", options.model, "out", [])]
    if options.folder:
        runs.append(("convert", options.folder, "out.gguf", []))
    with tempfile.TemporaryDirectory() as scratch:
        for name, model, output, more in runs:
            place = Path(scratch) / f"{name}-{output}"
            place.mkdir()
            command = [tinygpt, name, "--model", str(model.resolve()), "--output", str(place / output), *more]
            seconds, counts = check(name, command, place, place / output, options.kills, rng)
            print(f"{name} to {output}: {seconds:.2f} s undisturbed; of {options.kills} kills {counts[0]} left the output "
                  f"whole, {counts[1]} none, {counts[2]} something beside it that the next run cleared")
    print("check_kill: never a broken file under the final name, nothing left")


if __name__ == "__main__":
    main()
