/* SPDX-License-Identifier: MIT */
/* cli/version.c: see version.h. */
#include "cli/version.h"

#include "base/str.h"
#include "json/json.h"

static int compare_numbers(const char *a, size_t a_len, const char *b, size_t b_len)
{
        for (; a_len > 1 && *a == '0'; a++)
                a_len--;
        for (; b_len > 1 && *b == '0'; b++)
                b_len--;
        return a_len != b_len ? (a_len < b_len ? -1 : 1) : memcmp(a, b, a_len);
}

int cli_version_compare(const char *a, const char *b)
{
        while (*a && *b) {
                size_t a_len = strspn(a, "0123456789"), b_len = strspn(b, "0123456789");
                int r = a_len && b_len ? compare_numbers(a, a_len, b, b_len)
                                       : (unsigned char)*a - (unsigned char)*b;
                if (r)
                        return r;
                a += a_len && b_len ? a_len : 1;
                b += a_len && b_len ? b_len : 1;
        }
        return *a ? 1 : *b ? -1 : 0;
}

const json_t *cli_version_pick(const json_t *templates, const char *ns, const char *name, const char *version,
                               const json_t **ret_other)
{
        const json_t *best = NULL, *entry;
        size_t at;

        *ret_other = NULL;
        json_array_foreach(templates, at, entry) {
                const char *its_ns = tk_json_str(entry, "namespace"),
                           *its_version = tk_json_str(entry, "version");
                if (!its_ns || !its_version || !tk_streq(tk_json_str(entry, "name"), name) ||
                    (ns && !tk_streq(its_ns, ns)) || (version && !tk_streq(its_version, version)))
                        continue;
                if (best && !tk_streq(tk_json_str(best, "namespace"), its_ns)) {
                        *ret_other = entry;
                        return NULL;
                }
                if (!best || cli_version_compare(its_version, tk_json_str(best, "version")) > 0)
                        best = entry;
        }
        return best;
}
