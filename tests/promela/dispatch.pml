/* SPDX-License-Identifier: MIT */
/* A model of dispatch, lease, redelivery, settle and ack: one task whose steps follow each other, two orchestrators, two
 * workers, a database. docs/design/promela.md says what is checked, what was left out, and why that is allowed.
 *
 * Every transition that is a SQL function is atomic: it holds the lock of the task. What an orchestrator or a worker does between
 * two of them is apart, so that it may die there. Names are those of the code:
 *
 *   here                      there
 *   settle_steps              migrations/functions/settle_steps.sql, settle_step.sql      core/settle.c: orch_settle
 *   _dispatch                 migrations/functions/_dispatch.sql (eager, or into the queue)
 *   claim_steps               migrations/functions/claim_steps.sql                        actor/dispatch.c: claim_once
 *   _fail_lost                migrations/functions/_fail_lost.sql
 *   release_steps             migrations/functions/release_steps.sql                      actor/dispatch.c: release_some
 *   renew_leases              migrations/functions/renew_leases.sql                       actor/dispatch.c: renew_leases
 *   fire_timers               migrations/functions/fire_timers.sql                        actor/timers.c: fire
 *   take_results              services/orchestrator/feed/stream.c: take_results
 *   take_held                 services/orchestrator/feed/stream.c: take_held, core/sessions.c: orch_session_hold
 *   take_returned             services/orchestrator/feed/stream.c: take_returned, core/sessions.c: orch_session_take_back
 *   tell                      core/rows.c: orch_rows_apply, actor/results.c (acks): after the commit
 *   closed                    services/orchestrator/feed/stream.c: closed
 *   disown                    core/census.c: orch_sessions_disown
 *   ledger_take, _done, _collect, _ack, _give_back      services/worker/core/ledger.c: work_ledger_…
 *   ledger_down, _adopt       services/worker/core/ledger_links.c: work_ledger_…
 *   lease_ends                a message's visibility time passes (PGMQ)
 *
 * An attempt stands for (attempt, message): the message of an attempt never changes.
 * Macros: STEPS, FAULTS, FAILURES, RETURNS; and each breaks one rule, so that the checks show their teeth:
 *   BREAK_SETTLE  settle_steps does not compare the attempt
 *   BREAK_ACK     the ack goes out before the commit
 *   BREAK_GRAPH   the child is dispatched in a transaction of its own, after that of its parent
 *   BREAK_LEASE   no message stays while a step runs, so nothing brings it back
 *   BREAK_REPEAT  a worker does not offer a result again after its stream broke
 *   BREAK_RETURN  what a worker gives back is acknowledged before it is in the queue again */

#ifndef STEPS
#define STEPS 2
#endif
#ifndef FAULTS
#define FAULTS 1        /* processes killed, streams cut, leases that end though somebody renews them */
#endif
#ifndef FAILURES
#define FAILURES 1      /* handlers that fail and are to be tried again */
#endif
#ifndef RETURNS
#define RETURNS 0       /* steps that wait for a permit too long and are given back unbegun */
#endif
#define ATTEMPTS (1 + 2 * FAULTS + FAILURES + RETURNS)  /* a dead worker may cost two: each orchestrator may still believe in its stream */
#define ENTRIES (STEPS * ATTEMPTS)
#define LINK(o, w) ((o) * 2 + (w))
#define NO_LINK 4
#define ENTRY(s, a) ((s) * ATTEMPTS + (a) - 1)
#define LAST (STEPS - 1)

mtype = { assign, stored_ack, stale_ack, success, failure, held, given_back };

/* ---- the database ---- */
#define PENDING     0
#define ENQUEUED    1
#define IN_PROGRESS 2
#define RETRY       3   /* waiting_for_retry */
#define COMPLETE    4
#define ERROR       5
byte state[STEPS];
byte attempts[STEPS];
byte results[STEPS];    /* a bit per attempt whose result is stored */
bool visible[STEPS];    /* its message may be claimed; a message exists while the step is enqueued or in progress */
bool retryable;
#define ENDED(s) (state[s] == COMPLETE || state[s] == ERROR)
#define STORED(s, a) ((results[s] >> (a)) & 1)
bool failed;            /* the task is blocked: it gives nothing new */

/* ---- streams: what both sides believe; a broken one loses what is on its way ---- */
chan down[4] = [4] of { mtype, byte, byte };
chan up[4] = [4] of { mtype, byte, byte };
bool o_up[4], w_up[4], broken[4];

