/* SPDX-License-Identifier: MIT */
/* orchestrator/core/sessions.c: see the header. State of a session: open (in the list, may be sent to) or closed
 * (waits for its last reference). Order of frames is the order of sends. */
#include "orchestrator/core/sessions.h"
#include "base/check.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "run/lock.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"
#include <stdatomic.h>
#include <stdio.h>

enum { CHUNK_SOFT = 1024 * 1024, FRAME_SOFT = 4 * 1024 * 1024 };

/* Encoded fields that wait; many small sends share one. */
struct chunk {
        struct tk_list link;
        uint64_t seq;
        struct tk_buf bytes;
};

struct held_entry {
        struct orch_held held;
        uint64_t seq;      /* of the chunk that carries the assignment; 0: told by Hello */
        int64_t leased_ns; /* monotonic: lease taken or renewed */
};

struct orch_session {
        struct tk_list link;            /* in orch_sessions.open */
        struct orch_sessions *all;
        struct tk_rpc_stream *stream;   /* NULL when closed */
        atomic_uint refs;
        char worker_id[128];
        char (*ns)[ORCH_NAMESPACE_MAX];
        size_t ns_n;
        uint32_t credit;
        int64_t seen_ns;
        struct tk_map *held;            /* step uuid → struct held_entry */
        struct tk_list chunks;
        uint64_t seq_next, seq_sent;
};

struct orch_sessions {
        struct tk_lock lock;
        struct orch_sessions_ops ops;
        struct tk_list open;
        unsigned open_n;
        struct tk_map *queues;          /* namespace → (void *)1: its queue may hold visible work */
};

struct reserved {
        struct orch_session *session;
        unsigned ns, n;
        bool used;
};
struct orch_reservation {
        struct orch_sessions *all;
        size_t ns_n, items_n;
        const char *const *ns;
        struct reserved *items;
};

struct orch_sessions *orch_sessions_new(const struct orch_sessions_ops *ops)
{
        struct orch_sessions *all = TK_NEW(struct orch_sessions);
        tk_lock_init(&all->lock, "sessions");
        tk_list_init(&all->open);
        all->ops = *ops;
        all->queues = tk_map_new();
        return all;
}

struct orch_sessions *orch_sessions_free(struct orch_sessions *all)
{
        if (!all)
                return NULL;
        TK_CHECK(tk_list_empty(&all->open));
        tk_map_free(all->queues);
        tk_lock_deinit(&all->lock);
        return tk_free(all);
}

struct orch_session *orch_session_new(struct orch_sessions *all, struct tk_rpc_stream *stream)
{
        struct orch_session *s = TK_NEW(struct orch_session);
        s->all = all;
        s->stream = stream;
        tk_rpc_stream_ref(stream);
        atomic_init(&s->refs, 1);
        s->held = tk_map_new();
        tk_list_init(&s->chunks);
        s->seq_next = 1;
        s->seen_ns = tk_time_mono_ns();
        TK_LOCKED(&all->lock);
        tk_list_append(&all->open, &s->link);
        all->open_n++;
        return s;
}

void orch_session_ref(struct orch_session *s)
{
        atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
}

static void chunks_free(struct orch_session *s)
{
        for (struct tk_list *node; (node = tk_list_pop(&s->chunks));) {
                struct chunk *chunk = tk_list_entry(node, struct chunk, link);
                tk_buf_deinit(&chunk->bytes);
                tk_free(chunk);
        }
}

void orch_session_unref(struct orch_session *s)
{
        if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
                return;
        TK_CHECK(!s->stream && tk_map_count(s->held) == 0);
        chunks_free(s);
        tk_map_free(s->held);
        tk_free(s->ns);
        tk_free(s);
}

const char *orch_session_worker(const struct orch_session *s)
{
        return s->worker_id;
}

