/* SPDX-License-Identifier: MIT */
/* metric/page.c: numbers that live elsewhere, read when the page is asked for. */
#include "metric/page.h"
#include "base/mem.h"
#include "base/time.h"
#include "metric/meters.h"
#include "metric/text.h"
#include "run/spread.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SECONDS(ns) ((double)(ns) / (double)TK_NS_PER_S)

/* ACTOR(name, KIND, expression over `s`, help) */
#define ACTORS(ACTOR)                                                                                        \
        ACTOR(actor_threads, GAUGE, s->threads, "Threads of the actor.")                                     \
        ACTOR(actor_ready, GAUGE, s->ready, "Threads whose start succeeded.")                                \
        ACTOR(actor_messages_total, COUNTER, s->handled, "Messages handled.")                                \
        ACTOR(actor_batches_total, COUNTER, s->batches, "Batches handled.")                                  \
        ACTOR(actor_batch_max, GAUGE, s->batch_max_seen, "Largest batch so far.")                            \
        ACTOR(actor_restarts_total, COUNTER, s->restarts, "Starts after a failed batch.")                    \
        ACTOR(actor_busy_seconds_total, COUNTER, SECONDS(s->busy_ns), "Time in handle and tick.")            \
        ACTOR(actor_progress_age_seconds, GAUGE, SECONDS(tk_time_mono_ns() - s->last_progress_ns),           \
              "Time since the last batch ended.")                                                            \
        ACTOR(actor_handling_seconds, GAUGE, SECONDS(s->handling_ns),                                        \
              "How long the batch now handled longest has been.")                                            \
        ACTOR(mailbox_capacity, GAUGE, s->mbox.capacity, "Messages that may wait.")                          \
        ACTOR(mailbox_depth, GAUGE, s->mbox.depth, "Messages that wait now.")                                \
        ACTOR(mailbox_high_water, GAUGE, s->mbox.high_water, "Most messages that ever waited.")              \
        ACTOR(mailbox_sent_total, COUNTER, s->mbox.sends, "Messages accepted.")                              \
        ACTOR(mailbox_received_total, COUNTER, s->mbox.received, "Messages taken out.")                      \
        ACTOR(mailbox_full_total, COUNTER, s->mbox.fulls, "Messages refused because the mailbox was full.")  \
        ACTOR(mailbox_wait_seconds_total, COUNTER, SECONDS(s->mbox.wait_ns_total),                           \
              "Time messages waited inside.")

#define GETTER(id, kind, expression, help)                                                                   \
        static double get_##id(const struct tk_actor_stats *s)                                               \
        {                                                                                                    \
                return (double)(expression);                                                                 \
        }
ACTORS(GETTER)
#undef GETTER

static const struct {
        const char *name, *help;
        enum tk_metric_kind kind;
        double (*get)(const struct tk_actor_stats *stats);
} actor_rows[] = {
#define ROW(id, kind, expression, help) {"tasker_" #id, help, TK_METRIC_##kind, get_##id},
        ACTORS(ROW)
#undef ROW
};

static void put_spreads(struct tk_buf *out);

void tk_metrics_text_actors(struct tk_buf *out, struct tk_actor *const *actors, size_t n)
{
        TK_AUTOFREE struct tk_actor_stats *stats = tk_calloc(n, sizeof *stats);

        for (size_t i = 0; i < n; i++)
                tk_actor_stats(actors[i], &stats[i]);
        for (size_t row = 0; row < tk_countof(actor_rows); row++) {
                tk_metrics_text_head(out, actor_rows[row].name, actor_rows[row].kind, actor_rows[row].help);
                for (size_t i = 0; i < n; i++)
                        tk_metrics_text_sample(out, actor_rows[row].name, "actor", stats[i].mbox.name,
                                               actor_rows[row].get(&stats[i]));
        }
        put_spreads(out);
        tk_metrics_text_meters(out);
}

/* One object per actor; a figure is named as on the page, without "tasker_". */
static void put_actors_json(struct tk_buf *out, struct tk_actor *const *actors, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct tk_actor_stats stats;

                tk_actor_stats(actors[i], &stats);
                tk_buf_printf(out, "%s{\"actor\":\"%s\"", i ? "," : "", stats.mbox.name);
                for (size_t row = 0; row < tk_countof(actor_rows); row++)
                        tk_buf_printf(out, ",\"%s\":%.9g", actor_rows[row].name + strlen("tasker_"),
                                      actor_rows[row].get(&stats));
                tk_buf_printf(out, stats.current ? ",\"current_message\":\"%s\"}" : ",\"current_message\":null}", stats.current);
        }
}

