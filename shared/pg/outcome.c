/* SPDX-License-Identifier: MIT */
/* pg/outcome.c: the one map from SQLSTATE to outcomes. Longer prefixes come first. */
#include "base/str.h"
#include "pg/internal.h"

static const struct {
        const char *prefix;
        int outcome;
} states[] = {
        {"40", TK_PG_E_RETRY},       /* serialization failure, deadlock */
        {"55P03", TK_PG_E_RETRY},    /* lock not available */
        {"23505", TK_PG_E_UNIQUE},   /* unique violation */
        {"23P01", TK_PG_E_UNIQUE},   /* exclusion violation */
        {"22", TK_PG_E_DATA},
        {"23", TK_PG_E_DATA},
        {"54", TK_PG_E_DATA},        /* program limit exceeded: JSON nested too deeply */
        {"21", TK_PG_E_INTERNAL},    /* cardinality violation */
        {"P0", TK_PG_E_INTERNAL},    /* raised by a function of ours */
        {"XX", TK_PG_E_INTERNAL},    /* what the server did not expect: "invalid memory alloc request size" */
        {"57014", TK_PG_E_TIMEOUT},  /* query cancelled by statement_timeout */
        {"57P", TK_PG_E_DOWN},       /* shutdown, crash, not accepting connections */
        {"08", TK_PG_E_DOWN},
        {"53", TK_PG_E_DOWN},        /* out of connections, memory or disk: later, not never */
};

static int from_state(const char *state)
{
        for (size_t i = 0; i < tk_countof(states); i++)
                if (tk_str_starts(state, states[i].prefix))
                        return states[i].outcome;
        return TK_PG_E_SERVER;
}

int tk_pg_outcome(struct tk_pg *pg, const PGresult *res, const char *what, struct tk_err *err)
{
        const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
        const char *message = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
        const char *detail = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL) : NULL;
        bool gone = PQstatus(pg->conn) == CONNECTION_BAD;
        (void)tk_str_copy(pg->sqlstate, sizeof pg->sqlstate, state ? state : "");
        if (!message || !*message)
                message = PQerrorMessage(pg->conn);
        int len = (int)strcspn(message, "\n");
        return TK_ERR(err, gone ? TK_PG_E_DOWN : from_state(pg->sqlstate), "%s: %.*s%s%s%s%s%s", what, len, message,
                      detail ? " (" : "", detail ? detail : "", detail ? ")" : "",
                      *pg->sqlstate ? " SQLSTATE " : "", pg->sqlstate);
}

const char *tk_pg_sqlstate(const struct tk_pg *pg)
{
        return pg->sqlstate;
}

bool tk_pg_one_row(int outcome)
{
        return outcome == TK_PG_E_UNIQUE || outcome == TK_PG_E_DATA || outcome == TK_PG_E_INTERNAL;
}

const char *tk_pg_outcome_name(int outcome)
{
        static const char *const names[] = {"ok", "retry", "unique", "data", "down", "timeout", "server", "internal"};
        return outcome >= 0 && (size_t)outcome < tk_countof(names) ? names[outcome] : "fatal";
}
