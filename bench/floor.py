# SPDX-License-Identifier: MIT
"""The floor: what a durable commit of one row costs on this server, measured with pgbench in the same run, over the socket our services use."""
import glob
import os
import statistics
import subprocess
import tempfile

TABLE = "CREATE TABLE IF NOT EXISTS public.bench_floor (n bigserial PRIMARY KEY, at timestamptz NOT NULL, filler text NOT NULL)"
INSERT = "INSERT INTO public.bench_floor (at, filler) VALUES (clock_timestamp(), repeat('x', 100));\n"


def floor(s, clients, seconds=5):
    """Latencies of single-row inserts, each its own transaction: {p50, p95, per_second}."""
    s.sql(TABLE)
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "insert.sql")
        with open(script, "w", encoding="utf-8") as f:
            f.write(INSERT)
        subprocess.run([os.path.join(s.endpoints["postgres_bin"], "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds), "-l",
                        "--log-prefix", os.path.join(folder, "log"), "-f", script, s.endpoints["postgres_socket"]], check=True, capture_output=True)
        ms = []
        for path in glob.glob(os.path.join(folder, "log.*")):
            with open(path, encoding="ascii") as f:
                ms += [int(line.split()[2]) / 1000 for line in f]
    ms.sort()
    return {"clients": clients, "p50": round(statistics.median(ms), 3), "p95": round(ms[int(len(ms) * 0.95)], 3), "per_second": round(len(ms) / seconds)}