void orch_session_hello(struct orch_session *s, const char *worker_id, const char *const *namespaces, size_t n)
{
        char(*copy)[ORCH_NAMESPACE_MAX] = tk_calloc(n ? n : 1, sizeof *copy);
        for (size_t i = 0; i < n; i++)
                (void)tk_str_copy(copy[i], sizeof copy[i], namespaces[i]);
        TK_LOCKED(&s->all->lock);
        (void)tk_str_copy(s->worker_id, sizeof s->worker_id, worker_id);
        tk_free(s->ns);
        s->ns = copy;
        s->ns_n = n;
        /* Nobody here looked at these queues before: they may hold work. */
        for (size_t i = 0; i < n; i++)
                (void)tk_map_puts(s->all->queues, copy[i], s->all);
}

struct orch_held *orch_session_closed(struct orch_session *s, bool **ret_sent, size_t *ret_n)
{
        struct orch_sessions *all = s->all;
        tk_lock_take(&all->lock);
        size_t n = tk_map_count(s->held), i = 0;
        struct orch_held *held = tk_calloc(n ? n : 1, sizeof *held);
        bool *sent = tk_calloc(n ? n : 1, sizeof *sent);
        const void *key;
        size_t len;
        void *value;
        for (size_t at = 0; tk_map_next(s->held, &at, &key, &len, &value);) {
                struct held_entry *entry = value;
                held[i] = entry->held;
                sent[i++] = entry->seq <= s->seq_sent;
                tk_free(entry);
        }
        TK_CHECK(i == n);
        s->held = tk_map_free(s->held);
        s->held = tk_map_new();
        tk_list_remove(&s->link);
        all->open_n--;
        struct tk_rpc_stream *stream = s->stream;
        s->stream = NULL;
        s->credit = 0;
        tk_lock_give(&all->lock);
        tk_rpc_stream_unref(stream);
        orch_session_unref(s);
        *ret_sent = sent;
        *ret_n = n;
        return held;
}

static bool serves(const struct orch_session *s, const char *ns)
{
        for (size_t i = 0; i < s->ns_n; i++)
                if (tk_streq(s->ns[i], ns))
                        return true;
        return false;
}

static bool any_queue_marked(struct orch_sessions *all, const struct orch_session *s)
{
        for (size_t i = 0; i < s->ns_n; i++)
                if (tk_map_gets(all->queues, s->ns[i]))
                        return true;
        return false;
}

void orch_session_grant(struct orch_session *s, uint32_t steps)
{
        struct orch_sessions *all = s->all;
        tk_lock_take(&all->lock);
        s->credit = steps > ORCH_CREDIT_MAX - s->credit ? ORCH_CREDIT_MAX : s->credit + steps;
        bool wanted = s->stream && any_queue_marked(all, s);
        tk_lock_give(&all->lock);
        if (wanted)
                all->ops.want_work(all->ops.user);
}

void orch_session_seen(struct orch_session *s, int64_t now_ns)
{
        TK_LOCKED(&s->all->lock);
        s->seen_ns = now_ns;
}

static void hold(struct orch_session *s, const struct orch_held *held, uint64_t seq)
{
        struct held_entry *entry = TK_NEW(struct held_entry);
        entry->held = *held;
        entry->seq = seq;
        entry->leased_ns = tk_time_mono_ns();
        tk_free(tk_map_put(s->held, held->step.b, sizeof held->step.b, entry));
}

void orch_session_hold(struct orch_session *s, const struct orch_held *held)
{
        TK_LOCKED(&s->all->lock);
        if (s->stream)
                hold(s, held, 0);
}

bool orch_session_forget(struct orch_session *s, const struct tk_uuid *step, uint32_t attempt)
{
        TK_LOCKED(&s->all->lock);
        struct held_entry *entry = tk_map_get(s->held, step->b, sizeof step->b);
        if (!entry || entry->held.attempt != attempt)
                return false;
        tk_map_del(s->held, step->b, sizeof step->b);
        tk_free(entry);
        return true;
}