/* ---- an orchestrator's memory: gone when it dies ---- */
#define IDLE   0
#define SETTLE 1
#define TELL   2
bool alive[2];
byte phase[2];
mtype got[2];                           /* the result to settle, or the ack to send */
byte got_link[2], got_step[2], got_attempt[2];
byte to_link[2], to_step[2];            /* the assignment to send; its attempt is the step's */
byte to_attempt[2];
#ifdef BREAK_GRAPH
bool later[2];
#endif
byte holds[4 * STEPS];                  /* by link and step: the attempt its worker holds, 0: none */
#define HOLDS(l, s) holds[(l) * STEPS + (s)]

/* ---- a worker's memory ---- */
#define NONE    0
#define RUNNING 1
#define DONE    2
#define SENT    3
#define GIVEN   4       /* back, unbegun; kept until that is acknowledged */
#define OFFERED 5       /* the same, and on its way */
byte entry[2 * ENTRIES];                /* by worker, step and attempt */
byte entry_link[2 * ENTRIES];
bool entry_failed[2 * ENTRIES];
byte in_hand;                           /* entries, of both workers */
#define E(w, e) ((w) * ENTRIES + (e))

byte faults = FAULTS, failures = FAILURES, returns = RETURNS;

/* Somebody renews this attempt's lease, or is just about to: its time passes only by a fault. */
#define RENEWED_BY(l, s) (o_up[l] && HOLDS(l, s) == attempts[s])
#define IN_HAND(o, s) (alive[o] && ((phase[o] == SETTLE && got_step[o] == s && got_attempt[o] == attempts[s]) \
                       || (phase[o] == TELL && to_link[o] != NO_LINK && to_step[o] == s && to_attempt[o] == attempts[s])))
#define RENEWED(s) (RENEWED_BY(0, s) || RENEWED_BY(1, s) || RENEWED_BY(2, s) || RENEWED_BY(3, s) || IN_HAND(0, s) || IN_HAND(1, s))

/* ---- SQL functions ---- */

/* Ready: eagerly to a worker with credit, else into the queue. */
inline _dispatch(by, ready) {
        if
        :: o_up[LINK(by, 0)] -> to_link[by] = LINK(by, 0)
        :: o_up[LINK(by, 1)] -> to_link[by] = LINK(by, 1)
        :: to_link[by] = NO_LINK
        fi;
        if
        :: to_link[by] == NO_LINK -> state[ready] = ENQUEUED; visible[ready] = true
        :: else -> state[ready] = IN_PROGRESS; visible[ready] = false; attempts[ready]++; to_step[by] = ready; to_attempt[by] = attempts[ready];
                   assert(attempts[ready] <= ATTEMPTS); hold(to_link[by], ready, attempts[ready])
        fi
}

inline store(of_step, of_attempt, returned) {
        assert(!STORED(of_step, of_attempt));          /* settled once per attempt */
        assert(returned == of_attempt);                /* with what this attempt returned */
        results[of_step] = results[of_step] | (1 << (of_attempt))
}

/* Compare-and-swap on step and attempt; the child follows in the same transaction. */
inline settle_steps(o, s, a) {
        if
#ifdef BREAK_SETTLE
        :: state[s] == IN_PROGRESS ->
#else
        :: state[s] == IN_PROGRESS && attempts[s] == a ->
#endif
                store(s, attempts[s], a);
                visible[s] = false;
                if
                :: got[o] == success -> state[s] = COMPLETE
                :: got[o] == failure && retryable -> state[s] = RETRY
                :: got[o] == failure && !retryable -> state[s] = ERROR; failed = true
                fi;
                if
#ifdef BREAK_GRAPH
                :: state[s] == COMPLETE && s < LAST -> later[o] = true
#else
                :: state[s] == COMPLETE && s < LAST -> assert(state[s + 1] == PENDING); _dispatch(o, s + 1)
#endif
                :: else
                fi;
                got[o] = stored_ack
        :: else ->
                if
                :: STORED(s, a) -> got[o] = stored_ack  /* 'already' */
                :: else -> got[o] = stale_ack
                fi
        fi
}

inline _fail_lost(lost) {
        store(lost, attempts[lost], attempts[lost]);
        state[lost] = ERROR;
        visible[lost] = false;
        failed = true
}

