/* doctor_rights.c - the library's known defects, and what this user may do. */
#include <stdio.h>
#include <string.h>

#include "kafka/client.h"
#include "kafka/configs.h"
#include "kafka/doctor_int.h"
#include "kafka/groups.h"
#include "kafka/peek.h"

enum { FIX_LEN = 400, PEEK_MS = 5000 };

/* The first topic worth trying: the named one, else one that is not internal. */
static const struct evs_meta_topic *some_topic(const struct evs_doctor *d)
{
    if (d->opts->topic)
        return evs_meta_topic(d->meta, d->opts->topic);
    for (int i = 0; i < d->meta->n_topics; i++)
        if (!d->meta->topics[i].internal && d->meta->topics[i].n_partitions)
            return &d->meta->topics[i];
    return NULL;
}

static const char *acl(const struct evs_doctor *d, char *to, const char *operation,
                       const char *resource)
{
    const char *user = evs_client_conf_get(d->conf, "sasl.username");
    snprintf(to, FIX_LEN, "kafka-acls.sh --add --allow-principal User:%s --operation %s %s",
             user ? user : "NAME", operation, resource);
    return to;
}

/* An old or embedded broker; no permission would help. */
static bool is_unsupported(const char *why)
{
    return strstr(why, "does not support") != NULL;
}

/* --- permissions ------------------------------------------------------------------------------ */

static void try_read(struct evs_doctor *d, const struct evs_meta_topic *t)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_peek *peek = NULL;
    char fix[FIX_LEN], resource[300];
    struct evs_peek_ask ask = {.topic = t->name, .to = INT64_MAX, .max = 1};
    struct evs_offset_ask low = {.topic = t->name, .ts_ms = EVS_TS_BEGINNING};
    snprintf(resource, sizeof(resource), "--topic %.250s", t->name);
    acl(d, fix, "Read", resource);
    enum evs_rc rc = evs_meta_offsets(d->client, &low, 1, EVS_READ_UNCOMMITTED, NULL, &err);
    if (!rc && low.native) {
        evs_doctor_say(d, "read", EVS_STEP_FAILED, fix, "offsets of %s: %s", t->name,
                       evs_meta_error_text(low.native));
        return;
    }
    if (!rc)
        rc = evs_peek_open(d->client, EVS_READ_UNCOMMITTED, &peek, &err);
    ask.offset = low.offset > 0 ? low.offset : 0;
    if (!rc)
        rc = evs_peek_run(peek, &ask, 1, PEEK_MS, &err);
    evs_peek_close(peek);
    if (rc)
        evs_doctor_say(d, "read", EVS_STEP_FAILED, fix, "records of %s: %s", t->name, err.msg);
    else if (ask.native)
        evs_doctor_say(d, "read", EVS_STEP_FAILED, fix, "records of %s: %s", t->name,
                       evs_meta_error_text(ask.native));
    else
        evs_doctor_say(d, "read", EVS_STEP_OK, NULL, "browse, keys, trace, replay: %s can be read",
                       t->name);
}

static void try_configs(struct evs_doctor *d, const struct evs_meta_topic *t)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_topic_config config = {.topic = t->name};
    char fix[FIX_LEN], resource[300];
    snprintf(resource, sizeof(resource), "--topic %.250s", t->name);
    enum evs_rc rc = evs_topic_configs(d->client, &config, 1, &err);
    const char *why = rc ? err.msg : config.error;
    if (why && is_unsupported(why))
        evs_doctor_say(d, "configs", EVS_STEP_NOTE, NULL, "settings of %s: %s", t->name, why);
    else if (why)
        evs_doctor_say(d, "configs", EVS_STEP_NOTE, acl(d, fix, "DescribeConfigs", resource),
                       "settings of %s: %s (retention and cleanup stay unknown)", t->name, why);
    else
        evs_doctor_say(d, "configs", EVS_STEP_OK, NULL, "settings of %s can be read", t->name);
    if (!rc)
        evs_topic_configs_done(&config, 1);
}

struct asked {
    struct evs_doctor *d;
    const char *group;
};

static void got_offsets(void *ctx, size_t ask, const struct evs_group_offset *o, size_t n)
{
    struct asked *a = ctx;
    (void)ask;
    (void)o;
    evs_doctor_say(a->d, "lag", EVS_STEP_OK, NULL, "%s: %zu committed offsets can be read",
                   a->group, n);
}

static void no_offsets(void *ctx, size_t ask, const struct evs_err *err)
{
    struct asked *a = ctx;
    char fix[FIX_LEN], resource[300];
    (void)ask;
    snprintf(resource, sizeof(resource), "--group %.250s", a->group);
    evs_doctor_say(a->d, "lag", EVS_STEP_FAILED, acl(a->d, fix, "Describe", resource),
                   "offsets of group %s: %s", a->group, err->msg);
}

