/* SPDX-License-Identifier: MIT */
/* base/time.c: clocks, RFC 3339 and durations. Dates are the proleptic Gregorian calendar in UTC, computed
 * here instead of by the C library: no time zone data, no shared state. */
#include "base/time.h"
#include "base/check.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SECONDS_PER_DAY = 86400 };

static int64_t clock_ns(clockid_t clock)
{
        struct timespec now;

        TK_CHECK(clock_gettime(clock, &now) == 0);
        return now.tv_sec * TK_NS_PER_S + now.tv_nsec;
}

int64_t tk_time_mono_ns(void)
{
        return clock_ns(CLOCK_MONOTONIC);
}

int64_t tk_time_wall_ns(void)
{
        return clock_ns(CLOCK_REALTIME);
}

void tk_time_sleep(int64_t ns)
{
        struct timespec pause = {.tv_sec = ns / TK_NS_PER_S, .tv_nsec = ns % TK_NS_PER_S};

        (void)nanosleep(&pause, NULL);
}

/* Days since 1970-01-01. Years begin in March, so that the leap day is a year's last (Howard Hinnant's
 * algorithms). */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
        int64_t y = month <= 2 ? year - 1 : year;
        int64_t era = (y >= 0 ? y : y - 399) / 400;
        int64_t year_of_era = y - era * 400;
        int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

        return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
        int64_t z = days + 719468;
        int64_t era = (z >= 0 ? z : z - 146096) / 146097;
        int64_t day_of_era = z - era * 146097;
        int64_t year_of_era =
                (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        int64_t month_from_march = (5 * day_of_year + 2) / 153;

        *ret_day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
        *ret_month = (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
        *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

void tk_time_format(int64_t wall_ns, int digits, char ret_text[TK_TIME_TEXT])
{
        int64_t seconds = wall_ns / TK_NS_PER_S, fraction = wall_ns % TK_NS_PER_S, year;
        unsigned month, day, rest;
        int n;

        if (fraction < 0) {
                fraction += TK_NS_PER_S;
                seconds--;
        }
        date_from_days((seconds - (seconds % SECONDS_PER_DAY < 0 ? SECONDS_PER_DAY - 1 : 0)) /
                               SECONDS_PER_DAY,
                       &year, &month, &day);
        rest = (unsigned)((seconds % SECONDS_PER_DAY + SECONDS_PER_DAY) % SECONDS_PER_DAY);
        n = snprintf(ret_text, TK_TIME_TEXT, "%04d-%02u-%02uT%02u:%02u:%02u.%09u", (int)year, month, day,
                     rest / 3600, rest / 60 % 60, rest % 60, (unsigned)fraction);
        TK_CHECK(n > 10 && n < TK_TIME_TEXT - 1 && digits >= 0 && digits <= 9);
        n -= digits ? 9 - digits : 10; /* the dot goes with the last digit */
        ret_text[n] = 'Z';
        ret_text[n + 1] = 0;
}

/* Reads exactly `count` digits and moves *at behind them. */
static bool take_digits(const char **at, int count, unsigned *ret_value)
{
        unsigned value = 0;

        for (; count; count--, (*at)++) {
                if (!isdigit((unsigned char)**at))
                        return false;
                value = value * 10 + (unsigned)(**at - '0');
        }
        *ret_value = value;
        return true;
}

static bool take_char(const char **at, const char *any_of)
{
        if (!**at || !strchr(any_of, **at))
                return false;
        (*at)++;
        return true;
}

static bool take_date(const char **at, int64_t *ret_days)
{
        static const unsigned char month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        unsigned year, month, day;
        bool leap;

        if (!take_digits(at, 4, &year) || !take_char(at, "-") || !take_digits(at, 2, &month) ||
            !take_char(at, "-") || !take_digits(at, 2, &day))
                return false;
        leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (month < 1 || month > 12 || day < 1 ||
            day > month_days[month - 1] + (month == 2 && leap ? 1U : 0U))
                return false;
        *ret_days = days_from_date(year, month, day);
        return true;
}

/* A second of 60 is a leap second and becomes the next minute's first. Digits beyond nanoseconds are dropped.
 */
static bool take_clock(const char **at, int64_t *ret_ns)
{
        unsigned hour, minute, second;
        int64_t ns = 0, weight = TK_NS_PER_S / 10;

        if (!take_digits(at, 2, &hour) || !take_char(at, ":") || !take_digits(at, 2, &minute) ||
            !take_char(at, ":") || !take_digits(at, 2, &second) || hour > 23 || minute > 59 || second > 60)
                return false;
        if (take_char(at, ".,")) {
                if (!isdigit((unsigned char)**at))
                        return false;
                for (; isdigit((unsigned char)**at); (*at)++, weight /= 10)
                        ns += (**at - '0') * weight;
        }
        *ret_ns = (hour * INT64_C(3600) + minute * INT64_C(60) + second) * TK_NS_PER_S + ns;
        return true;
}

/* "Z", "+01", "+0100", "+01:00" or nothing (UTC). */
static bool take_zone(const char **at, int64_t *ret_seconds)
{
        bool west = **at == '-';
        unsigned hours, minutes = 0;

        *ret_seconds = 0;
        if (!**at || take_char(at, "Zz"))
                return true;
        if (!take_char(at, "+-") || !take_digits(at, 2, &hours))
                return false;
        if ((take_char(at, ":") || **at) && !take_digits(at, 2, &minutes))
                return false;
        if (hours > 23 || minutes > 59)
                return false;
        *ret_seconds = (int64_t)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
        return true;
}

int tk_time_parse(const char *text, int64_t *ret_wall_ns)
{
        int64_t days, clock, zone, ns;

        if (!take_date(&text, &days) || !take_char(&text, "Tt ") || !take_clock(&text, &clock) ||
            !take_zone(&text, &zone) || *text)
                return -EINVAL;
        if (__builtin_mul_overflow(days * SECONDS_PER_DAY - zone, TK_NS_PER_S, &ns) ||
            __builtin_add_overflow(ns, clock, &ns))
                return -EINVAL; /* outside of 1677..2262 */
        *ret_wall_ns = ns;
        return 0;
}

int tk_time_duration_parse(const char *text, int64_t *ret_ns)
{
        static const struct {
                const char *unit;
                int64_t ns;
        } units[] = {{"", TK_NS_PER_S},         {"ns", 1},
                     {"us", TK_NS_PER_US},      {"ms", TK_NS_PER_MS},
                     {"s", TK_NS_PER_S},        {"m", 60 * TK_NS_PER_S},
                     {"h", 3600 * TK_NS_PER_S}, {"d", SECONDS_PER_DAY * TK_NS_PER_S}};
        long long value;
        char *end;

        if (!isdigit((unsigned char)*text))
                return -EINVAL;
        errno = 0;
        value = strtoll(text, &end, 10);
        for (size_t i = 0; i < tk_countof(units); i++) {
                if (strcmp(end, units[i].unit) != 0)
                        continue;
                if (errno == ERANGE || __builtin_mul_overflow((int64_t)value, units[i].ns, ret_ns))
                        return -ERANGE;
                return 0;
        }
        return -EINVAL;
}
