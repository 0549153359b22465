/* SPDX-License-Identifier: MIT */
/* cli/dev/postgres.c: a private server: made once, started, migrated. Durable (fsync on); trusted on its own socket and on
 * loopback only. */
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/dev/dev.h"
#include "pg/migrate.h"
#include "pg/pg.h"
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define START_TIMEOUT_NS (60 * TK_NS_PER_S)
#define POLL_NS (10 * TK_NS_PER_MS)

static const struct tk_sql has_database = {
        .name = "dev.has_database", .columns = 1, .text = "SELECT 1 FROM pg_database WHERE datname = 'tasker'"};

static int init(struct dev *dev, const char *log, struct tk_err *err)
{
        char version[DEV_PATH + 16], program[DEV_PATH + 16];
        snprintf(version, sizeof version, "%s/PG_VERSION", dev->pg_data);
        if (!access(version, F_OK))
                return 0;
        snprintf(program, sizeof program, "%s/initdb", dev->pg_bin);
        const char *const argv[] = {program,
                                    "-D",
                                    dev->pg_data,
                                    "-U",
                                    "tasker",
                                    "--auth=trust",
                                    "--encoding=UTF8",
                                    "--locale=C.UTF-8",
                                    "--no-instructions",
                                    NULL};
        return dev_process_run(log, &dev->pg_user, argv, err);
}

/* How images of pages go into the log. After a checkpoint each new task is the first to touch its page of the index of identities, whose keys are
 * hashes: pglz works on these for a tenth of a millisecond in vain, lz4 does not. Not every server is built with lz4. */
static const char *wal_compression(struct dev *dev, const char *program)
{
        static const char best[] = "wal_compression=lz4";
        const char *const argv[] = {program, "-D", dev->pg_data, "-c", best, "-C", "wal_compression", NULL};
        return dev_process_run("/dev/null", &dev->pg_user, argv, NULL) ? "wal_compression=on" : best;
}

static int start(struct dev *dev, struct tk_err *err)
{
        char program[DEV_PATH + 16], port[16];
        snprintf(program, sizeof program, "%s/postgres", dev->pg_bin);
        snprintf(port, sizeof port, "%u", dev->pg_port);
        const char *const argv[] = {program, "-D", dev->pg_data, "-p", port, "-k", dev->socket_dir,
                                    "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=256MB", "-c", "max_connections=200",
                                    "-c", "max_wal_size=2GB", "-c", "checkpoint_timeout=15min", "-c", wal_compression(dev, program),
                                    "-c", "autovacuum_naptime=10s", "-c", "autovacuum_vacuum_cost_limit=2000", "-c", "log_min_duration_statement=1s",
                                    "-c", "log_line_prefix=%m [%p] %a ", NULL};
        return dev_process_start(&dev->postgres, &dev->pg_user, argv, err);
}

static int connect(struct dev *dev, const char *database, struct tk_pg **ret, struct tk_err *err)
{
        char url[DEV_URL];
        snprintf(url, sizeof url, "postgresql://tasker@127.0.0.1:%u/%s", dev->pg_port, database);
        return tk_pg_open(&(struct tk_pg_conf){.url = url, .application_name = "tasker-dev"}, ret, err);
}

static int wait_up(struct dev *dev, struct tk_pg **ret, struct tk_err *err)
{
        int64_t deadline = tk_time_mono_ns() + START_TIMEOUT_NS;
        while (connect(dev, "postgres", ret, err)) {
                if (dev_process_ended(&dev->postgres)) {
                        dev_log_tail(stderr, dev->postgres.log, 20);
                        return TK_ERR(err, -ECHILD, "PostgreSQL ended; its log is %s", dev->postgres.log);
                }
                if (tk_time_mono_ns() > deadline)
                        return TK_ERR(err, -ETIMEDOUT, "PostgreSQL did not answer within 60 s; its log is %s",
                                      dev->postgres.log);
                tk_time_sleep(POLL_NS);
        }
        return 0;
}

static int make_database(struct tk_pg *pg, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(pg, &has_database, NULL, &res, err);
        if (!r && !tk_pg_rows(res))
                r = tk_pg_script(pg, "CREATE DATABASE tasker", err);
        return r ? -EIO : 0;
}

static int migrate(struct dev *dev, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_close) struct tk_pg *pg = NULL;
        struct tk_migrate_report report;
        if (connect(dev, "tasker", &pg, err))
                return -EIO;
        return tk_migrate(pg, NULL, false, &report, err) ? -EIO : 0;
}

/* The address our own services use: the socket costs less than loopback. The folder may have any name, so it is escaped. */
static void socket_url(const struct dev *dev, char ret[DEV_URL])
{
        int n = snprintf(ret, DEV_URL, "postgresql://tasker@/tasker?port=%u&host=", dev->pg_port);
        for (const char *c = dev->socket_dir; *c && n < DEV_URL; c++)
                n += snprintf(ret + n, DEV_URL - (size_t)n, isalnum((unsigned char)*c) || strchr("/-_.", *c) ? "%c" : "%%%02X", (unsigned char)*c);
}

int dev_postgres_start(struct dev *dev, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_close) struct tk_pg *pg = NULL;
        (void)tk_str_copy(dev->postgres.name, sizeof dev->postgres.name, "postgres");
        snprintf(dev->postgres.log, sizeof dev->postgres.log, "%.900s/logs/postgres.log", dev->data);
        int held = dev_port_hold(&dev->pg_port);
        snprintf(dev->pg_url, sizeof dev->pg_url, "postgresql://tasker@127.0.0.1:%u/tasker", dev->pg_port);
        socket_url(dev, dev->pg_socket_url);
        int r = init(dev, dev->postgres.log, err);
        if (!r)
                r = start(dev, err);
        if (!r)
                r = wait_up(dev, &pg, err);
        if (held >= 0)
                close(held);
        if (!r)
                r = make_database(pg, err);
        return r ? r : migrate(dev, err);
}

/* SIGINT is PostgreSQL's fast shutdown: sessions are ended, everything is written. */
void dev_postgres_stop(struct dev *dev, int64_t deadline_ns)
{
        dev_process_stop(&dev->postgres, SIGINT, deadline_ns);
        if (tk_str_starts(dev->socket_dir, "/tmp/tasker-pg-"))
                rmdir(dev->socket_dir);
}
