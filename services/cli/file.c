/* SPDX-License-Identifier: MIT */
/* cli/file.c: see file.h. */
#include "cli/file.h"

#include "base/str.h"
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>

enum { JSON_MAX = 2 << 20 };

int cli_file_read(const char *path, struct tk_buf *buf, struct tk_err *err)
{
        FILE *file = tk_streq(path, "-") ? stdin : fopen(path, "re");
        char piece[65536];
        size_t n;

        if (!file)
                return TK_ERR(err, -errno, "cannot open %s: %s", path, strerror(errno));
        errno = 0;
        while ((n = fread(piece, 1, sizeof piece, file)) && !tk_buf_failed(buf))
                tk_buf_put(buf, piece, n);
        int r = ferror(file) ? -(errno ? errno : EIO) : 0;
        if (file != stdin)
                fclose(file);
        if (r)
                return TK_ERR(err, r, "cannot read %s: %s", path, strerror(-r));
        return tk_buf_failed(buf) ? TK_ERR(err, -E2BIG, "%s is larger than %zu bytes", path, buf->max) : 0;
}

int cli_file_json(const char *text, json_t **ret, struct tk_err *err)
{
        static const struct tk_json_limits limits = {JSON_MAX, 64, 100000, JSON_MAX};
        const char *from = tk_streq(text, "-") ? text : *text == '@' ? text + 1 : NULL;
        TK_AUTOBUF struct tk_buf buf;

        tk_buf_init(&buf, JSON_MAX);
        if (!from)
                tk_buf_puts(&buf, text);
        else if (cli_file_read(from, &buf, err) < 0)
                return -EIO;
        return tk_json_parse(tk_buf_str(&buf), buf.len, &limits, ret, err) ? -EINVAL : 0;
}

static bool is_yaml(const char *name)
{
        const char *dot = strrchr(name, '.');

        return dot && (tk_streq(dot, ".yaml") || tk_streq(dot, ".yml"));
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int walk(FTS *tree, const char *root, struct tk_arena *arena, const char **list, unsigned *n,
                struct tk_err *err)
{
        FTSENT *entry;

        while ((errno = 0, entry = fts_read(tree))) {
                if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS)
                        return TK_ERR(err, -entry->fts_errno, "cannot read %s: %s", entry->fts_path,
                                      strerror(entry->fts_errno));
                if (entry->fts_info != FTS_F || (entry->fts_level > 0 && !is_yaml(entry->fts_name)))
                        continue;
                if (*n == CLI_FILE_LIST_MAX)
                        return TK_ERR(err, -E2BIG, "more than %d templates below %s", CLI_FILE_LIST_MAX,
                                      root);
                list[(*n)++] = tk_arena_strdup(arena, entry->fts_path);
        }
        return errno ? TK_ERR(err, -errno, "cannot read %s: %s", root, strerror(errno)) : 0;
}

int cli_file_list(const char *path, struct tk_arena *arena, const char ***ret, unsigned *ret_n,
                  struct tk_err *err)
{
        char *const roots[] = {tk_arena_strdup(arena, path), NULL};
        const char **list = TK_ARENA_ARRAY(arena, const char *, CLI_FILE_LIST_MAX);
        FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
        unsigned n = 0;

        if (!tree)
                return TK_ERR(err, -errno, "cannot read %s: %s", path, strerror(errno));
        int r = walk(tree, path, arena, list, &n, err);
        fts_close(tree);
        if (r)
                return r;
        if (!n)
                return TK_ERR(err, -ENOENT, "no *.yaml or *.yml below %s", path);
        qsort(list, n, sizeof *list, by_name);
        *ret = list;
        *ret_n = n;
        return 0;
}
