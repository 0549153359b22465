/* SPDX-License-Identifier: MIT */
/* json/number.c: finds the fewest digits by trying: print with n digits, read back, compare. */
#include "json/number.h"
#include "base/check.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 17, DIGITS_SURE = 15 /* any decimal of so many digits survives a normal double */ };

struct decimal { /* 0.DIGITS × 10^point */
        char digits[DIGITS_MAX + 1];
        int count, point;
};

static double decimal_value(const struct decimal *decimal)
{
        char text[TK_JSON_NUMBER_TEXT];

        snprintf(text, sizeof text, "0.%se%d", decimal->digits, decimal->point);
        return strtod(text, NULL);
}

static struct decimal decimal_rounded(double value, int count)
{
        struct decimal decimal = {.count = count};
        char text[TK_JSON_NUMBER_TEXT];

        snprintf(text, sizeof text, "%.*e", count - 1, value); /* d.ddde±xx */
        decimal.digits[0] = text[0];
        if (count > 1)
                memcpy(decimal.digits + 1, text + 2, (size_t)count - 1);
        decimal.point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
        return decimal;
}

/* One more in the last digit; false when that carries beyond the first. */
static bool decimal_increment(struct decimal *decimal)
{
        int at = decimal->count - 1;

        for (; at >= 0 && decimal->digits[at] == '9'; at--)
                decimal->digits[at] = '0';
        if (at < 0)
                return false;
        decimal->digits[at]++;
        return true;
}

/* A power of two has a wider gap above than below, so the nearest decimal of n digits may read back as its
 * neighbour below while the next decimal up reads back right: that one is tried as well. */
static struct decimal decimal_shortest(double value)
{
        int exponent;
        bool power_of_two = frexp(value, &exponent) == 0.5;

        for (int count = isnormal(value) ? DIGITS_SURE : 1; count <= DIGITS_MAX; count++) {
                struct decimal decimal = decimal_rounded(value, count);

                if (decimal_value(&decimal) == value)
                        return decimal;
                if (power_of_two && decimal_increment(&decimal) && decimal_value(&decimal) == value)
                        return decimal;
        }
        TK_BUG("17 digits name every double");
}

static void decimal_trim(struct decimal *decimal)
{
        while (decimal->count > 1 && decimal->digits[decimal->count - 1] == '0')
                decimal->digits[--decimal->count] = 0;
}

void tk_json_number_format(double value, char ret_text[TK_JSON_NUMBER_TEXT])
{
        const char *sign = value < 0 ? "-" : "";
        struct decimal decimal;
        const char *digits;
        int count, point;

        TK_CHECK(isfinite(value));
        if (value == 0) {
                memcpy(ret_text, "0", 2);
                return;
        }
        decimal = decimal_shortest(fabs(value));
        decimal_trim(&decimal);
        digits = decimal.digits;
        count = decimal.count;
        point = decimal.point;
        if (count <= point && point <= 21)
                snprintf(ret_text, TK_JSON_NUMBER_TEXT, "%s%s%.*s", sign, digits, point - count,
                         "000000000000000000000");
        else if (0 < point && point <= 21)
                snprintf(ret_text, TK_JSON_NUMBER_TEXT, "%s%.*s.%s", sign, point, digits, digits + point);
        else if (-6 < point && point <= 0)
                snprintf(ret_text, TK_JSON_NUMBER_TEXT, "%s0.%.*s%s", sign, -point, "00000", digits);
        else
                snprintf(ret_text, TK_JSON_NUMBER_TEXT, "%s%c%s%se%+d", sign, digits[0], count > 1 ? "." : "",
                         digits + 1, point - 1);
}