/* Under the lock. The sequence number of the chunk the bytes went into. */
static uint64_t chunk_append(struct orch_session *s, const void *fields, size_t len)
{
        struct chunk *chunk = NULL;
        if (!tk_list_empty(&s->chunks))
                chunk = tk_list_entry(s->chunks.prev, struct chunk, link);
        if (!chunk || chunk->bytes.len + len > CHUNK_SOFT) {
                chunk = TK_NEW(struct chunk);
                tk_buf_init(&chunk->bytes, SIZE_MAX / 2);
                chunk->seq = s->seq_next++;
                tk_list_append(&s->chunks, &chunk->link);
        }
        tk_buf_put(&chunk->bytes, fields, len);
        return chunk->seq;
}

/* Under the lock: the stream to wake once it is given back (waking asks for the frame at once, which takes the lock). */
static struct tk_rpc_stream *stream_ref(struct orch_session *s)
{
        if (s->stream)
                tk_rpc_stream_ref(s->stream);
        return s->stream;
}

static void wake(struct tk_rpc_stream *stream)
{
        if (!stream)
                return;
        tk_rpc_stream_wake(stream);
        tk_rpc_stream_unref(stream);
}

void orch_session_send(struct orch_session *s, const void *fields, size_t len)
{
        tk_lock_take(&s->all->lock);
        struct tk_rpc_stream *stream = stream_ref(s);
        if (stream)
                chunk_append(s, fields, len);
        tk_lock_give(&s->all->lock);
        wake(stream);
}

bool orch_session_assign(struct orch_session *s, const struct orch_held *held, const void *fields, size_t len)
{
        TK_LOCKED(&s->all->lock);
        if (!s->stream)
                return false;
        hold(s, held, chunk_append(s, fields, len));
        return true;
}

void orch_session_wake(struct orch_session *s)
{
        tk_lock_take(&s->all->lock);
        struct tk_rpc_stream *stream = stream_ref(s);
        tk_lock_give(&s->all->lock);
        wake(stream);
}

bool orch_session_next_frame(struct orch_session *s, struct tk_buf *buf)
{
        TK_LOCKED(&s->all->lock);
        bool any = false;
        while (!tk_list_empty(&s->chunks)) {
                struct chunk *chunk = tk_list_entry(s->chunks.next, struct chunk, link);
                if (any && buf->len + chunk->bytes.len > FRAME_SOFT)
                        break;
                tk_buf_put(buf, chunk->bytes.data, chunk->bytes.len);
                s->seq_sent = chunk->seq;
                tk_list_remove(&chunk->link);
                tk_buf_deinit(&chunk->bytes);
                tk_free(chunk);
                any = true;
        }
        return any;
}

struct orch_reservation *orch_credit_reserve(struct orch_sessions *all, const char *const *ns, size_t n,
                                             unsigned want, bool share)
{
        struct orch_reservation *r = TK_NEW(struct orch_reservation);
        r->all = all;
        r->ns = ns;
        r->ns_n = n;
        TK_LOCKED(&all->lock);
        r->items = tk_calloc(n * all->open_n + 1, sizeof *r->items);
        for (size_t i = 0; i < n; i++) {
                unsigned left = want;
                tk_list_each(node, &all->open) {
                        struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                        unsigned take = share ? (s->credit + 1) / 2 : s->credit;
                        if (!take || !left || !serves(s, ns[i]))
                                continue;
                        if (take > left)
                                take = left;
                        s->credit -= take;
                        left -= take;
                        orch_session_ref(s);
                        r->items[r->items_n++] = (struct reserved){s, (unsigned)i, take, false};
                }
                /* The next reservation starts with another worker. */
                struct tk_list *first = tk_list_pop(&all->open);
                if (first)
                        tk_list_append(&all->open, first);
        }
        return r;
}

unsigned orch_reservation_count(const struct orch_reservation *r, const char *ns)
{
        unsigned count = 0;
        for (size_t i = 0; i < r->items_n; i++)
                if (tk_streq(r->ns[r->items[i].ns], ns))
                        count += r->items[i].n;
        return count;
}

struct orch_session *orch_reservation_take(struct orch_reservation *r, const char *ns)
{
        struct reserved *best = NULL;
        for (size_t i = 0; i < r->items_n; i++) {
                struct reserved *item = &r->items[i];
                if (item->n && tk_streq(r->ns[item->ns], ns) && (!best || item->n > best->n))
                        best = item;
        }
        if (!best)
                return NULL;
        best->n--;
        best->used = true;
        orch_session_ref(best->session);
        return best->session;
}

