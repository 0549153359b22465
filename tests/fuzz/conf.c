/* SPDX-License-Identifier: MIT */
/* Configuration of the orchestrator: a file; after the first NUL "key=value" as on the command line, after the second one the value of an
 * environment variable. What was accepted can be printed, and reads back as the same. */
#include "fuzz/fuzz.h"
#include "base/mem.h"
#include "conf/rows.h"
#include "orchestrator/app.h"
#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MASK "********"

enum { PARTS = 3, PATH_BYTES = 64 };

static const struct tk_conf_row rows[] = {
#define CONF(...) TK_CONF_ROW(struct orch_conf, __VA_ARGS__)
#include "orchestrator/tbl/conf.h"
#undef CONF
};

/* Loads a file of this text. */
static int load(const char *text, size_t len, const char *const *sets, struct orch_conf *ret, struct tk_err *err)
{
        static int fd = -1;
        char path[PATH_BYTES];
        if (fd < 0)
                TK_CHECK((fd = memfd_create("conf", 0)) >= 0);
        TK_CHECK(!ftruncate(fd, 0) && pwrite(fd, text, len, 0) == (ssize_t)len);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        memset(ret, 0, sizeof *ret);
        return tk_conf_load(rows, tk_countof(rows), ret, path, sets, err);
}

static void print(const struct orch_conf *conf, struct tk_buf *yaml, struct tk_buf *json)
{
        tk_buf_init(yaml, SIZE_MAX / 2);
        tk_buf_init(json, SIZE_MAX / 2);
        tk_conf_dump(rows, tk_countof(rows), conf, yaml);
        tk_conf_dump_json(rows, tk_countof(rows), conf, json);
}

/* A printed configuration is one: with the secrets masked, so those are not compared. */
static void reads_back(const struct tk_buf *yaml, const struct tk_buf *json)
{
        TK_AUTOBUF struct tk_buf yaml_again = {0}, json_again = {0};
        struct orch_conf again;
        struct tk_err err = {0};
        if (load(yaml->data, yaml->len, NULL, &again, &err)) { /* a mask may be longer than a secret in a text that is as long as it may be */
                TK_CHECK(strstr(yaml->data, MASK) && strstr(tk_err_text(&err), "length"));
                return;
        }
        print(&again, &yaml_again, &json_again);
        TK_CHECK(tk_streq(yaml->data, yaml_again.data) && tk_streq(json->data, json_again.data));
        tk_conf_deinit(rows, tk_countof(rows), &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
        char *parts[PARTS] = {0};
        size_t lens[PARTS] = {0}, at = 0;
        for (size_t i = 0; i < PARTS; i++) {
                size_t n = strnlen((const char *)data + at, len - at);
                parts[i] = tk_zalloc(n + 1);
                memcpy(parts[i], data + at, lens[i] = n);
                at = at + n + (at + n < len);
        }
        const char *sets[] = {lens[1] ? parts[1] : NULL, NULL};
        TK_CHECK(!setenv("TASKER_SHEDDING_PERCENT", parts[2], 1) && !setenv("DATABASE_URL", parts[2], 1));
        struct orch_conf conf;
        struct tk_err err = {0};
        int r = load(parts[0], lens[0], sets, &conf, &err);
        TK_CHECK(!unsetenv("TASKER_SHEDDING_PERCENT") && !unsetenv("DATABASE_URL"));
        if (r) {
                TK_CHECK(*tk_err_text(&err));
        } else {
                TK_AUTOBUF struct tk_buf yaml, json;
                print(&conf, &yaml, &json);
                if (!strstr(yaml.data, "${")) /* would be a variable when it is read from a file */
                        reads_back(&yaml, &json);
                tk_conf_deinit(rows, tk_countof(rows), &conf);
        }
        for (size_t i = 0; i < PARTS; i++)
                tk_free(parts[i]);
        return 0;
}
