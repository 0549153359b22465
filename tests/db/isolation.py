# SPDX-License-Identifier: MIT
"""Every interleaving of a few transactions, with real blocking, in the spirit of PostgreSQL's own isolationtester.

Model: a session is a connection with a thread and a list of pieces (statements or a COMMIT) that it runs one at a time. The schedule decides
whose piece runs next; a piece that does not come back is blocked once the server says so (pg_blocking_pids), and its session is
passed over until the server says otherwise. explore() goes through all choices depth first, each schedule from a fresh start, so a
schedule that blocking makes impossible is never tried. Nothing sleeps.
"""
import threading

from lib.pg import PgError


class Session:
    def __init__(self, conn):
        self.c, self.pid = conn, conn.value("SELECT pg_backend_pid()")
        self.pieces, self.answers, self.error = [], [], None
        self._go, self.idle = threading.Semaphore(0), threading.Event()
        self.idle.set()
        self._piece = None
        threading.Thread(target=self._work, daemon=True).start()

    def load(self, pieces):
        self.pieces, self.answers, self.error = list(pieces), [], None

    def start(self):
        """The next piece begins."""
        self._piece = self.pieces.pop(0)
        self.idle.clear()
        self._go.release()

    def end(self):
        self._piece = None
        self._go.release()

    def _work(self):
        while True:
            self._go.acquire()
            if self._piece is None:
                return
            try:
                self.answers += self._piece() or []
            except PgError as e:
                self.error = e
            self.idle.set()


class Stage:
    """Sessions, and a connection that looks at them from outside."""

    def __init__(self, connect, n):
        self.look, self.sessions, self.blocked_seen = connect(), [Session(connect()) for _ in range(n)], 0

    def close(self):
        for s in self.sessions:
            s.end()

    def _settle_down(self):
        """Until each session has come back or is blocked; by one that came back meanwhile does not count."""
        while True:
            before = [s.idle.is_set() for s in self.sessions]
            for s in self.sessions:
                while not s.idle.wait(0.001) and not self._blocked(s):
                    pass
            if before == [s.idle.is_set() for s in self.sessions]:
                self.blocked_seen += before.count(False)
                return

    def _blocked(self, s):
        """By one of us: autovacuum and the like let go of a lock by themselves."""
        return self.look.value("SELECT pg_blocking_pids($1) && $2::int[] AND EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock')",
                               s.pid, [x.pid for x in self.sessions])

    def _give_up(self):
        """What they have begun ends, or whoever comes next would wait for it for ever."""
        self.look.query("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid", [x.pid for x in self.sessions])

    def run(self, programs, choices):
        """Runs a schedule: where there is a choice, the next of `choices`, then always the first. Returns the choices there were."""
        had = []
        for s, pieces in zip(self.sessions, programs):
            s.load(pieces)
        active = self.sessions[:len(programs)]
        while True:
            self._settle_down()
            able = [s for s in active if s.pieces and s.idle.is_set()]
            if not able:
                if not all(s.idle.is_set() for s in active):
                    self._give_up()
                    raise AssertionError("everybody waits for somebody")
                return had
            at = min(choices[len(had)], len(able) - 1) if len(had) < len(choices) else 0  # of two that wait for a row that moved the server lets either go on first
            had.append((at, len(able)))
            able[at].start()


def explore(stage, fresh, judge):
    """All schedules of what fresh() returns anew each time: a list of programs. judge(schedule) looks at the end of each. Returns how many."""
    choices, n = [], 0
    while True:
        had = stage.run(fresh(), choices)
        judge([at for at, _ in had])
        n += 1
        while had and had[-1][0] + 1 == had[-1][1]:
            had.pop()
        if not had:
            return n
        choices = [at for at, _ in had[:-1]] + [had[-1][0] + 1]
