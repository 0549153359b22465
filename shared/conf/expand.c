/* SPDX-License-Identifier: MIT */
/* conf/expand.c: only "${" starts anything, so passwords may contain a bare dollar. Defaults are plain text.
 */
#include "conf/expand.h"
#include "base/mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char name_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

/* The text between the braces. */
static int put_variable(const char *inside, size_t len, struct tk_buf *out, struct tk_err *err)
{
        size_t name_len = strspn(inside, name_chars);
        TK_AUTOFREE char *name = tk_strndup(inside, name_len < len ? name_len : len);
        const char *value = getenv(name), *rest = inside + name_len;
        bool fallback = len >= name_len + 2 && rest[0] == ':' && rest[1] == '-';

        if (!name_len || (len > name_len && !fallback))
                return TK_ERR(err, -EINVAL, "\"${%.*s}\" is neither ${NAME} nor ${NAME:-default}",
                              (int)(len < 64 ? len : 64), inside);
        if (value && (*value || !fallback))
                tk_buf_puts(out, value);
        else if (fallback)
                tk_buf_put(out, rest + 2, len - name_len - 2);
        else
                return TK_ERR(err, -EINVAL, "the environment has no variable %.64s, and no default is given",
                              name);
        return 0;
}

int tk_conf_expand(const char *text, struct tk_buf *out, struct tk_err *err)
{
        for (const char *open; (open = strstr(text, "${"));) {
                const char *close = strchr(open, '}');
                int result;

                if (!close)
                        return TK_ERR(err, -EINVAL, "\"${\" without \"}\"");
                tk_buf_put(out, text, (size_t)(open - text));
                result = put_variable(open + 2, (size_t)(close - open - 2), out, err);
                if (result)
                        return result;
                text = close + 1;
        }
        tk_buf_puts(out, text);
        return 0;
}
