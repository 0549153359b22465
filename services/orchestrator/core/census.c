/* SPDX-License-Identifier: MIT */
/* orchestrator/core/census.c: what concerns all sessions: which queues are worth a look, who is silent, whose leases are
 * due, whom to tell. */
#include "base/mem.h"
#include "base/str.h"
#include "orchestrator/core/sessions_internal.h"
#include "rpc/pack.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"

void orch_queue_mark(struct orch_sessions *all, const char *ns)
{
        tk_lock_take(&all->lock);
        bool wanted = false;
        (void)tk_map_puts(all->queues, ns, (void *)++all->marks);
        tk_list_each(node, &all->open) {
                struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                wanted |= s->credit && orch_session_serves(s, ns);
        }
        tk_lock_give(&all->lock);
        if (wanted)
                all->ops.want_work(all->ops.user);
}

uintptr_t orch_queue_marked(struct orch_sessions *all, const char *ns)
{
        TK_LOCKED(&all->lock);
        return (uintptr_t)tk_map_gets(all->queues, ns);
}

void orch_queue_clear(struct orch_sessions *all, const char *ns, uintptr_t mark)
{
        TK_LOCKED(&all->lock);
        if ((uintptr_t)tk_map_gets(all->queues, ns) == mark)
                tk_map_dels(all->queues, ns);
}

void orch_queue_backlog(struct orch_sessions *all, const char *ns, bool backlog)
{
        TK_LOCKED(&all->lock);
        if (backlog)
                (void)tk_map_puts(all->backlogs, ns, all);
        else
                tk_map_dels(all->backlogs, ns);
}

void orch_queue_weigh(struct orch_sessions *all, const char *ns, unsigned weight)
{
        TK_LOCKED(&all->lock);
        if (weight > 1)
                (void)tk_map_puts(all->weights, ns, (void *)(uintptr_t)weight);
        else
                tk_map_dels(all->weights, ns);
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

void orch_sessions_serving(struct orch_sessions *all, const char *ns, struct orch_serving *ret)
{
        *ret = (struct orch_serving){0};
        TK_LOCKED(&all->lock);
        tk_list_each(node, &all->open) {
                const struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                if (!orch_session_serves(s, ns))
                        continue;
                ret->workers++;
                ret->free += s->credit;
                ret->taken += s->reserved + (unsigned)tk_map_count(s->held);
        }
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
        tk_rpc_pack(&frame.base, &buf);
        tk_lock_take(&all->lock);
        struct tk_rpc_stream *stream = NULL;
        tk_list_each(node, &all->open) {
                struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                struct held_entry *entry = tk_map_get(s->held, step->b, sizeof step->b);
                if (stream || !entry || entry->held.attempt != attempt)
                        continue;
                orch_session_append(s, buf.data, buf.len);
                stream = orch_session_stream(s);
        }
        tk_lock_give(&all->lock);
        orch_stream_wake(stream);
}

void orch_ack_put(struct tk_buf *buf, const struct tk_uuid *step, uint32_t attempt, bool stale, bool refused)
{
        Tasker__Dispatch__V1__Ack ack = TASKER__DISPATCH__V1__ACK__INIT;
        Tasker__Dispatch__V1__Ack *acks[] = {&ack};
        Tasker__Dispatch__V1__OrchestratorFrame frame = TASKER__DISPATCH__V1__ORCHESTRATOR_FRAME__INIT;
        struct tk_uuid id = *step;
        ack.step_uuid = (ProtobufCBinaryData){sizeof id.b, id.b};
        ack.attempt = attempt;
        ack.stale = stale;
        ack.refused = refused;
        frame.n_acks = 1;
        frame.acks = acks;
        tk_rpc_pack(&frame.base, buf);
}

void orch_session_ack(struct orch_session *s, const struct orch_held *list, size_t n, bool stale)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, SIZE_MAX / 2);
        for (size_t i = 0; i < n; i++)
                orch_ack_put(&buf, &list[i].step, list[i].attempt, stale, false);
        if (n)
                orch_session_send(s, buf.data, buf.len);
}

void orch_sessions_disown(struct orch_sessions *all, const struct orch_held *held)
{
        orch_sessions_cancel(all, &held->step, held->attempt, "this attempt is over, or was given to another worker");
        TK_LOCKED(&all->lock);
        tk_list_each(node, &all->open) {
                struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                struct held_entry *entry = tk_map_get(s->held, held->step.b, sizeof held->step.b);
                if (!entry || entry->held.attempt != held->attempt)
                        continue;
                orch_session_drop_held(s, entry);
        }
}

/* References to the streams of all open sessions that the filter wants; *ret_n of them. tk_free the array. */
static struct tk_rpc_stream **streams(struct orch_sessions *all,
                                      bool (*wanted)(struct orch_session *s, const void *arg), const void *arg,
                                      size_t *ret_n)
{
        TK_LOCKED(&all->lock);
        struct tk_rpc_stream **list = tk_calloc(all->open_n + 1, sizeof *list);
        *ret_n = 0;
        tk_list_each(node, &all->open) {
                struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                if (wanted(s, arg))
                        list[(*ret_n)++] = orch_session_stream(s);
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
        orch_session_append(s, buf->data, buf->len);
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
        tk_rpc_pack(&frame.base, &buf);
        TK_AUTOFREE struct tk_rpc_stream **list = streams(all, append_drain, &buf, &n);
        for (size_t i = 0; i < n; i++)
                orch_stream_wake(list[i]);
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