void orch_reservation_wake(struct orch_reservation *r)
{
        for (size_t i = 0; i < r->items_n; i++)
                if (r->items[i].used)
                        orch_session_wake(r->items[i].session);
}

struct orch_reservation *orch_reservation_free(struct orch_reservation *r)
{
        if (!r)
                return NULL;
        for (size_t i = 0; i < r->items_n; i++) {
                if (r->items[i].n)
                        orch_session_grant(r->items[i].session, r->items[i].n);
                orch_session_unref(r->items[i].session);
        }
        tk_free(r->items);
        return tk_free(r);
}

void orch_queue_mark(struct orch_sessions *all, const char *ns, bool may_have_work)
{
        tk_lock_take(&all->lock);
        bool wanted = false;
        if (!may_have_work) {
                tk_map_dels(all->queues, ns);
        } else {
                (void)tk_map_puts(all->queues, ns, all);
                tk_list_each(node, &all->open) {
                        struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                        wanted |= s->credit && serves(s, ns);
                }
        }
        tk_lock_give(&all->lock);
        if (wanted)
                all->ops.want_work(all->ops.user);
}

static bool listed(char (*names)[ORCH_NAMESPACE_MAX], size_t n, const char *ns)
{
        for (size_t i = 0; i < n; i++)
                if (tk_streq(names[i], ns))
                        return true;
        return false;
}

/* Under the lock: namespaces of open sessions that pass both filters. */
static size_t collect(struct orch_sessions *all, bool with_credit_and_work, char (*ret)[ORCH_NAMESPACE_MAX], size_t max)
{
        size_t n = 0;
        tk_list_each(node, &all->open) {
                struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                for (size_t i = 0; i < s->ns_n && n < max; i++) {
                        if (with_credit_and_work && (!s->credit || !tk_map_gets(all->queues, s->ns[i])))
                                continue;
                        if (!listed(ret, n, s->ns[i]))
                                (void)tk_str_copy(ret[n++], ORCH_NAMESPACE_MAX, s->ns[i]);
                }
        }
        return n;
}

size_t orch_queue_wanted(struct orch_sessions *all, char (*ret_ns)[ORCH_NAMESPACE_MAX], size_t max)
{
        TK_LOCKED(&all->lock);
        return collect(all, true, ret_ns, max);
}

size_t orch_sessions_namespaces(struct orch_sessions *all, char (*ret_ns)[ORCH_NAMESPACE_MAX], size_t max)
{
        TK_LOCKED(&all->lock);
        return collect(all, false, ret_ns, max);
}

bool orch_sessions_serves(struct orch_sessions *all, const char *ns)
{
        TK_LOCKED(&all->lock);
        tk_list_each(node, &all->open)
                if (serves(tk_list_entry(node, struct orch_session, link), ns))
                        return true;
        return false;
}

/* Encodes a frame with the given content; the bytes are fields that may be concatenated with others. */
static void encode(const Tasker__Dispatch__V1__OrchestratorFrame *frame, struct tk_buf *buf)
{
        size_t len = tasker__dispatch__v1__orchestrator_frame__get_packed_size(frame);
        void *at = tk_buf_grow(buf, len);
        if (at)
                tasker__dispatch__v1__orchestrator_frame__pack(frame, at);
}

