/* SPDX-License-Identifier: MIT */
/* worker/feed/link.c: see the header. */
#include "worker/feed/link.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "rpc/pack.h"
#include "worker/app.h"
#include "worker/feed/frame.h"

#define RECONNECT_BASE_NS (100 * TK_NS_PER_MS)
#define RECONNECT_MAX_NS (5 * TK_NS_PER_S)
#define WELCOME_TIMEOUT_NS (10 * TK_NS_PER_S)
#define DEFAULT_HEARTBEAT_NS (2 * TK_NS_PER_S)
#define DRAIN_PATIENCE_NS (2 * TK_NS_PER_S)
#define DEFAULT_LEASE_NS (30 * TK_NS_PER_S)
enum { SILENT_HEARTBEATS = 3, FRAME_BYTES = 1 << 20, FRAME_ARENA_BLOCK = 16 * 1024 };
#define FRAME_ARENA_MAX ((size_t)256 << 20)

void work_link_init(struct work_link *link, struct work_app *app, unsigned at, const char *address)
{
        *link = (struct work_link){.app = app, .at = at, .address = address};
        link->channel = tk_rpc_channel_new(app->rpc, address);
        tk_lock_init(&link->lock, "link");
        tk_cond_init(&link->changed);
}

void work_link_deinit(struct work_link *link)
{
        link->channel = tk_rpc_channel_free(link->channel);
        tk_cond_deinit(&link->changed);
        tk_lock_deinit(&link->lock);
}

/* A reference, or NULL. */
static struct tk_rpc_stream *stream_ref(struct work_link *link)
{
        TK_LOCKED(&link->lock);
        if (link->stream)
                tk_rpc_stream_ref(link->stream);
        return link->stream;
}

void work_link_wake(struct work_link *link)
{
        struct tk_rpc_stream *stream = stream_ref(link);
        if (stream)
                tk_rpc_stream_wake(stream);
        tk_rpc_stream_unref(stream);
}

static void end(struct work_link *link, enum tk_rpc_status status, const char *why)
{
        struct tk_rpc_stream *stream = stream_ref(link);
        if (stream)
                tk_rpc_stream_close(stream, status, why);
        tk_rpc_stream_unref(stream);
}

void work_link_cut(struct work_link *link)
{
        end(link, TK_RPC_CANCELLED, "the worker stops");
}

enum work_link_state work_link_state(struct work_link *link)
{
        TK_LOCKED(&link->lock);
        return link->state;
}

/* ---- what comes in ---- */

static bool welcomed(struct work_link *link, const Tasker__Dispatch__V1__Welcome *welcome)
{
        {
                TK_LOCKED(&link->lock);
                if (link->state != WORK_LINK_GREETED)
                        return false;
                link->state = WORK_LINK_UP;
                link->failures = 0;
                link->lease_ns = welcome->lease_ms ? (int64_t)welcome->lease_ms * TK_NS_PER_MS : DEFAULT_LEASE_NS;
                link->heartbeat_ns = welcome->heartbeat_ms ? (int64_t)welcome->heartbeat_ms * TK_NS_PER_MS
                                                           : DEFAULT_HEARTBEAT_NS;
                link->beat_due_ns = tk_time_mono_ns() + link->heartbeat_ns;
                tk_cond_broadcast(&link->changed);
        }
        work_ledger_up(link->app->ledger, link->at, welcome->takes_returned);
        for (size_t i = 0; i < welcome->n_refused; i++)
                tk_log_warn("orchestrator.refused", welcome->refused[i]->why, TK_STR("address", link->address),
                            TK_STR("what", welcome->refused[i]->what));
        tk_log_info("orchestrator.connected", NULL, TK_STR("address", link->address),
                    TK_STR("orchestrator", welcome->orchestrator_id), TK_STR("version", welcome->version));
        tk_actor_wake(link->app->enlist);
        tk_actor_wake(link->app->connect);
        return true;
}

/* The peer stops: it gets the results that wait, then our goodbye; another one takes over what runs. Without another one we
 * wait a little for what ends soon; what runs longer stays with us, and the next Hello tells of it. */
static void drained(struct work_link *link)
{
        {
                TK_LOCKED(&link->lock);
                link->drained = true;
                link->patience_ns = tk_time_mono_ns() + DRAIN_PATIENCE_NS;
        }
        work_ledger_hand_over(link->app->ledger, link->at);
        tk_actor_wake(link->app->connect);
        tk_log_info("orchestrator.draining", NULL, TK_STR("address", link->address));
}

