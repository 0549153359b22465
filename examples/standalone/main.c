/* SPDX-License-Identifier: MIT */
/* A worker with one handler: counts the words of a text. */
#include <string.h>
#include <tasker/worker.h>

static int count_words(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *text = tkw_str(tkw_input(ctx, "text"));
        int64_t length_min = 1, words = 0;
        if (!text)
                return tkw_permanent(result, "ValidationError", "text is required");
        (void)tkw_i64(tkw_config(ctx, "length_min"), &length_min); /* of the template; without it the default stays */

        for (const char *at = text; *at;) {
                size_t blank = strspn(at, " \t\r\n"), word = strcspn(at + blank, " \t\r\n");
                words += word > 0 && (int64_t)word >= length_min;
                at += blank + word;
        }
        tkw_put_i64(result, "words", words);
        tkw_log(ctx, TKW_INFO, "counted %lld words", (long long)words);
        return tkw_success(result);
}

int main(int argc, char **argv)
{
        static const struct tkw_handler handlers[] = {{.name = "count_words", .fn = count_words}};
        static const struct tkw_module module = {
                .abi = TKW_ABI, .name = "words", .version = "1.0.0", .handlers = handlers, .handlers_n = 1,
        };
        return tkw_worker_run(argc, argv, &module);
}