/* The families of run/spread.h: how each is called, and by what its members are told apart. */
static const struct {
        const char *name, *label, *help;
} spreads[TK_SPREAD_KINDS] = {
        [TK_SPREAD_MAILBOX_WAIT] = {"mailbox_wait_seconds", "mailbox", "Time a message waited in its mailbox."},
        [TK_SPREAD_SERVICE] = {"actor_service_seconds", "actor", "Time an actor took for a batch."},
        [TK_SPREAD_PERMIT_WAIT] = {"permit_wait_seconds", "permits", "Time until a permit was free."},
        [TK_SPREAD_DATABASE] = {"database_call_seconds", "connection", "Time of a statement, as its caller saw it."},
        [TK_SPREAD_LOOP] = {"loop_turn_seconds", "loop", "Time of one turn of an event loop, during which the others waited."},
        [TK_SPREAD_LOCK_WAIT] = {"lock_wait_seconds", "lock", "Time until a lock was free that somebody else had; free ones are not counted."},
        [TK_SPREAD_LATE] = {"timer_late_seconds", "actor", "How late a timer of an actor ran."},
};

enum { BUCKETS_STEP = 2 /* every second power of two is told outside */ };

struct spread_page {
        struct tk_buf *out;
        enum tk_spread_what what;
        bool headed;
};

static void put_spread(void *user, const struct tk_spread_stats *stats)
{
        struct spread_page *page = user;
        char name[96];
        uint64_t total = 0;
        if (stats->what != page->what)
                return;
        (void)snprintf(name, sizeof name, "tasker_%s", spreads[stats->what].name);
        if (!page->headed)
                tk_metrics_text_head(page->out, name, TK_METRIC_HISTOGRAM, spreads[stats->what].help);
        page->headed = true;
        for (unsigned i = 0; i < TK_SPREAD_BUCKETS; i++) {
                bool last = i == TK_SPREAD_BUCKETS - 1;
                total += stats->buckets[i];
                if (i % BUCKETS_STEP && !last)
                        continue;
                tk_buf_printf(page->out, "%s_bucket{", name);
                tk_metrics_text_label_put(page->out, spreads[stats->what].label, stats->name);
                if (last)
                        tk_buf_printf(page->out, ",le=\"+Inf\"} %llu\n", (unsigned long long)total);
                else
                        tk_buf_printf(page->out, ",le=\"%.9g\"} %llu\n", (double)(UINT64_C(1) << i) / 1e6, (unsigned long long)total);
        }
        (void)snprintf(name, sizeof name, "tasker_%s_sum", spreads[stats->what].name);
        tk_metrics_text_sample(page->out, name, spreads[stats->what].label, stats->name, SECONDS(stats->sum_ns));
        (void)snprintf(name, sizeof name, "tasker_%s_count", spreads[stats->what].name);
        tk_metrics_text_sample(page->out, name, spreads[stats->what].label, stats->name, (double)stats->count);
}

static void put_spreads(struct tk_buf *out)
{
        for (int what = 0; what < TK_SPREAD_KINDS; what++)
                tk_spread_each(put_spread, &(struct spread_page){.out = out, .what = (enum tk_spread_what)what});
}

static void put_spread_json(void *user, const struct tk_spread_stats *stats)
{
        struct spread_page *page = user;
        if (!stats->count)
                return;
        tk_buf_printf(page->out, "%s{\"what\":\"%s\",\"name\":\"%s\",\"count\":%llu,\"sum\":%.9g,", page->headed ? "," : "",
                      spreads[stats->what].name, stats->name, (unsigned long long)stats->count, SECONDS(stats->sum_ns));
        tk_buf_printf(page->out, "\"p50\":%.6g,\"p95\":%.6g,\"p99\":%.6g,\"max\":%.6g}",
                      SECONDS(tk_spread_quantile(stats, 0.5)), SECONDS(tk_spread_quantile(stats, 0.95)), SECONDS(tk_spread_quantile(stats, 0.99)),
                      SECONDS(stats->max_ns));
        page->headed = true;
}