/* NULL, or why the peer cannot be talked to. */
static const char *take_frame(struct work_link *link, struct work_frame *owner,
                              const Tasker__Dispatch__V1__OrchestratorFrame *frame)
{
        int64_t lease_ns;
        if (frame->welcome && !welcomed(link, frame->welcome))
                return "a Welcome that nobody waited for";
        {
                TK_LOCKED(&link->lock);
                if (link->state != WORK_LINK_UP)
                        return "the first frame must be a Welcome";
                link->seen_ns = tk_time_mono_ns();
                lease_ns = link->lease_ns;
        }
        bool waits;
        const char *why = work_frame_assigns(link->app, link->at, lease_ns, owner, frame, &waits);
        if (why)
                return why;
        if (frame->recalled)
                work_ledger_recalled(link->app->ledger, link->at, frame->recalled);
        work_frame_cancels(link->app, frame);
        bool more_credit = work_frame_acks(link->app, frame);
        if (frame->drain)
                drained(link);
        if (more_credit || waits)
                tk_actor_wake(link->app->connect);
        return NULL;
}

static bool message(struct tk_rpc_stream *stream, void *user, const void *data, size_t len)
{
        struct work_link *link = user;
        struct tk_arena *arena = tk_arena_new(FRAME_ARENA_BLOCK, FRAME_ARENA_MAX);
        struct work_frame *owner = work_frame_new(arena, &link->app->in_hand);
        const Tasker__Dispatch__V1__OrchestratorFrame *frame =
                tk_rpc_unpack(&tasker__dispatch__v1__orchestrator_frame__descriptor, arena, data, len);
        const char *why = frame ? take_frame(link, owner, frame) : "not an OrchestratorFrame";
        work_frame_unref(owner);
        if (why) {
                tk_log_warn("orchestrator.protocol", why, TK_STR("address", link->address));
                tk_rpc_stream_close(stream, TK_RPC_INVALID_ARGUMENT, why);
                return false;
        }
        tk_rpc_stream_wake(stream); /* credit or a goodbye may follow from it */
        return true;
}

/* The last thing said about a stream. What needs the link comes before it is IDLE: from then on it may be freed. */
static void closed(struct tk_rpc_stream *stream, void *user, enum tk_rpc_status status, const char *why)
{
        struct work_link *link = user;
        struct tk_rpc_stream *mine;
        bool was_up = work_link_state(link) == WORK_LINK_UP;
        (void)stream;
        work_ledger_down(link->app->ledger, link->at);
        if (was_up)
                work_count(link->app, reconnects_total);
        tk_log(was_up && status != TK_RPC_OK ? TK_LOG_WARN : TK_LOG_DEBUG, "orchestrator.lost", why,
               TK_STR("address", link->address), TK_STR("status", tk_rpc_status_name(status)));
        {
                TK_LOCKED(&link->lock);
                link->state = WORK_LINK_IDLE;
                link->retry_ns = tk_time_mono_ns() + tk_rand_backoff(link->failures++, RECONNECT_BASE_NS, RECONNECT_MAX_NS);
                link->leaving = link->ending;
                mine = link->stream;
                link->stream = NULL;
                tk_actor_wake(link->app->connect); /* reopens, and lets the others send what was this one's */
                tk_cond_broadcast(&link->changed);
        }
        tk_rpc_stream_unref(mine);
}

/* ---- what goes out ---- */

/* What the state allows and asks for, decided under the lock. */
struct next {
        bool hello, up, leaving, drained, impatient;
        uint64_t beat; /* 0: none */
};

static struct next decide(struct work_link *link)
{
        struct next next = {0};
        TK_LOCKED(&link->lock);
        if (link->state == WORK_LINK_OPENING) {
                link->state = WORK_LINK_GREETED;
                next.hello = true;
        }
        if (link->state != WORK_LINK_UP || link->goodbye)
                return next;
        next.up = true;
        next.leaving = link->leaving;
        next.drained = link->drained;
        next.impatient = link->patience_ns == TK_TIME_NEVER;
        if (link->beat) {
                link->beat = false;
                next.beat = ++link->sequence;
        }
        return next;
}

/* Whether nothing keeps the stream any more. */
static bool may_leave(struct work_link *link, const struct next *next)
{
        struct work_ledger *ledger = link->app->ledger;
        if (work_ledger_idle(ledger, link->at))
                return next->leaving || next->drained;
        return next->drained && next->impatient && !next->leaving && work_ledger_acked(ledger, link->at);
}

