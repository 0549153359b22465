/* SPDX-License-Identifier: MIT */
/* tasker-micro: what the small parts cost. scripts/bench micro runs it. JSON lines on stdout. */
#include "micro.h"
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
        if (argc == 5 && !strcmp(argv[1], "cache"))
                return micro_cache(argv[2], argv[3], NULL, argv[4], 2000);
        if (argc == 5 && !strcmp(argv[1], "cache-forget"))
                return micro_cache(argv[2], "", argv[3], argv[4], 500);
        if (argc == 2 && !strcmp(argv[1], "sight")) {
                micro_sight();
                return 0;
        }
        if (argc != 2) {
                (void)fputs("usage: tasker-micro TEMPLATE.yaml\n"
                            "       tasker-micro sight\n"
                            "       tasker-micro cache HOST:PORT DIGEST[,DIGEST…] NAME\n"
                            "       tasker-micro cache-forget HOST:PORT NAMESPACE/NAME/VERSION NAME\n", stderr);
                return 2;
        }
        micro_formats();
        micro_threads();
        micro_sight();
        micro_shed();
        micro_resolver();
        micro_template(argv[1]);
        return 0;
}