/* A visible message on behalf of a worker with credit. */
inline claim_steps(o, l, s) {
        if
        :: state[s] == IN_PROGRESS && !retryable -> _fail_lost(s)
        :: else ->
                state[s] = IN_PROGRESS;
                visible[s] = false;
                attempts[s]++;
                assert(attempts[s] <= ATTEMPTS);
                to_link[o] = l; to_step[o] = s; to_attempt[o] = attempts[s];
                phase[o] = TELL;
                hold(l, s, attempts[s])
        fi
}

inline release_steps(rs, ra) {
        if
        :: state[rs] == IN_PROGRESS && attempts[rs] == ra && !retryable -> _fail_lost(rs)
        :: state[rs] == IN_PROGRESS && attempts[rs] == ra && retryable -> state[rs] = ENQUEUED; visible[rs] = true
        :: else
        fi
}

#if RETURNS > 0
/* Given back: never begun, so it may run again whatever it is. */
inline take_back(o, s, a) {
        if
        :: state[s] == IN_PROGRESS && attempts[s] == a -> state[s] = ENQUEUED; visible[s] = true
        :: else
        fi;
        got[o] = stored_ack
}

/* Only what this session holds; of the rest the worker is only told to forget it. */
inline take_returned(o, l, s, a) {
        if
        :: HOLDS(l, s) == a -> HOLDS(l, s) = 0; got[o] = given_back; phase[o] = SETTLE
#ifdef BREAK_RETURN
                ; send_down(l, stored_ack, s, a)
#endif
        :: else -> got[o] = stale_ack; phase[o] = TELL
        fi;
        got_link[o] = l; got_step[o] = s; got_attempt[o] = a
}
#endif

/* ---- streams ---- */

inline send_down(dl, dm, ds, da) {
        if
        :: broken[dl] || !o_up[dl]
        :: else -> down[dl]!dm, ds, da
        fi
}

inline break_stream(bl) {
        do
        :: nempty(down[bl]) -> down[bl]?_, _, _
        :: empty(down[bl]) -> break
        od;
        do
        :: nempty(up[bl]) -> up[bl]?_, _, _
        :: empty(up[bl]) -> break
        od;
        broken[bl] = true
}

/* ---- an orchestrator ---- */

/* Only a newer attempt takes the place of an older one. */
inline hold(hl, hs, ha) {
        if
        :: HOLDS(hl, hs) < ha -> HOLDS(hl, hs) = ha
        :: else
        fi
}

inline forget(fl, fs, fa) {
        if
        :: HOLDS(fl, fs) == fa -> HOLDS(fl, fs) = 0
        :: else
        fi
}

inline take_message(o, l) {
        up[l]?m, s, a;
        if
        :: m == held -> hold(l, s, a)   /* take_held */
#if RETURNS > 0
        :: m == given_back -> take_returned(o, l, s, a)
#endif
        :: else ->                      /* take_results: from here on they are ours */
                forget(l, s, a);
                got[o] = m; got_link[o] = l; got_step[o] = s; got_attempt[o] = a;
                phase[o] = SETTLE
#ifdef BREAK_ACK
                ; send_down(l, stored_ack, s, a)
#endif
        fi
}

inline tell(o) {
#ifdef BREAK_GRAPH
        if
        :: later[o] -> _dispatch(o, got_step[o] + 1)
        :: else
        fi;
#endif
        if
#ifdef BREAK_ACK
        :: false
#else
        :: got[o] != 0 -> send_down(got_link[o], got[o], got_step[o], got_attempt[o])
#endif
        :: else
        fi;
        if
        :: to_link[o] != NO_LINK -> send_down(to_link[o], assign, to_step[o], to_attempt[o])
        :: else
        fi;
        quiet(o)
}

inline quiet(qo) {
#ifdef BREAK_GRAPH
        later[qo] = false;
#endif
        phase[qo] = IDLE;
        got[qo] = 0; got_link[qo] = 0; got_step[qo] = 0; got_attempt[qo] = 0;
        to_link[qo] = NO_LINK; to_step[qo] = 0; to_attempt[qo] = 0
}

/* A held attempt whose lease passed, or that holds no more. */
#define RENEWABLE(l, s) (o_up[l] && HOLDS(l, s) != 0 && \
                         (state[s] != IN_PROGRESS || HOLDS(l, s) != attempts[s] || visible[s]))