void orch_sessions_cancel(struct orch_sessions *all, const struct tk_uuid *step, uint32_t attempt, const char *reason)
{
        Tasker__Dispatch__V1__Cancel cancel = TASKER__DISPATCH__V1__CANCEL__INIT;
        Tasker__Dispatch__V1__Cancel *cancels[] = {&cancel};
        Tasker__Dispatch__V1__OrchestratorFrame frame = TASKER__DISPATCH__V1__ORCHESTRATOR_FRAME__INIT;
        struct tk_uuid id = *step;
        cancel.step_uuid = (ProtobufCBinaryData){sizeof id.b, id.b};
        cancel.attempt = attempt;
        cancel.reason = tk_str_unconst(reason);
        frame.n_cancel = 1;
        frame.cancel = cancels;
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, SIZE_MAX / 2);
        encode(&frame, &buf);
        tk_lock_take(&all->lock);
        struct tk_rpc_stream *stream = NULL;
        tk_list_each(node, &all->open) {
                struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                struct held_entry *entry = tk_map_get(s->held, step->b, sizeof step->b);
                if (stream || !entry || entry->held.attempt != attempt)
                        continue;
                chunk_append(s, buf.data, buf.len);
                stream = stream_ref(s);
        }
        tk_lock_give(&all->lock);
        wake(stream);
}

/* References to the streams of all open sessions that the filter wants; *ret_n of them. tk_free the array. */
static struct tk_rpc_stream **streams(struct orch_sessions *all, bool (*wanted)(struct orch_session *s, const void *arg), const void *arg, size_t *ret_n)
{
        TK_LOCKED(&all->lock);
        struct tk_rpc_stream **list = tk_calloc(all->open_n + 1, sizeof *list);
        *ret_n = 0;
        tk_list_each(node, &all->open) {
                struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                if (wanted(s, arg))
                        list[(*ret_n)++] = stream_ref(s);
        }
        return list;
}

static bool is_silent(struct orch_session *s, const void *before_ns)
{
        return s->seen_ns < *(const int64_t *)before_ns;
}

static bool append_drain(struct orch_session *s, const void *fields)
{
        const struct tk_buf *buf = fields;
        s->credit = 0;
        chunk_append(s, buf->data, buf->len);
        return true;
}

unsigned orch_sessions_expire(struct orch_sessions *all, int64_t before_ns)
{
        size_t n;
        TK_AUTOFREE struct tk_rpc_stream **list = streams(all, is_silent, &before_ns, &n);
        for (size_t i = 0; i < n; i++) {
                tk_rpc_stream_close(list[i], TK_RPC_DEADLINE_EXCEEDED, "no sign of life for three heartbeats");
                tk_rpc_stream_unref(list[i]);
        }
        return (unsigned)n;
}

void orch_sessions_drain(struct orch_sessions *all)
{
        Tasker__Dispatch__V1__OrchestratorFrame frame = TASKER__DISPATCH__V1__ORCHESTRATOR_FRAME__INIT;
        size_t n;
        frame.drain = 1;
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 64);
        encode(&frame, &buf);
        TK_AUTOFREE struct tk_rpc_stream **list = streams(all, append_drain, &buf, &n);
        for (size_t i = 0; i < n; i++)
                wake(list[i]);
}

struct orch_held *orch_sessions_renewable(struct orch_sessions *all, int64_t before_ns, int64_t now_ns, size_t *ret_n)
{
        TK_LOCKED(&all->lock);
        size_t total = 0, n = 0;
        tk_list_each(node, &all->open)
                total += tk_map_count(tk_list_entry(node, struct orch_session, link)->held);
        struct orch_held *held = tk_calloc(total ? total : 1, sizeof *held);
        tk_list_each(node2, &all->open) {
                struct orch_session *s = tk_list_entry(node2, struct orch_session, link);
                const void *key;
                size_t len;
                void *value;
                for (size_t at = 0; tk_map_next(s->held, &at, &key, &len, &value);) {
                        struct held_entry *entry = value;
                        if (entry->leased_ns >= before_ns)
                                continue;
                        entry->leased_ns = now_ns;
                        held[n++] = entry->held;
                }
        }
        *ret_n = n;
        return held;
}

void orch_sessions_numbers(struct orch_sessions *all, struct orch_sessions_numbers *ret)
{
        TK_LOCKED(&all->lock);
        *ret = (struct orch_sessions_numbers){.sessions = all->open_n};
        tk_list_each(node, &all->open) {
                struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                ret->credit += s->credit;
                ret->held += (unsigned)tk_map_count(s->held);
        }
}
