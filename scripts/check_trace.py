#!/usr/bin/env python3
"""Checks that a file is a trace as Perfetto and Chrome read it.

    scripts/check_trace.py FILE...          status 1 if one is not

Held against the fields of "Trace Event Format" (Google, 2016): the object form; complete events with name, cat, ph, ts, dur,
pid, tid and args, times in microseconds; metadata that names each thread. Besides, the events of a thread must nest: two of
them either lie in each other or have nothing in common. Python 3.9 or later.
"""

import json
import sys
from collections import Counter
from decimal import Decimal

UNITS = ("ms", "ns")
METADATA = {"process_name": ("name", str), "thread_name": ("name", str), "process_labels": ("labels", str),
            "process_sort_index": ("sort_index", int), "thread_sort_index": ("sort_index", int)}


def is_number(value) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def faults_of_event(event) -> "list[str]":
    if not isinstance(event, dict):
        return [f"is no object: {event!r}"]
    faults = [f"{key} is {event.get(key)!r}, a whole number is expected" for key in ("pid", "tid")
              if type(event.get(key)) is not int]
    if not isinstance(event.get("name"), str) or not event["name"]:
        faults.append(f"name is {event.get('name')!r}")
    if "args" in event and not isinstance(event["args"], dict):
        faults.append(f"args is {event['args']!r}, an object is expected")
    if event.get("ph") == "X":
        if not isinstance(event.get("cat"), str) or not event["cat"]:
            faults.append(f"cat is {event.get('cat')!r}")
        faults += [f"{key} is {event.get(key)!r}, a number from 0 on is expected" for key in ("ts", "dur")
                   if not is_number(event.get(key)) or event[key] < 0]
    elif event.get("ph") == "M":
        key, kind = METADATA.get(event.get("name"), (None, None))
        if key is None:
            faults.append(f"there is no metadata {event.get('name')!r}")
        elif not isinstance((event.get("args") or {}).get(key), kind):
            faults.append(f"{event['name']} lacks args.{key}")
    else:
        faults.append(f"ph is {event.get('ph')!r}, X or M is expected")
    return faults


def faults_of_nesting(events) -> "list[str]":
    """`events` are complete ones of one thread."""
    faults, open_events = [], []
    for event in sorted(events, key=lambda event: (event["ts"], -event["dur"])):
        begin, end = event["ts"], event["ts"] + event["dur"]
        while open_events and open_events[-1][1] <= begin:
            open_events.pop()
        if open_events and end > open_events[-1][1]:
            faults.append(f"{event['name']} from {begin} to {end} begins in {open_events[-1][0]} and ends behind it, at "
                          f"{open_events[-1][1]}")
        open_events.append((event["name"], end))
    return faults


def check(text: str) -> "tuple[list, Counter]":
    """(faults, how many events each thread has)"""
    try:
        trace = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        return [f"is no JSON: {error}"], Counter()
    if not isinstance(trace, dict) or not isinstance(trace.get("traceEvents"), list):
        return ["has no list traceEvents"], Counter()
    faults = []
    if "displayTimeUnit" in trace and trace["displayTimeUnit"] not in UNITS:
        faults.append(f"displayTimeUnit is {trace['displayTimeUnit']!r}, ms or ns is expected")
    events = trace["traceEvents"]
    for index, event in enumerate(events):
        faults += [f"event {index}: {fault}" for fault in faults_of_event(event)]
    if faults:
        return faults, Counter()
    complete = [event for event in events if event["ph"] == "X"]
    if not complete:
        faults.append("has no events but metadata")
    named = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    threads = Counter((event["pid"], event["tid"]) for event in complete)
    faults += [f"thread {tid} of process {pid} has no name" for pid, tid in sorted(set(threads) - named)]
    for pid, tid in sorted(threads):
        mine = [event for event in complete if (event["pid"], event["tid"]) == (pid, tid)]
        faults += [f"thread {tid}: {fault}" for fault in faults_of_nesting(mine)]
    return faults, threads


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] in (["-h"], ["--help"]) else 64)
    is_right = True
    for path in sys.argv[1:]:
        try:
            with open(path, encoding="utf-8") as file:
                faults, threads = check(file.read())
        except (OSError, UnicodeDecodeError) as error:
            faults, threads = [f"cannot be read: {error}"], Counter()
        for fault in faults[:20]:
            print(f"{path}: {fault}")
        counts = ", ".join(f"{count} of thread {tid}" for (_, tid), count in sorted(threads.items()))
        print(f"{path}: {counts or 'no events'}; {len(faults)} faults")
        is_right = is_right and not faults
    sys.exit(0 if is_right else 1)


if __name__ == "__main__":
    main()
