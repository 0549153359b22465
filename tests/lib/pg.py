# SPDX-License-Identifier: MIT
"""A private PostgreSQL server and a small client, for tests that talk to the real thing.

Model: Server is one cluster below a temporary directory, reached through a unix socket there, run as an unprivileged user
when we are root, gone when the process ends. migrated() makes one database with PGMQ and all migrations applied; tests copy
it (database()), which takes a fraction of applying it. Conn is libpq through ctypes: no driver to install, every call leaves
Python's lock while it waits, so threads are real concurrency. Values travel as text.

PGMQ's SQL comes from $TASKER_PGMQ_SQL or build/deps/pgmq.sql (made by scripts/setup); servers from $TASKER_PG_BIN, the newest
Debian installation or PATH.
"""
import atexit
import ctypes
import ctypes.util
import glob
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_S = 60
HOT = ("-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_memoize=off "
       "-c enable_material=off -c plan_cache_mode=force_generic_plan -c jit=off")  # what the services' hot connections pin

# ---- libpq ----

CONNECTION_OK, COMMAND_OK, TUPLES_OK, COPY_OUT = 0, 1, 2, 3
BOOL, INTS, FLOATS, CHANNELS = 16, (20, 21, 23, 26), (700, 701, 1700), ord("C")
NOTICE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


def _load():
    name = ctypes.util.find_library("pq")
    if not name:
        raise RuntimeError("libpq is missing: apt-get install libpq5")
    pq = ctypes.CDLL(name)
    for fn, result, *args in (
            ("PQconnectdb", "p", "s"), ("PQstatus", "i", "p"), ("PQerrorMessage", "s", "p"), ("PQfinish", "v", "p"),
            ("PQexec", "p", "p", "s"), ("PQprepare", "p", "p", "s", "s", "i", "p"),
            ("PQexecPrepared", "p", "p", "s", "i", "p", "p", "p", "i"), ("PQresultStatus", "i", "p"),
            ("PQresultErrorField", "s", "p", "i"), ("PQresultErrorMessage", "s", "p"), ("PQclear", "v", "p"),
            ("PQntuples", "i", "p"), ("PQnfields", "i", "p"), ("PQfname", "s", "p", "i"), ("PQftype", "i", "p", "i"),
            ("PQgetvalue", "s", "p", "i", "i"), ("PQgetisnull", "i", "p", "i", "i"),
            ("PQdescribePrepared", "p", "p", "s"),
            ("PQsetNoticeProcessor", "p", "p", "p", "p"), ("PQbackendPID", "i", "p"), ("PQconsumeInput", "i", "p"), ("PQnotifies", "p", "p"),
            ("PQfreemem", "v", "p")):
        types = {"p": ctypes.c_void_p, "s": ctypes.c_char_p, "i": ctypes.c_int, "v": None}
        getattr(pq, fn).restype = types[result]
        getattr(pq, fn).argtypes = [types[a] for a in args]
    return pq


class _Notify(ctypes.Structure):
    """What PQnotifies gives."""
    _fields_ = [("channel", ctypes.c_char_p), ("pid", ctypes.c_int), ("extra", ctypes.c_char_p), ("next", ctypes.c_void_p)]


class PgError(Exception):
    """An error of the server: its message, and sqlstate."""

    def __init__(self, message, sqlstate=""):
        super().__init__(message.strip())
        self.sqlstate = sqlstate


class Row(dict):
    """A result row: columns by name, also as attributes."""
    __getattr__ = dict.__getitem__


