/* settings.c - what eventscope.conf may hold, and the starter file made of it. */
#include <string.h>

#include "cli/setup.h"

#define YES_NO "true|false"

const struct evs_opt evs_settings_defaults[] = {
    {0, "cluster", EVS_OPT_STR, "NAME", NULL, "the profile that is used when none is named"},
    {0, "theme", EVS_OPT_STR, "NAME", "default", "colours of the interface"},
    {0, "timeout", EVS_OPT_DURATION, "DURATION", "10s", "longest wait for one cluster request"},
    {0, "isolation", EVS_OPT_CHOICE, "LEVEL", "read_committed", "which records are seen",
     "read_committed|read_uncommitted"},
    {0, "utc", EVS_OPT_CHOICE, "true|false", "false", "times in UTC instead of the local zone",
     YES_NO},
    {0, "ascii", EVS_OPT_CHOICE, "true|false", "false", "draw with ASCII characters only", YES_NO},
    {0, "color", EVS_OPT_CHOICE, "true|false", "true", "colours at all", YES_NO},
    {0, "mouse", EVS_OPT_CHOICE, "true|false", "true", "the interface takes the mouse", YES_NO},
    {0},
};

const struct evs_opt evs_settings_cluster[] = {
    {0, "brokers", EVS_OPT_STR, "HOST:PORT,...", NULL, "bootstrap brokers"},
    {0, "production", EVS_OPT_CHOICE, "true|false", "false", "marks every screen with PROD",
     YES_NO},
    {0, "read-only", EVS_OPT_CHOICE, "true|false", "false", "no write at all; nothing overrides it",
     YES_NO},
    {0, "password_command", EVS_OPT_STR, "COMMAND", NULL,
     "its first line is the password (sasl.password)"},
    {0, "groups", EVS_OPT_STR, "NAME,...", NULL,
     "consumer groups that lag and Groups show; no permission to list is needed"},
    {0, "theme", EVS_OPT_STR, "NAME", "default", "colours on this cluster"},
    {0, "timeout", EVS_OPT_DURATION, "DURATION", "10s", "longest wait for one request here"},
    {0, "isolation", EVS_OPT_CHOICE, "LEVEL", "read_committed", "which records are seen here",
     "read_committed|read_uncommitted"},
    {0},
};

const struct evs_opt evs_settings_sink[] = {
    {0, "url", EVS_OPT_STR, "URL", NULL,
     "where a replay writes, such as postgresql://etl@db1/shop"},
    {0, "target", EVS_OPT_STR, "NAME", NULL, "table, key prefix, index or topic"},
    {0},
};

static void add_rows(struct evs_buf *out, const struct evs_opt *rows)
{
    for (const struct evs_opt *r = rows; r->name; r++)
        evs_buf_printf(out, "# %s\n#%s = %s\n", r->help, r->name, r->def ? r->def : r->arg);
}

void evs_setup_starter(struct evs_buf *out)
{
    evs_buf_adds(out,
                 "# eventscope.conf: every setting, with its default; a # at the line start is a "
                 "comment.\n# Values may hold ${env:NAME} and ${file:PATH}.\n\n[defaults]\n");
    add_rows(out, evs_settings_defaults);
    evs_buf_adds(out, "\n# One section a cluster; eventscope -C local uses it.\n[cluster local]\n"
                      "brokers = localhost:9092\n");
    add_rows(out, evs_settings_cluster + 1);
    evs_buf_adds(
        out, "# Any property of librdkafka:\n#security.protocol = SASL_SSL\n"
             "#sasl.mechanism = SCRAM-SHA-512\n#sasl.username = me\n"
             "#sasl.password = ${env:KAFKA_PASSWORD}\n#ssl.ca.location = /etc/ssl/kafka-ca.pem\n"
             "\n# Sinks that the replay form offers.\n#[sink warehouse]\n");
    add_rows(out, evs_settings_sink);
}