static void put_one(struct tk_buf *out, const char *name, enum tk_metric_kind kind, const char *help,
                    double value)
{
        tk_metrics_text_head(out, name, kind, help);
        tk_metrics_text_sample(out, name, "", "", value);
}

static double resident_bytes(void)
{
        FILE *file = fopen("/proc/self/statm", "re");
        long pages = 0;

        if (!file)
                return 0;
        if (fscanf(file, "%*s %ld", &pages) != 1)
                pages = 0;
        fclose(file);
        return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_fds(void)
{
        DIR *dir = opendir("/proc/self/fd");
        int n = 0;

        if (!dir)
                return 0;
        for (const struct dirent *entry; (entry = readdir(dir));)
                n += entry->d_name[0] != '.';
        closedir(dir);
        return n - 1; /* the directory itself was open too */
}

static double cpu_seconds(void)
{
        struct rusage usage;

        if (getrusage(RUSAGE_SELF, &usage))
                return 0;
        return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Seconds since the machine's boot when this process began: field 22 of stat, counted behind the name's last
 * ')'. */
static double started_after_boot(void)
{
        FILE *file = fopen("/proc/self/stat", "re");
        unsigned long long ticks = 0;
        char line[1024];
        const char *at = NULL;

        if (!file)
                return 0;
        if (fgets(line, sizeof line, file))
                at = strrchr(line, ')');
        fclose(file);
        if (!at || sscanf(at + 1,
                          " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                          &ticks) != 1)
                return 0;
        return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* The kernel's time of boot is a constant, so the sum is the same on every page. */
static double start_time_seconds(void)
{
        FILE *file = fopen("/proc/stat", "re");
        unsigned long long boot = 0;
        char line[256];

        if (!file)
                return 0;
        while (fgets(line, sizeof line, file) && sscanf(line, "btime %llu", &boot) != 1)
                ;
        fclose(file);
        return (double)boot + started_after_boot();
}

void tk_metrics_text_process(struct tk_buf *out, const char *service, const char *version)
{
        put_one(out, "process_resident_memory_bytes", TK_METRIC_GAUGE, "Resident memory.", resident_bytes());
        put_one(out, "process_cpu_seconds_total", TK_METRIC_COUNTER, "User and system time.", cpu_seconds());
        put_one(out, "process_open_fds", TK_METRIC_GAUGE, "Open file descriptors.", open_fds());
        put_one(out, "process_start_time_seconds", TK_METRIC_GAUGE, "Start of the process since 1970.",
                start_time_seconds());
        tk_metrics_text_head(out, "tasker_build_info", TK_METRIC_GAUGE, "Always 1; the labels tell.");
        tk_buf_puts(out, "tasker_build_info{");
        tk_metrics_text_label_put(out, "service", service);
        tk_buf_putc(out, ',');
        tk_metrics_text_label_put(out, "version", version);
        tk_buf_puts(out, "} 1\n");
}

void tk_metrics_json_runtime(struct tk_buf *out, const char *service, const char *version,
                             struct tk_metrics *metrics, struct tk_actor *const *actors, size_t n)
{
        struct rusage usage = {0};
        int64_t now_ns = tk_time_wall_ns();

        (void)getrusage(RUSAGE_SELF, &usage);
        tk_buf_printf(out,
                      "{\"service\":\"%s\",\"version\":\"%s\",\"pid\":%d,\"time\":%.6f,\"process\":{\"uptime_"
                      "seconds\":%.3f,\"cpu_seconds\":%.6f,"
                      "\"resident_bytes\":%.0f,\"open_fds\":%.0f,\"voluntary_switches\":%ld,\"involuntary_"
                      "switches\":%ld},\"actors\":[",
                      service, version, (int)getpid(), SECONDS(now_ns), SECONDS(now_ns) - start_time_seconds(),
                      cpu_seconds(), resident_bytes(), open_fds(), usage.ru_nvcsw, usage.ru_nivcsw);
        put_actors_json(out, actors, n);
        tk_buf_puts(out, "],\"times\":[");
        tk_spread_each(put_spread_json, &(struct spread_page){.out = out});
        tk_buf_puts(out, "],");
        tk_metrics_json_meters(out);
        tk_buf_puts(out, ",\"metrics\":");
        tk_metrics_json(metrics, out);
        tk_buf_putc(out, '}');
}