static bool next_frame(struct tk_rpc_stream *stream, void *user, struct tk_buf *buf)
{
        struct work_link *link = user;
        struct next next = decide(link);
        unsigned credit;
        (void)stream;
        if (next.hello) {
                link->granted = 0;
                work_frame_put_hello(link->app, link->at, buf);
                return true;
        }
        if (!next.up)
                return false;
        bool any = work_ledger_collect(link->app->ledger, link->at, buf, FRAME_BYTES, &credit);
        any |= work_frame_put_untold(link->app, link->at, buf);
        if (credit)
                work_frame_put_credit(credit, link->granted += credit, buf);
        if (next.beat)
                work_frame_put_heartbeat(link->app, next.beat, buf);
        bool goodbye = !any && may_leave(link, &next);
        if (goodbye) {
                TK_LOCKED(&link->lock);
                link->goodbye = true;
                work_frame_put_goodbye(buf);
        }
        return any || next.beat || goodbye;
}

static const struct tk_rpc_stream_ops ops = {.message = message, .next_frame = next_frame, .closed = closed};

/* ---- time ---- */

static void open(struct work_link *link, int64_t now_ns)
{
        {
                TK_LOCKED(&link->lock);
                link->state = WORK_LINK_OPENING;
                link->seen_ns = now_ns;
                link->heartbeat_ns = WELCOME_TIMEOUT_NS / SILENT_HEARTBEATS;
                link->beat = link->goodbye = link->drained = false;
                link->patience_ns = 0;
        }
        struct tk_rpc_stream *stream =
                tk_rpc_stream_open(link->channel, "/tasker.dispatch.v1.Dispatch/Connect", &ops, link);
        {
                TK_LOCKED(&link->lock);
                if (link->state != WORK_LINK_IDLE) { /* else it ended already */
                        link->stream = stream;
                        stream = NULL;
                }
        }
        tk_rpc_stream_unref(stream);
        work_link_wake(link);
}

enum due { NOTHING, OPEN, WAKE, SILENT };

static enum due due(struct work_link *link, int64_t now_ns, int64_t *ret_next_ns)
{
        TK_LOCKED(&link->lock);
        *ret_next_ns = TK_TIME_NEVER;
        if (link->state == WORK_LINK_IDLE) {
                if (link->ending)
                        return NOTHING;
                *ret_next_ns = link->retry_ns;
                return now_ns >= link->retry_ns ? OPEN : NOTHING;
        }
        int64_t silent_ns = link->seen_ns + SILENT_HEARTBEATS * link->heartbeat_ns;
        *ret_next_ns = silent_ns;
        if (now_ns >= silent_ns) {
                link->seen_ns = now_ns; /* said once; `closed` follows */
                return SILENT;
        }
        if (link->state != WORK_LINK_UP)
                return NOTHING;
        bool impatient = link->drained && now_ns >= link->patience_ns;
        if (impatient)
                link->patience_ns = TK_TIME_NEVER;
        if (link->drained && link->patience_ns < *ret_next_ns)
                *ret_next_ns = link->patience_ns;
        bool beat = now_ns >= link->beat_due_ns;
        if (beat) {
                link->beat = true;
                link->beat_due_ns = now_ns + link->heartbeat_ns;
        }
        if (link->beat_due_ns < *ret_next_ns)
                *ret_next_ns = link->beat_due_ns;
        return beat || impatient ? WAKE : NOTHING;
}

int64_t work_link_tick(struct work_link *link, int64_t now_ns)
{
        int64_t next_ns;
        switch (due(link, now_ns, &next_ns)) {
        case NOTHING:
                break;
        case OPEN:
                open(link, now_ns);
                return work_link_tick(link, now_ns);
        case WAKE:
                work_link_wake(link);
                break;
        case SILENT:
                tk_log_warn("orchestrator.silent", "nothing was heard for three heartbeats",
                            TK_STR("address", link->address));
                end(link, TK_RPC_DEADLINE_EXCEEDED, "silent for three heartbeats");
                return now_ns + TK_NS_PER_S;
        }
        return next_ns;
}

void work_link_leave(struct work_link *link)
{
        bool early;
        {
                TK_LOCKED(&link->lock);
                link->leaving = link->ending = true;
                early = link->state == WORK_LINK_OPENING || link->state == WORK_LINK_GREETED;
        }
        if (early)
                work_link_cut(link); /* nothing was promised yet */
        else
                work_link_wake(link);
}

bool work_link_wait_idle(struct work_link *link, int64_t deadline_ns)
{
        TK_LOCKED(&link->lock);
        while (link->state != WORK_LINK_IDLE)
                if (!tk_cond_wait(&link->changed, &link->lock, deadline_ns))
                        return false;
        return true;
}