static void try_groups(struct evs_doctor *d)
{
    static const struct evs_groups_ops ops = {.offsets = got_offsets, .offsets_failed = no_offsets};
    struct evs_err err = EVS_ERR_INIT;
    struct evs_groups *pool = NULL;
    struct evs_group_list list = {0};
    char fix[FIX_LEN];
    enum evs_rc rc = evs_groups_open(d->client, 1, &pool, &err);
    if (!rc)
        rc = evs_groups_list(pool, &list, &err);
    if (rc && is_unsupported(err.msg))
        evs_doctor_say(d, "groups", EVS_STEP_NOTE, "name groups with --group", "%s", err.msg);
    else if (rc)
        evs_doctor_say(d, "groups", EVS_STEP_FAILED, acl(d, fix, "Describe", "--cluster"),
                       "%s; named groups (--group) may still work", err.msg);
    else if (!list.n)
        evs_doctor_say(d, "groups", EVS_STEP_NOTE, acl(d, fix, "Describe", "--cluster"),
                       "no group is seen: there is none, or this user may see none");
    else
        evs_doctor_say(d, "groups", EVS_STEP_OK, NULL, "%zu groups are seen", list.n);
    struct asked a = {d, d->opts->group ? d->opts->group : list.n ? list.groups[0].name : NULL};
    struct evs_group_ask ask = {a.group, .offsets = true};
    if (pool && a.group && evs_groups_ask(pool, &ask, 1, &ops, &a, d->opts->stop, NULL, &err))
        evs_doctor_say(d, "lag", EVS_STEP_FAILED, NULL, "offsets of group %s: %s", a.group,
                       err.msg);
    evs_group_list_done(&list);
    evs_groups_close(pool);
}

void evs_doctor_permissions(struct evs_doctor *d)
{
    const struct evs_meta_topic *t = some_topic(d);
    char fix[FIX_LEN];
    if (t && t->error)
        evs_doctor_say(d, "read", EVS_STEP_FAILED, acl(d, fix, "Read", "--topic NAME"),
                       "topic %s: %s", t->name, t->error);
    else if (t) {
        try_read(d, t);
        try_configs(d, t);
    } else if (d->opts->topic) {
        char resource[300];
        snprintf(resource, sizeof(resource), "--topic %.250s", d->opts->topic);
        evs_doctor_say(d, "read", EVS_STEP_FAILED, acl(d, fix, "Read", resource),
                       "topic %s is not seen: it does not exist, or this user may not see it",
                       d->opts->topic);
    } else {
        evs_doctor_say(d, "read", EVS_STEP_NOTE, acl(d, fix, "Read", "--topic NAME"),
                       "no topic is seen: there is none, or this user may see none");
    }
    try_groups(d);
    evs_doctor_say(d, "write", EVS_STEP_NOT_TRIED, NULL,
                   "not tried: doctor never writes; a replay into Kafka needs Write on its topic");
}

/* --- the library ------------------------------------------------------------------------------ */

struct defect {
    int since, fixed; /* 0x020000 is 2.0.0 */
    const char *what;
};

/* From librdkafka's CHANGELOG; those that an inspector meets. */
static const struct defect defects[] = {
    {0x020000, 0x020100,
     "batch reading may skip records after pause and resume (#4208); not used here"},
    {0, 0x020003,
     "a group's coordinator that moves ends the process that asks for offsets; avoided here"},
    {0, 0x020100, "no detection of a log that was cut (KIP-320)"},
    {0, 0x020200,
     "OpenSSL 3: a connection closed uncleanly counts as a TLS failure (#4294); retried"},
    {0, 0x020300, "offsets of groups are incomplete with brokers before 2.4"},
    {0, 0x020400, "records may come twice after a resume (#4636); those are dropped and counted"},
    {0, 0x020601, "SCRAM sends the nonce twice: strict brokers refuse the login"},
    {0, 0x020601, "closing may wait for a deleted partition (#4724); bounded here to 5 s"},
    {0, 0x020800, "the chain of a PEM client certificate is not sent: put it into the CA file"},
    {0x020500, 0x020501, "stops with an assertion in telemetry: avoid this version"},
    {0x020600, 0x020601, "cannot fetch from brokers before 2.7: avoid this version"},
    {0x020a00, 0x020a01, "loops in re-bootstrap: avoid this version"},
};

static int library_version(void)
{
    int major = 0, minor = 0, patch = 0;
    (void)!sscanf(evs_client_library_version(), "%d.%d.%d", &major, &minor, &patch);
    return major << 16 | minor << 8 | patch;
}

bool evs_doctor_library_before(int major, int minor, int patch)
{
    return library_version() < (major << 16 | minor << 8 | patch);
}

void evs_doctor_library(struct evs_doctor *d)
{
    const char *version = evs_client_library_version();
    int now = library_version();
    evs_doctor_say(d, "library", EVS_STEP_OK, NULL, "librdkafka %s", version);
    for (size_t i = 0; i < EVS_COUNT(defects); i++)
        if (now >= defects[i].since && now < defects[i].fixed)
            evs_doctor_say(d, "defect", EVS_STEP_NOTE, NULL, "of %s: %s", version, defects[i].what);
}