inline renew_leases(l, s) {
        if
        :: state[s] == IN_PROGRESS && HOLDS(l, s) == attempts[s] -> visible[s] = false
        :: else -> HOLDS(l, s) = 0      /* disown: the worker is told to stop, which changes nothing here */
        fi
}

#define CLAIMABLE(s) (visible[s] && (state[s] == ENQUEUED || state[s] == IN_PROGRESS))
#define GONE(l) (broken[l] && o_up[l])
/* The stream ended: what its worker held is given back, one after the other. */
#define closed(o, l) \
        :: d_step { alive[o] && phase[o] == IDLE && GONE(l) -> \
                s = 0; \
                do \
                :: s < STEPS && HOLDS(l, s) != 0 -> a = HOLDS(l, s); HOLDS(l, s) = 0; release_steps(s, a); s++ \
                :: s < STEPS && HOLDS(l, s) == 0 -> s++ \
                :: s == STEPS -> break \
                od; \
                o_up[l] = false; s = 0; a = 0 }

#define claims(o, l, n) :: atomic { alive[o] && phase[o] == IDLE && o_up[l] && CLAIMABLE(n) -> claim_steps(o, l, n) }
#define renews(o, l, n) :: d_step { alive[o] && phase[o] == IDLE && RENEWABLE(l, n) -> renew_leases(l, n) }
#define fires(o, n)     :: atomic { alive[o] && phase[o] == IDLE && state[n] == RETRY && !failed -> fire_timers(o, n) }
inline fire_timers(o, s) {
        _dispatch(o, s);
        phase[o] = TELL
}

/* Several threads in truth; with two orchestrators every order of their transactions is there all the same. */
proctype orchestrator(byte o) {
        mtype m;
        byte s, a;
end:    do
        :: d_step { !alive[o] -> alive[o] = true }
        :: atomic { alive[o] && phase[o] == IDLE && nempty(up[LINK(o, 0)]) -> take_message(o, LINK(o, 0)); m = 0; s = 0; a = 0 }
        :: atomic { alive[o] && phase[o] == IDLE && nempty(up[LINK(o, 1)]) -> take_message(o, LINK(o, 1)); m = 0; s = 0; a = 0 }
#if RETURNS > 0
        :: atomic { phase[o] == SETTLE && got[o] == given_back -> s = got_step[o]; a = got_attempt[o]; take_back(o, s, a); phase[o] = TELL; s = 0; a = 0 }
#endif
        :: atomic { phase[o] == SETTLE && got[o] != given_back -> s = got_step[o]; a = got_attempt[o]; settle_steps(o, s, a); phase[o] = TELL; s = 0; a = 0 }
        :: d_step { phase[o] == TELL -> tell(o) }
        closed(o, LINK(o, 0))
        closed(o, LINK(o, 1))
        claims(o, LINK(o, 0), 0)
        claims(o, LINK(o, 1), 0)
        renews(o, LINK(o, 0), 0)
        renews(o, LINK(o, 1), 0)
        fires(o, 0)
#if STEPS > 1
        claims(o, LINK(o, 0), 1)
        claims(o, LINK(o, 1), 1)
        renews(o, LINK(o, 0), 1)
        renews(o, LINK(o, 1), 1)
        fires(o, 1)
#endif
        od
}

/* ---- a worker ---- */

#define OTHER(l) ((l) ^ 2)

/* Here already: its result is offered again, over this stream. */
inline ledger_take(w, l, s, a) {
        e = E(w, ENTRY(s, a));
        if
        :: entry[e] == NONE -> entry[e] = RUNNING; in_hand++
        :: entry[e] == SENT -> entry[e] = DONE
        :: else
        fi;
        entry_link[e] = l
}

inline clear(ce) {
        entry[ce] = NONE; entry_link[ce] = 0; entry_failed[ce] = false
}

inline ledger_ack(w, s, a, ok) {
        e = E(w, ENTRY(s, a));
        if
#if RETURNS > 0
        :: entry[e] == GIVEN || entry[e] == OFFERED ->
                assert(!ok || state[s] != IN_PROGRESS || attempts[s] != a);     /* it is in the queue again, or somebody else's */
                in_hand--; clear(e)
#endif
        :: entry[e] == DONE || entry[e] == SENT ->
                assert(!ok || STORED(s, a));    /* what the worker lets go of is stored */
                in_hand--; clear(e)
        :: else
        fi
}

