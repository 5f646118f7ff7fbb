"""What is measured, and how the tables call it. Every workload is a row; options are lanchat-stress's."""

import collections

# `figures`: which of a run's are shown. `members` and `batch` are the limit's beside it; 0: none.
Workload = collections.namedtuple("Workload", "table row options members batch")

SATURATED = [(10, 1), (10, 10), (100, 1), (100, 10), (100, 100), (1000, 1), (1000, 10), (1000, 1000)]
PACED = [(100, 200), (1000, 10), (1000, 200)]


def row_of(members, senders):
    return f"{members} members, {senders} sender{'s' if senders > 1 else ''}"


def saturated(members, senders, seconds):
    return Workload("saturated", row_of(members, senders),
                    ["-c", str(members), "-s", str(senders), "-w", "64", "--in-flight", "640",
                     "-d", f"{seconds}s"], members, 64)


def paced(members, rate, seconds):
    return Workload("paced", f"{members} members, {rate}/s",
                    ["-c", str(members), "-s", "10", "--rate", f"{rate}/s", "-d", f"{seconds}s"],
                    members, 1)


def idle(members, seconds=1):
    return Workload("idle", f"{members} in rooms of 100",
                    ["-c", str(members), "-r", str(members // 100), "-s", str(members // 100),
                     "--rate", "1/s", "-d", f"{seconds}s"], 0, 0)


FULL = [*(saturated(m, s, 3) for m, s in SATURATED), *(paced(m, r, 4) for m, r in PACED), idle(5000)]
QUICK = [saturated(100, 10, 2), saturated(1000, 10, 2), paced(100, 200, 2), idle(1000)]

# What ours is to reach, on the machine of the others' figures. CPU: nanoseconds a delivery when saturated,
# microseconds at a fixed rate; latencies are milliseconds.
SATURATED_TARGETS = dict(zip(SATURATED, (220, 150, 150, 125, 125, 170, 170, 190)))
TARGETS = {row_of(*load): {"cpu": target} for load, target in SATURATED_TARGETS.items()}
TARGETS.update({
    "100 members, 200/s": {"cpu": 5.5, "p50": 0.7, "p99": 1.3},
    "1000 members, 10/s": {"cpu": 7.4, "p50": 6, "p99": 13},
    "1000 members, 200/s": {"cpu": 4.8, "p50": 6, "p99": 16},
})
IDLE_TARGETS = {"bytes": "at most 12,000", "connects": "at least 15,000", "cpu": "at most 80"}

# Ours alone, by how it keeps what is said and whether it speaks TLS.
WAYS = [("off", False), ("os", False), ("full", False), ("off", True), ("os", True), ("full", True)]
OWN = [saturated(100, 1, 2), saturated(100, 10, 2), saturated(100, 100, 2), paced(100, 200, 3),
       idle(2000)]
QUICK_OWN = [saturated(100, 10, 1)]

# Scale: the figures at ten thousand beside those at a thousand.
SCALE = [saturated(1000, 10, 4), saturated(10000, 10, 4),
         Workload("scale", "1000 members in 10 rooms, a sender in each",
                  ["-c", "1000", "-r", "10", "-s", "10", "-w", "64", "--in-flight", "640",
                   "-d", "4s"], 0, 0),
         Workload("scale", "10000 members in 100 rooms, a sender in each",
                  ["-c", "10000", "-r", "100", "-s", "100", "-w", "64", "--in-flight", "640",
                   "-d", "4s"], 0, 0),
         # As many on their way for each room as in the row before the last.
         Workload("scale", "10000 members in 100 rooms, the same and 6400 on their way",
                  ["-c", "10000", "-r", "100", "-s", "100", "-w", "64", "--in-flight", "6400",
                   "-d", "4s"], 0, 0)]
SLOW = [Workload("slow", f"500 members, 200/s, {percent} % of them slow",
                 ["-c", "500", "-s", "10", "--rate", "200/s", "--slow", str(percent), "-d", "5s"], 0, 0)
        for percent in (0, 5)]
