/* SPDX-License-Identifier: MIT */
/* worker/core/templates.c: see the header. An entry exists from the first question; while it has no template, one asker
 * loads and the others wait. */
#include "worker/core/templates.h"
#include "base/check.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "run/lock.h"

#define BACKOFF_BASE_NS (50 * TK_NS_PER_MS)
#define BACKOFF_MAX_NS (2 * TK_NS_PER_S)

struct entry {
        struct tk_list recent;   /* in `recent` of the store, most recent last */
        struct tk_template *tpl; /* NULL: not loaded */
        unsigned users;          /* askers and borrowers; 0: may be evicted */
        bool loading;
        char digest[65];
};

struct work_templates {
        struct tk_lock lock;
        struct tk_cond loaded;   /* some load ended, or closed */
        struct tk_map *by_digest;
        struct tk_list recent;
        size_t entries_max;
        work_template_load_fn *load;
        void *user;
        struct work_templates_stats stats;
        bool closed;
};

struct work_templates *work_templates_new(size_t entries_max, work_template_load_fn *load, void *user)
{
        struct work_templates *t = TK_NEW(struct work_templates);
        tk_lock_init(&t->lock, "templates");
        tk_cond_init(&t->loaded);
        t->by_digest = tk_map_new();
        tk_list_init(&t->recent);
        t->entries_max = entries_max;
        t->load = load;
        t->user = user;
        return t;
}

static void entry_free(struct work_templates *t, struct entry *e)
{
        TK_CHECK(!e->users && !e->loading);
        tk_list_remove(&e->recent);
        tk_map_dels(t->by_digest, e->digest);
        tk_template_free(e->tpl);
        tk_free(e);
}

struct work_templates *work_templates_free(struct work_templates *t)
{
        if (!t)
                return NULL;
        tk_list_each(node, &t->recent)
                entry_free(t, tk_list_entry(node, struct entry, recent));
        tk_map_free(t->by_digest);
        tk_cond_deinit(&t->loaded);
        tk_lock_deinit(&t->lock);
        return tk_free(t);
}

/* Under the lock: room for one more, if any entry is unused. */
static void make_room(struct work_templates *t)
{
        tk_list_each(node, &t->recent) {
                if (tk_map_count(t->by_digest) < t->entries_max)
                        return;
                struct entry *e = tk_list_entry(node, struct entry, recent);
                if (!e->users) {
                        t->stats.evictions += !!e->tpl;
                        entry_free(t, e);
                }
        }
}

static struct entry *entry_use(struct work_templates *t, const char *digest)
{
        struct entry *e = tk_map_gets(t->by_digest, digest);
        if (!e) {
                make_room(t);
                e = TK_NEW(struct entry);
                tk_list_init(&e->recent);
                (void)tk_str_copy(e->digest, sizeof e->digest, digest);
                tk_map_puts(t->by_digest, e->digest, e);
        }
        tk_list_remove(&e->recent);
        tk_list_append(&t->recent, &e->recent);
        e->users++;
        return e;
}

/* One load with the lock given back meanwhile. True: go on asking. */
static bool load_once(struct work_templates *t, struct entry *e, int64_t deadline_ns, struct tk_err *err)
{
        struct tk_template *tpl = NULL;
        e->loading = true;
        t->stats.loads++;
        tk_lock_give(&t->lock);
        int r = t->load(t->user, e->digest, deadline_ns, &tpl, err);
        tk_lock_take(&t->lock);
        e->loading = false;
        if (!r)
                e->tpl = tpl;
        else
                t->stats.failures++;
        tk_cond_broadcast(&t->loaded);
        return r != 0;
}

/* Under the lock: sleeps, or returns early when the store is closed or somebody loaded something. */
static void pause_for(struct work_templates *t, const struct entry *e, int64_t delay_ns, int64_t deadline_ns)
{
        int64_t until_ns = tk_time_mono_ns() + delay_ns;
        if (until_ns > deadline_ns)
                until_ns = deadline_ns;
        while (!t->closed && !e->tpl && !e->loading && tk_cond_wait(&t->loaded, &t->lock, until_ns))
                ;
}

static void wait_loaded(struct work_templates *t, struct entry *e, int64_t deadline_ns, struct tk_err *err)
{
        bool counted = false;
        for (unsigned attempt = 0; !e->tpl && !t->closed && tk_time_mono_ns() < deadline_ns;) {
                if (!e->loading) {
                        if (load_once(t, e, deadline_ns, err))
                                pause_for(t, e, tk_rand_backoff(attempt++, BACKOFF_BASE_NS, BACKOFF_MAX_NS), deadline_ns);
                        continue;
                }
                t->stats.shared += !counted;
                counted = true;
                tk_cond_wait(&t->loaded, &t->lock, deadline_ns);
        }
}

int work_templates_take(struct work_templates *t, const char *digest, int64_t deadline_ns,
                        const struct tk_template **ret, struct tk_err *err)
{
        if (strlen(digest) != sizeof ((struct entry *)NULL)->digest - 1)
                return TK_ERR(err, WORK_TEMPLATE_E_UNKNOWN,
                              "a template digest has 64 hexadecimal digits, found \"%.80s\"", digest);
        TK_LOCKED(&t->lock);
        struct entry *e = entry_use(t, digest);
        if (e->tpl)
                t->stats.hits++;
        else
                t->stats.misses++;
        wait_loaded(t, e, deadline_ns, err);
        if (e->tpl) {
                *ret = e->tpl;
                return WORK_TEMPLATE_OK;
        }
        e->users--;
        if (err && !*err->text)
                return TK_ERR(err, WORK_TEMPLATE_E_UNKNOWN, "template %.12s could not be loaded in time", digest);
        return WORK_TEMPLATE_E_UNKNOWN;
}

void work_templates_give(struct work_templates *t, const struct tk_template *tpl)
{
        TK_LOCKED(&t->lock);
        struct entry *e = tk_map_gets(t->by_digest, tpl->digest);
        TK_CHECK(e && e->users > 0);
        e->users--;
}

void work_templates_close(struct work_templates *t)
{
        TK_LOCKED(&t->lock);
        t->closed = true;
        tk_cond_broadcast(&t->loaded);
}

void work_templates_stats(struct work_templates *t, struct work_templates_stats *ret)
{
        TK_LOCKED(&t->lock);
        *ret = t->stats;
        ret->entries = tk_map_count(t->by_digest);
}