#if RETURNS > 0
#define TOLD(what) ((what) == RUNNING || (what) == GIVEN || (what) == OFFERED)
#else
#define TOLD(what) ((what) == RUNNING)
#endif
/* The other stream takes over, and its orchestrator is told what runs; else they are orphans. */
inline ledger_down(w, l) {
        w_up[l] = false;
        e = 0;
        do
        :: e < ENTRIES && entry[E(w, e)] != NONE && entry_link[E(w, e)] == l ->
                entry_link[E(w, e)] = (w_up[OTHER(l)] -> OTHER(l) : NO_LINK);
                if
#ifndef BREAK_REPEAT
                :: entry[E(w, e)] == SENT -> entry[E(w, e)] = DONE
#endif
                :: TOLD(entry[E(w, e)]) && w_up[OTHER(l)] && !broken[OTHER(l)] -> up[OTHER(l)]!held, e / ATTEMPTS, e % ATTEMPTS + 1
                :: else
                fi;
#if RETURNS > 0
                if
                :: entry[E(w, e)] == OFFERED -> entry[E(w, e)] = GIVEN
                :: else
                fi;
#endif
                e++
        :: e < ENTRIES && !(entry[E(w, e)] != NONE && entry_link[E(w, e)] == l) -> e++
        :: e == ENTRIES -> break
        od;
        e = 0
}

/* Hello and Welcome, which lists what the worker holds; one that is lost is a stream that breaks afterwards. */
inline ledger_adopt(w, l) {
        broken[l] = false;
        w_up[l] = true;
        o_up[l] = true;
        e = 0;
        do
        :: e < ENTRIES && entry[E(w, e)] != NONE && entry_link[E(w, e)] == NO_LINK ->
                entry_link[E(w, e)] = l;
                hold(l, (e / ATTEMPTS), (e % ATTEMPTS + 1));
                e++
        :: e < ENTRIES && !(entry[E(w, e)] != NONE && entry_link[E(w, e)] == NO_LINK) -> e++
        :: e == ENTRIES -> break
        od;
        e = 0
}

inline take_frame(w, l) {
        down[l]?m, s, a;
        if
        :: m == assign -> ledger_take(w, l, s, a)
        :: m == stored_ack -> ledger_ack(w, s, a, true)
        :: m == stale_ack -> ledger_ack(w, s, a, false)
        fi;
        m = 0; s = 0; a = 0; e = 0
}

/* The handler returns. */
#define ledger_done(w, n) \
        :: atomic { entry[E(w, n)] == RUNNING -> entry[E(w, n)] = DONE; \
                    if \
                    :: true \
                    :: failures > 0 -> failures--; entry_failed[E(w, n)] = true \
                    fi }
/* Its result goes out. */
#define ledger_collect(w, n) \
        :: d_step { entry[E(w, n)] == DONE && entry_link[E(w, n)] != NO_LINK && w_up[entry_link[E(w, n)]] && nfull(up[entry_link[E(w, n)]]) -> \
                    entry[E(w, n)] = SENT; \
                    if \
                    :: broken[entry_link[E(w, n)]] \
                    :: else -> up[entry_link[E(w, n)]]!(entry_failed[E(w, n)] -> failure : success), (n) / ATTEMPTS, (n) % ATTEMPTS + 1 \
                    fi }
#if RETURNS > 0
/* It has waited too long; nothing of it was begun, and never will be. */
#define ledger_give_back(w, n) \
        :: d_step { returns > 0 && entry[E(w, n)] == RUNNING -> returns--; entry[E(w, n)] = GIVEN } \
        :: d_step { entry[E(w, n)] == GIVEN && entry_link[E(w, n)] != NO_LINK && w_up[entry_link[E(w, n)]] && nfull(up[entry_link[E(w, n)]]) -> \
                    entry[E(w, n)] = OFFERED; \
                    if \
                    :: broken[entry_link[E(w, n)]] \
                    :: else -> up[entry_link[E(w, n)]]!given_back, (n) / ATTEMPTS, (n) % ATTEMPTS + 1 \
                    fi }
#else
#define ledger_give_back(w, n)
#endif
#define runs(w, n) ledger_done(w, n) ledger_collect(w, n) ledger_give_back(w, n)
#define connects(w, l) :: d_step { !w_up[l] && !o_up[l] && alive[(l) / 2] -> ledger_adopt(w, l) }
#define loses(w, l)    :: d_step { w_up[l] && broken[l] -> ledger_down(w, l) }

