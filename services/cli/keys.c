/* SPDX-License-Identifier: MIT */
/* cli/keys.c: see keys.h. */
#include "cli/keys.h"
#include "base/time.h"
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved; /* of the terminal we were started in */
static bool active;

bool cli_keys_begin(void)
{
        if (tcgetattr(STDIN_FILENO, &saved))
                return false;
        struct termios raw = saved;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO); /* Ctrl-C still is one */
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        active = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        return active && !atexit(cli_keys_end);
}

void cli_keys_end(void)
{
        if (active)
                (void)tcsetattr(STDIN_FILENO, TCSANOW, &saved);
        active = false;
}

char cli_keys_next(int64_t deadline_ns)
{
        int64_t left_ns = deadline_ns - tk_time_mono_ns();
        if (!active) {
                tk_time_sleep(left_ns > 0 ? left_ns : 0);
                return 0;
        }
        struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
        char key = 0;
        if (poll(&fd, 1, left_ns > 0 ? (int)(left_ns / TK_NS_PER_MS) + 1 : 0) > 0 && read(STDIN_FILENO, &key, 1) != 1)
                key = 'q'; /* the terminal is gone */
        return key;
}