def encode(value):
    """A Python value as PostgreSQL's text form; None is NULL."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(map(_element, value)) + "}"
    return str(value)


def _element(value):
    text = encode(value)
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _decode(text, oid):
    if oid == BOOL:
        return text == b"t"
    if oid in INTS:
        return int(text)
    if oid in FLOATS:
        return float(text)
    return text.decode()


class Conn:
    """One connection, for one thread at a time. Statements are prepared once, as the services do it."""
    _pq = None

    def __init__(self, url):
        Conn._pq = Conn._pq or _load()
        self.notices, self._prepared = [], {}
        self._c = self._pq.PQconnectdb(url.encode())
        if self._pq.PQstatus(self._c) != CONNECTION_OK:
            message = self._pq.PQerrorMessage(self._c).decode()
            self.close()
            raise PgError(message, "08000")
        self._hook = NOTICE(lambda _, text: self.notices.append(text.decode()))
        self._pq.PQsetNoticeProcessor(self._c, self._hook, None)

    def close(self):
        if self._c:
            self._pq.PQfinish(self._c)
        self._c = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def script(self, sql):
        """Several statements at once; what they return is dropped."""
        self._rows(self._pq.PQexec(self._c, sql.encode()))

    def query(self, sql, *args):
        """The rows of one statement with $1… parameters."""
        name = self._prepared.get(sql)
        if name is None:
            name = f"s{len(self._prepared)}".encode()
            self._rows(self._pq.PQprepare(self._c, name, sql.encode(), 0, None))
            self._prepared[sql] = name
        texts = [encode(a) for a in args]
        values = (ctypes.c_char_p * max(1, len(texts)))(*[t if t is None else t.encode() for t in texts])
        return self._rows(self._pq.PQexecPrepared(self._c, name, len(texts), values, None, None, 0))

    def describe(self, sql, oids):
        """The columns [(name, oid)] the server would answer a statement with, given the types of its parameters; it is not run."""
        types = (ctypes.c_uint * max(1, len(oids)))(*oids)
        self._rows(self._pq.PQprepare(self._c, b"", sql.encode(), len(oids), types))
        res = self._pq.PQdescribePrepared(self._c, b"")
        try:
            return [(self._pq.PQfname(res, i).decode(), self._pq.PQftype(res, i)) for i in range(self._pq.PQnfields(res))]
        finally:
            self._pq.PQclear(res)

    def notifications(self):
        """What arrived on the channels this connection listens to since it was asked last: [(channel, payload)]."""
        self._pq.PQconsumeInput(self._c)
        found = []
        while at := self._pq.PQnotifies(self._c):
            note = ctypes.cast(at, ctypes.POINTER(_Notify)).contents
            found.append((note.channel.decode(), note.extra.decode()))
            self._pq.PQfreemem(at)
        return found

    def value(self, sql, *args):
        """The first column of the only row."""
        rows = self.query(sql, *args)
        assert len(rows) == 1, f"{len(rows)} rows from: {sql}"
        return next(iter(rows[0].values()))

    def column(self, sql, *args):
        """The first column of all rows."""
        return [next(iter(row.values())) for row in self.query(sql, *args)]

    def _rows(self, res):
        pq = self._pq
        try:
            if pq.PQresultStatus(res) not in (COMMAND_OK, TUPLES_OK):
                state = pq.PQresultErrorField(res, CHANNELS)
                raise PgError((pq.PQresultErrorMessage(res) or pq.PQerrorMessage(self._c)).decode(), (state or b"").decode())
            cols = [(pq.PQfname(res, i).decode(), pq.PQftype(res, i)) for i in range(pq.PQnfields(res))]
            return [Row((name, None if pq.PQgetisnull(res, r, i) else _decode(pq.PQgetvalue(res, r, i), oid))
                        for i, (name, oid) in enumerate(cols)) for r in range(pq.PQntuples(res))]
        finally:
            pq.PQclear(res)


# ---- The server ----

if os.environ.get("TASKER_PG_BIN"):  # servers run elsewhere; `tasker dev`, which reads it too, is started from here
    os.environ["TASKER_PG_BIN"] = os.path.abspath(os.environ["TASKER_PG_BIN"])


def find_bin():
    """The directory of the newest PostgreSQL, 15 or later."""
    debian = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]), reverse=True)
    on_path = shutil.which("initdb")
    for path in [os.environ.get("TASKER_PG_BIN"), *debian, on_path and os.path.dirname(os.path.realpath(on_path))]:
        if path and os.path.exists(os.path.join(path, "initdb")) and os.path.exists(os.path.join(path, "postgres")):
            return path
    raise RuntimeError("no PostgreSQL server found: apt-get install postgresql, or set TASKER_PG_BIN")


def pgmq_sql():
    path = os.environ.get("TASKER_PGMQ_SQL") or os.path.join(ROOT, "build", "deps", "pgmq.sql")
    if not os.path.exists(path):
        raise RuntimeError(f"{path} is missing: run scripts/setup, or set TASKER_PGMQ_SQL")
    return _text(path)


def _text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def migrations():
    """All of migrations/ in the order in which it is applied: (name, text)."""
    base = os.path.join(ROOT, "migrations")
    order = [line for line in _text(f"{base}/functions/ORDER").split("\n") if line and not line.startswith("#")]
    paths = sorted(glob.glob(f"{base}/schema/*.sql")) + [f"{base}/functions/{name}.sql" for name in order]
    return [(os.path.relpath(p, base), _text(p)) for p in paths]


class Server:
    def __init__(self, settings="", durable=False):
        self.bin, self.dir = find_bin(), tempfile.mkdtemp(prefix="tasker-pg-")
        self._user = self._unprivileged()
        self._pid, self._made, self._migrated, self._process = os.getpid(), 0, None, None
        atexit.register(self.stop)
        if self._user:
            shutil.chown(self.dir, self._user.pw_uid, self._user.pw_gid)
        self._run(f"{self.bin}/initdb", "-D", f"{self.dir}/data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N")
        quick = "" if durable else "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
        with open(f"{self.dir}/data/postgresql.conf", "a", encoding="utf-8") as f:
            f.write(f"listen_addresses = ''\nunix_socket_directories = '{self.dir}'\nmax_connections = 64\n"
                    f"shared_buffers = 128MB\nmax_wal_size = 1GB\n{quick}{settings}\n")
        self.log = open(f"{self.dir}/log", "ab")
        self._process = subprocess.Popen([f"{self.bin}/postgres", "-D", f"{self.dir}/data"], stdout=self.log, stderr=self.log,
                                         cwd="/", **self._identity())
        self._wait()

    @staticmethod
    def _unprivileged():
        """PostgreSQL refuses root."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                pass
        raise RuntimeError("PostgreSQL refuses to run as root, and there is no user postgres or nobody")

    def _identity(self):
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}

    def _run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **self._identity())
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")

    def _wait(self):
        end = time.monotonic() + START_S
        while True:
            try:
                return Conn(self.url()).close()
            except PgError as e:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"PostgreSQL did not start: {e}\n{_text(self.dir + '/log')}") from e
                self._poll(0.02)

    def _poll(self, seconds):
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass

    def url(self, db="postgres", options=""):
        return f"host={self.dir} user=postgres dbname={db} options='{options}'"

    def connect(self, db, hot=True, options=""):
        return Conn(self.url(db, (HOT + " " if hot else "") + options))

    def database(self, template="template1"):
        """A new database, copied from another one that nobody is connected to; returns its name."""
        self._made += 1
        name = f"t{self._made}"
        with Conn(self.url()) as c:
            c.script(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY wal_log')
        return name

    def migrated(self):
        """The name of the database with PGMQ and everything of ours; made once."""
        if not self._migrated:
            name = self.database()
            with Conn(self.url(name)) as c:
                offered = c.query("SELECT 1 FROM pg_available_extensions WHERE name = 'pgmq'")
                c.script("CREATE EXTENSION pgmq" if offered else pgmq_sql())
                for migration, text in migrations():
                    try:
                        c.script(text)
                    except PgError as e:
                        raise RuntimeError(f"migrations/{migration}: {e}") from e
                c.query("SELECT tasker.make_history_months(2)")
            self._migrated = name
        return self._migrated

    def stop(self):
        if os.getpid() != self._pid or not self.dir:
            return
        if self._process:
            self._process.send_signal(2)  # fast shutdown
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.send_signal(3)  # immediate
                self._process.wait()
            self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir = None


_shared = None


def shared():
    """One server for all tests of a run."""
    global _shared
    _shared = _shared or Server()
    return _shared