proctype worker(byte w) {
        mtype m;
        byte s, a, e;
end:    do
        :: d_step { nempty(down[LINK(0, w)]) -> take_frame(w, LINK(0, w)) }
        :: d_step { nempty(down[LINK(1, w)]) -> take_frame(w, LINK(1, w)) }
        connects(w, LINK(0, w))
        connects(w, LINK(1, w))
        loses(w, LINK(0, w))
        loses(w, LINK(1, w))
        runs(w, 0)
        runs(w, 1)
#if ENTRIES > 2
        runs(w, 2)
#endif
#if ENTRIES > 3
        runs(w, 3)
#endif
#if ENTRIES > 4
        runs(w, 4)
#endif
#if ENTRIES > 5
        runs(w, 5)
#endif
#if ENTRIES > 6
        runs(w, 6)
#endif
#if ENTRIES > 7
        runs(w, 7)
#endif
#if ENTRIES > 8
        runs(w, 8)
#endif
#if ENTRIES > 9
        runs(w, 9)
#endif
#if ENTRIES > 10
#error "more entries than a worker looks at"
#endif
        od
}

/* ---- what nobody wants ---- */

inline orchestrator_dies(o) {
        alive[o] = false;
        quiet(o);
        k = 0;
        do
        :: k < 2 ->
                break_stream(LINK(o, k));
                o_up[LINK(o, k)] = false;
                j = 0;
                do
                :: j < STEPS -> HOLDS(LINK(o, k), j) = 0; j++
                :: j == STEPS -> break
                od;
                k++
        :: k == 2 -> break
        od;
        k = 0; j = 0
}

inline worker_dies(w) {
        k = 0;
        do
        :: k < ENTRIES && entry[E(w, k)] != NONE -> in_hand--; clear(E(w, k)); k++
        :: k < ENTRIES && entry[E(w, k)] == NONE -> k++
        :: k == ENTRIES -> break
        od;
        k = 0;
        do
        :: k < 2 -> break_stream(LINK(k, w)); w_up[LINK(k, w)] = false; k++
        :: k == 2 -> break
        od;
        k = 0
}

#define cut(l) :: d_step { faults > 0 && w_up[l] && o_up[l] && !broken[l] -> faults--; break_stream(l) }
#define stalls(n) :: d_step { faults > 0 && state[n] == IN_PROGRESS && !visible[n] && RENEWED(n) -> faults--; visible[n] = true }

proctype fault() {
        byte k, j;
end:    do
        :: d_step { faults > 0 && alive[0] -> faults--; orchestrator_dies(0) }
        :: d_step { faults > 0 && alive[1] -> faults--; orchestrator_dies(1) }
        :: d_step { faults > 0 -> faults--; worker_dies(0) }
        :: d_step { faults > 0 -> faults--; worker_dies(1) }
        cut(0)
        cut(1)
        cut(2)
        cut(3)
        stalls(0)
#if STEPS > 1
        stalls(1)
#endif
        od
}

/* A lease nobody renews ends, sooner or later. */
proctype lease_ends(byte n) {
end:    do
#ifdef BREAK_LEASE
        :: false
#else
        :: d_step { state[n] == IN_PROGRESS && !visible[n] && !RENEWED(n) -> visible[n] = true }
#endif
        od
}

init {
        d_step {
                alive[0] = true; alive[1] = true;
                to_link[0] = NO_LINK; to_link[1] = NO_LINK;
                o_up[0] = true; o_up[1] = true; o_up[2] = true; o_up[3] = true;
                w_up[0] = true; w_up[1] = true; w_up[2] = true; w_up[3] = true;
                state[0] = ENQUEUED; visible[0] = true  /* created: as create_tasks leaves it without credit */
        };
        atomic {
                if
                :: retryable = true
                :: retryable = false
                fi;
                run orchestrator(0); run orchestrator(1); run worker(0); run worker(1); run fault(); run lease_ends(0);
#if STEPS > 1
                run lease_ends(1)
#endif
        }
}

#define FINISHED (failed || state[LAST] == COMPLETE)
/* The task comes to an end and every worker gets rid of what it holds, whatever happened. */
ltl finished { <> (FINISHED && in_hand == 0) }
