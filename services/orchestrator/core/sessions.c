/* SPDX-License-Identifier: MIT */
/* orchestrator/core/sessions.c: one session: its life, what it holds, its frames. State: open (in the list, may be sent to)
 * or closed (waits for its last reference). Order of frames is the order of sends. */
#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/core/sessions_internal.h"
#include <stdio.h>

enum { CHUNK_SOFT = 1024 * 1024, FRAME_SOFT = 4 * 1024 * 1024 };

struct orch_sessions *orch_sessions_new(const struct orch_sessions_ops *ops)
{
        struct orch_sessions *all = TK_NEW(struct orch_sessions);
        tk_lock_init(&all->lock, "sessions");
        tk_list_init(&all->open);
        all->ops = *ops;
        all->queues = tk_map_new();
        all->backlogs = tk_map_new();
        all->weights = tk_map_new();
        return all;
}

struct orch_sessions *orch_sessions_free(struct orch_sessions *all)
{
        if (!all)
                return NULL;
        TK_CHECK(tk_list_empty(&all->open));
        tk_map_free(all->queues);
        tk_map_free(all->backlogs);
        tk_map_free(all->weights);
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
        tk_free(s->ns_held);
        tk_free(s);
}

const char *orch_session_worker(const struct orch_session *s)
{
        return s->worker_id;
}

/* Under the lock: how many steps of each namespace it holds, anew. */
static void count_held(struct orch_session *s)
{
        const void *key;
        size_t len;
        void *value;
        for (size_t at = 0; tk_map_next(s->held, &at, &key, &len, &value);) {
                struct held_entry *entry = value;
                entry->ns = orch_session_place(s, entry->held.ns);
                if (entry->ns < s->ns_n)
                        s->ns_held[entry->ns]++;
        }
}

void orch_session_hello(struct orch_session *s, const char *worker_id, const char *const *namespaces, size_t n)
{
        char(*copy)[ORCH_NAMESPACE_MAX] = tk_calloc(n ? n : 1, sizeof *copy);
        for (size_t i = 0; i < n; i++)
                (void)tk_str_copy(copy[i], sizeof copy[i], namespaces[i]);
        TK_LOCKED(&s->all->lock);
        (void)tk_str_copy(s->worker_id, sizeof s->worker_id, worker_id);
        tk_free(s->ns);
        tk_free(s->ns_held);
        s->ns = copy;
        s->ns_n = n;
        s->ns_held = tk_calloc(n ? n : 1, sizeof *s->ns_held);
        count_held(s);
        /* Nobody here looked at these queues before: they may hold work. */
        for (size_t i = 0; i < n; i++)
                (void)tk_map_puts(s->all->queues, copy[i], (void *)++s->all->marks);
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

size_t orch_session_place(const struct orch_session *s, const char *ns)
{
        size_t at = 0;
        while (at < s->ns_n && !tk_streq(s->ns[at], ns))
                at++;
        return at;
}

bool orch_session_serves(const struct orch_session *s, const char *ns)
{
        return orch_session_place(s, ns) < s->ns_n;
}

void orch_session_seen(struct orch_session *s, int64_t now_ns)
{
        TK_LOCKED(&s->all->lock);
        s->seen_ns = now_ns;
}

static struct held_entry *hold(struct orch_session *s, const struct orch_held *held, uint64_t seq)
{
        struct held_entry *entry = TK_NEW(struct held_entry);
        entry->held = *held;
        entry->seq = seq;
        entry->leased_ns = tk_time_mono_ns();
        entry->ns = orch_session_place(s, held->ns);
        struct held_entry *older = tk_map_put(s->held, held->step.b, sizeof held->step.b, entry);
        if (older && older->ns < s->ns_n)
                s->ns_held[older->ns]--;
        tk_free(older);
        if (entry->ns < s->ns_n)
                s->ns_held[entry->ns]++;
        return entry;
}

void orch_session_drop_held(struct orch_session *s, struct held_entry *entry)
{
        tk_map_del(s->held, entry->held.step.b, sizeof entry->held.step.b);
        if (entry->ns < s->ns_n)
                s->ns_held[entry->ns]--;
        tk_free(entry);
}

void orch_session_hold(struct orch_session *s, const struct orch_held *held)
{
        TK_LOCKED(&s->all->lock);
        const struct held_entry *newer = tk_map_get(s->held, held->step.b, sizeof held->step.b);
        if (!s->stream || (newer && newer->held.attempt >= held->attempt))
                return;
        hold(s, held, 0)->leased_ns = INT64_MIN; /* renewed, and so checked, with the next look */
}

bool orch_session_take_back(struct orch_session *s, const struct tk_uuid *step, uint32_t attempt, struct orch_held *ret)
{
        TK_LOCKED(&s->all->lock);
        struct held_entry *entry = tk_map_get(s->held, step->b, sizeof step->b);
        if (!entry || entry->held.attempt != attempt)
                return false;
        *ret = entry->held;
        orch_session_drop_held(s, entry);
        return true;
}

bool orch_session_forget(struct orch_session *s, const struct tk_uuid *step, uint32_t attempt)
{
        struct orch_held held;
        return orch_session_take_back(s, step, attempt, &held);
}

uint64_t orch_session_append(struct orch_session *s, const void *fields, size_t len)
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

struct tk_rpc_stream *orch_session_stream(struct orch_session *s)
{
        tk_rpc_stream_ref(s->stream);
        return s->stream;
}

void orch_stream_wake(struct tk_rpc_stream *stream)
{
        if (!stream)
                return;
        tk_rpc_stream_wake(stream);
        tk_rpc_stream_unref(stream);
}

void orch_session_send(struct orch_session *s, const void *fields, size_t len)
{
        tk_lock_take(&s->all->lock);
        struct tk_rpc_stream *stream = orch_session_stream(s);
        if (stream)
                orch_session_append(s, fields, len);
        tk_lock_give(&s->all->lock);
        orch_stream_wake(stream);
}

bool orch_session_assign(struct orch_session *s, const struct orch_held *held, const void *fields, size_t len)
{
        TK_LOCKED(&s->all->lock);
        s->reserved--;
        if (!s->stream)
                return false;
        hold(s, held, orch_session_append(s, fields, len));
        return true;
}

void orch_session_wake(struct orch_session *s)
{
        tk_lock_take(&s->all->lock);
        struct tk_rpc_stream *stream = orch_session_stream(s);
        tk_lock_give(&s->all->lock);
        orch_stream_wake(stream);
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
