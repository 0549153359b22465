/* SPDX-License-Identifier: MIT */
/* worker/core/sources.c: see the header. */
#include "worker/core/sources.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SOURCES_BYTES_MAX = 64 << 20 };

static bool is_yaml(const char *name)
{
        const char *dot = strrchr(name, '.');
        return dot && (tk_streq(dot, ".yaml") || tk_streq(dot, ".yml"));
}

/* 0, or -errno. */
static int read_file(const char *path, struct tk_buf *buf)
{
        char chunk[16 * 1024];
        FILE *file = fopen(path, "re");
        if (!file)
                return -errno;
        for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0 && !tk_buf_failed(buf);)
                tk_buf_put(buf, chunk, n);
        int r = ferror(file) ? -EIO : tk_buf_failed(buf) ? -EFBIG : 0;
        fclose(file);
        return r;
}

static void set_problem(struct work_source *source, const struct tk_err *err)
{
        source->problem = tk_strdup(tk_err_text(err));
}

static void load_source(struct work_source *source, const char *environment)
{
        TK_AUTOBUF struct tk_buf buf;
        struct tk_err err = {0};
        tk_buf_init(&buf, TK_TEMPLATE_BYTES_MAX);
        source->loaded_ns = tk_time_wall_ns();
        int r = read_file(source->file, &buf);
        if (r) {
                (void)TK_ERR(&err, r, "%s: %s", source->file, r == -EFBIG ? "larger than 4 MiB" : strerror(-r));
                set_problem(source, &err);
                return;
        }
        source->len = buf.len;
        source->yaml = tk_buf_take(&buf);
        if (tk_template_parse_yaml(source->file, source->yaml, source->len, environment, &source->tpl, &err)) {
                source->tpl = NULL;
                set_problem(source, &err);
        }
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk(struct work_sources *sources, FTS *fts, struct tk_err *err)
{
        size_t bytes = 0;
        for (FTSENT *at; (at = fts_read(fts));) {
                if (at->fts_info == FTS_DNR || at->fts_info == FTS_ERR || (at->fts_info == FTS_NS && !at->fts_level))
                        return TK_ERR(err, -at->fts_errno, "templates.path: %s: %s", at->fts_path, strerror(at->fts_errno));
                if (at->fts_info != FTS_F || !is_yaml(at->fts_name))
                        continue;
                if (sources->n == WORK_SOURCES_MAX)
                        return TK_ERR(err, -E2BIG, "templates.path: more than %d template files", WORK_SOURCES_MAX);
                sources->list[sources->n].file = tk_strdup(at->fts_path);
                bytes += (size_t)at->fts_statp->st_size;
                sources->n++;
                if (bytes > SOURCES_BYTES_MAX)
                        return TK_ERR(err, -E2BIG, "templates.path: more than %d MiB of template files",
                                      SOURCES_BYTES_MAX >> 20);
        }
        return 0;
}

static int find_files(struct work_sources *sources, const char *dir, struct tk_err *err)
{
        TK_AUTOFREE char *root = tk_strdup(dir);
        char *roots[] = {root, NULL};
        if (!*dir)
                return 0;
        FTS *fts = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
        if (!fts)
                return TK_ERR(err, -errno, "templates.path: %s: %s", dir, strerror(errno));
        int r = walk(sources, fts, err);
        fts_close(fts);
        return r;
}

static int add_namespace(struct work_sources *sources, const char *ns, struct tk_err *err)
{
        for (size_t i = 0; i < sources->namespaces_n; i++)
                if (tk_streq(sources->namespaces[i], ns))
                        return 0;
        if (sources->namespaces_n == WORK_SOURCE_NAMESPACES_MAX)
                return TK_ERR(err, -E2BIG, "a worker serves at most %d namespaces", WORK_SOURCE_NAMESPACES_MAX);
        sources->namespaces[sources->namespaces_n++] = ns;
        return 0;
}

static int collect(struct work_sources *sources, const char *dir, const char *environment,
                   const struct tk_conf_list *extra, struct tk_err *err)
{
        int r = find_files(sources, dir, err);
        for (size_t i = 0; i < extra->count && !r; i++)
                r = add_namespace(sources, extra->items[i], err);
        for (size_t i = 0; i < sources->n && !r; i++) {
                load_source(&sources->list[i], environment);
                if (!sources->list[i].tpl)
                        continue;
                sources->valid++;
                r = add_namespace(sources, sources->list[i].tpl->ns, err);
        }
        return r;
}

int work_sources_load(struct work_sources *ret, const char *dir, const char *environment,
                      const struct tk_conf_list *extra, struct tk_err *err)
{
        struct work_sources sources = {
                .list = tk_calloc(WORK_SOURCES_MAX, sizeof *sources.list),
                .namespaces = tk_calloc(WORK_SOURCE_NAMESPACES_MAX, sizeof *sources.namespaces),
        };
        int r = collect(&sources, dir, environment, extra, err);
        if (r)
                work_sources_free(&sources);
        else
                *ret = sources;
        return r;
}

void work_sources_free(struct work_sources *sources)
{
        for (size_t i = 0; i < sources->n; i++) {
                struct work_source *source = &sources->list[i];
                tk_free(source->file);
                tk_free(source->yaml);
                tk_free(source->problem);
                tk_template_free(source->tpl);
        }
        tk_free(sources->list);
        tk_free(sources->namespaces);
        *sources = (struct work_sources){0};
}

const struct work_source *work_sources_find(const struct work_sources *sources, const char *ns, const char *name,
                                            const char *version)
{
        for (size_t i = 0; i < sources->n; i++) {
                const struct tk_template *tpl = sources->list[i].tpl;
                if (tpl && tk_streq(tpl->ns, ns) && tk_streq(tpl->name, name) && tk_streq(tpl->version, version))
                        return &sources->list[i];
        }
        return NULL;
}

const struct work_source *work_sources_by_digest(const struct work_sources *sources, const char *digest)
{
        for (size_t i = 0; i < sources->n; i++)
                if (sources->list[i].tpl && tk_streq(sources->list[i].tpl->digest, digest))
                        return &sources->list[i];
        return NULL;
}
