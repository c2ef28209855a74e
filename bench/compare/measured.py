# SPDX-License-Identifier: Apache-2.0
"""Runs a command and says what it cost; the load of the machine goes into every result."""

import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path


def run(command):
    """Returns wall seconds, processor seconds and peak memory of one process."""
    with tempfile.TemporaryFile() as errors:
        start = os.times().elapsed
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise SystemExit(f"{command[0]} failed:\n{errors.read().decode(errors='replace')}")
        return {
            "seconds": os.times().elapsed - start,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_mb": usage.ru_maxrss / 1024,
        }


def run_for_json(command, out):
    """Runs a command that writes JSON to `out`; returns that and the cost."""
    cost = run([*map(str, command), "--json", str(out)])
    return json.loads(Path(out).read_text()), cost


def median(rounds, key):
    return statistics.median(each[key] for each in rounds)


# Which of them a CPU has decides how int8 is computed: figures of one kind say nothing of another.
INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8")


def cpu(text=None):
    """Name of the CPU and those of INSTRUCTIONS that it has; `text` in the form of /proc/cpuinfo."""
    lines = (Path("/proc/cpuinfo").read_text() if text is None else text).splitlines()
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = fields.get("flags", "").split()
    return {
        "cpu": fields.get("model name", "unknown"),
        "instructions": [name for name in INSTRUCTIONS if name in flags],
    }


def load():
    """What figures depend on beside the program: the machine and what else it does."""
    return {
        **cpu(),
        "load_average": os.getloadavg(),
        "processors": len(os.sched_getaffinity(0)),
    }
