/* check.c - thresholds on skew, lag and lint, with the exit codes that monitoring probes expect. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "browse/topics.h"
#include "cli/cli.h"
#include "cli/cmds.h"
#include "cli/out.h"
#include "cli/session.h"
#include "core/conf.h"
#include "core/glob.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "lag/survey.h"
#include "lint/run.h"

enum probe { PROBE_OK, PROBE_WARNING, PROBE_CRITICAL, PROBE_UNKNOWN };

enum { JSON_CAP = 16 << 20, GROUPS_MAX = 1000 };

static const char *const words[] = {"ok", "warning", "critical", "unknown"};

struct result {
    enum probe status;
    const char *check; /* static */
    char *subject, *text;
    double value, warn, crit; /* NAN: none */
};

struct checking {
    struct evs_cli *cli;
    struct evs_client *client;
    struct evs_opts *o;
    struct result *list;
    size_t n;
    size_t topics, groups;
};

static void add(struct checking *c, const char *check, const char *subject, enum probe status,
                double value, double warn, double crit, char *text)
{
    c->list = evs_xgrow(c->list, c->n + 1, sizeof(*c->list));
    c->list[c->n++] = (struct result){status, check, evs_xstrdup(subject), text, value, warn, crit};
}

/* Worse from each threshold on; NAN: no such threshold. */
static enum probe judge(double value, double warn, double crit)
{
    if (!isnan(crit) && value >= crit)
        return PROBE_CRITICAL;
    return !isnan(warn) && value >= warn ? PROBE_WARNING : PROBE_OK;
}

static double threshold(const struct checking *c, const char *name, double def)
{
    if (!evs_opts_given(c->o, name))
        return def;
    double v = evs_opts_double(c->o, name);
    return v;
}

/* --- skew ------------------------------------------------------------------------------------- */

/* Which arguments a topic matched is counted in met: a mistyped one must not pass unseen. */
static bool is_wanted(const struct checking *c, const char *topic, size_t *met)
{
    bool wanted = !c->cli->n_args && strncmp(topic, "__", 2) != 0;
    for (int i = 0; i < c->cli->n_args; i++)
        if (evs_glob_match(c->cli->args[i], strlen(c->cli->args[i]), topic, strlen(topic), false)) {
            met[i]++;
            wanted = true;
        }
    return wanted;
}

static void check_topic(struct checking *c, const struct evs_topic_row *r)
{
    double warn = threshold(c, "warn-skew", 3), crit = threshold(c, "crit-skew", NAN);
    c->topics++;
    if (r->status <= EVS_TOPIC_NO_LEADER)
        add(c, "topic", r->name, PROBE_CRITICAL, NAN, NAN, NAN,
            evs_xprintf("%s", r->error ? r->error : r->reason));
    else if (r->status == EVS_TOPIC_UNDER_REPLICATED)
        add(c, "topic", r->name, PROBE_WARNING, NAN, NAN, NAN, evs_xprintf("%s", r->reason));
    if (isnan(r->max_over_mean) || r->messages < evs_opts_int(c->o, "min-messages"))
        return;
    enum probe status = judge(r->max_over_mean, warn, crit);
    add(c, "skew", r->name, status, r->max_over_mean, warn, crit,
        evs_xprintf("the fullest partition has %.1f times its share", r->max_over_mean));
}

static enum evs_rc check_topics(struct checking *c, struct evs_err *err)
{
    struct evs_topics *t = evs_topics_new(c->client);
    struct evs_topics_sn *sn = NULL;
    size_t *met = evs_xcalloc((size_t)c->cli->n_args + 1, sizeof(*met));
    enum evs_rc rc = evs_topics_poll(t, NULL, &sn, err);
    for (int i = 0; !rc && i < sn->n; i++)
        if (is_wanted(c, sn->rows[i].name, met))
            check_topic(c, &sn->rows[i]);
    for (int i = 0; !rc && i < c->cli->n_args; i++)
        if (!met[i])
            add(c, "topic", c->cli->args[i], PROBE_UNKNOWN, NAN, NAN, NAN,
                evs_xprintf("no topic has such a name"));
    evs_free(met);
    if (sn)
        evs_snap_unref(&sn->snap);
    evs_topics_free(t);
    return rc;
}

/* --- lag -------------------------------------------------------------------------------------- */

static void check_group(struct checking *c, const struct evs_lag_group_row *g)
{
    double warn = threshold(c, "warn-lag", NAN), crit = threshold(c, "crit-lag", NAN);
    c->groups++;
    if (g->v.total < 0) {
        add(c, "lag", g->name, PROBE_UNKNOWN, NAN, warn, crit,
            evs_xprintf("%s", g->error ? g->error : "nothing was committed"));
        return;
    }
    char text[EVS_NUM_LEN];
    if (!isnan(warn) || !isnan(crit))
        add(c, "lag", g->name, judge((double)g->v.total, warn, crit), (double)g->v.total, warn,
            crit, evs_xprintf("%s records behind", evs_num_commas(text, g->v.total)));
    bool timed = evs_opts_given(c->o, "warn-lag-time") || evs_opts_given(c->o, "crit-lag-time");
    if (!timed)
        return;
    warn = evs_opts_given(c->o, "warn-lag-time") ? (double)evs_opts_int(c->o, "warn-lag-time") / 1e3
                                                 : NAN;
    crit = evs_opts_given(c->o, "crit-lag-time") ? (double)evs_opts_int(c->o, "crit-lag-time") / 1e3
                                                 : NAN;
    /* Between bounds the longer one counts: a probe would rather warn. */
    int64_t age = g->age.lag_ms >= 0 ? g->age.lag_ms : g->age.max_ms;
    double seconds = g->v.total == 0 ? 0 : (double)age / 1e3;
    if (seconds < 0)
        add(c, "lag-time", g->name, PROBE_UNKNOWN, NAN, warn, crit,
            evs_xprintf("the age of its lag is not known"));
    else
        add(c, "lag-time", g->name, judge(seconds, warn, crit), seconds, warn, crit,
            evs_xprintf("%s behind", evs_num_ago(text, (int64_t)(seconds * 1e3))));
}

static enum evs_rc check_groups(struct checking *c, struct evs_err *err)
{
    const char *names[GROUPS_MAX], *name;
    size_t n = 0;
    static const char *const wanting[] = {"warn-lag", "crit-lag", "warn-lag-time", "crit-lag-time",
                                          "group"};
    bool wanted = false;
    for (size_t i = 0; i < EVS_COUNT(wanting); i++)
        wanted |= evs_opts_given(c->o, wanting[i]);
    if (!wanted)
        return EVS_OK;
    while (n < GROUPS_MAX && (name = evs_opts_nth(c->o, "group", n)) != NULL)
        names[n++] = name;
    /* As a watch does, a name that is not there gets words of its own; the others are judged. */
    struct evs_survey_opts so = {.names = names, .n_names = n, .ages = true, .watch = true};
    struct evs_survey *s = NULL;
    struct evs_lag_sn *sn = NULL;
    enum evs_rc rc = evs_survey_new(c->client, &so, &s, err);
    if (!rc)
        rc = evs_survey_refresh(s, false, c->cli->stop, &sn, err);
    for (size_t i = 0; !rc && i < sn->n_groups; i++)
        check_group(c, &sn->groups[i]);
    if (sn)
        evs_snap_unref(&sn->snap);
    evs_survey_free(s);
    return rc;
}

/* --- lint ------------------------------------------------------------------------------------- */

static enum evs_rc check_lint(struct checking *c, struct evs_err *err)
{
    if (!evs_opts_given(c->o, "lint"))
        return EVS_OK;
    struct evs_lint_opts o = {.globs = (const char *const *)c->cli->args,
                              .n_globs = (size_t)c->cli->n_args};
    struct evs_lint *l = NULL;
    struct evs_lint_sn *sn = NULL;
    enum evs_rc rc = evs_lint_open(c->client, &o, NULL, &l, err);
    while (!rc && (!sn || !sn->done)) {
        if (evs_stop_wait(c->cli->stop, 20))
            evs_lint_stop(l);
        struct evs_lint_sn *newer = evs_lint_take(l, sn ? sn->snap.generation : 0);
        if (newer && sn)
            evs_snap_unref(&sn->snap);
        sn = newer ? newer : sn;
    }
    for (size_t i = 0; !rc && i < sn->n; i++) {
        const struct evs_lint_finding *f = &sn->findings[i];
        if (f->severity == EVS_SEV_INFO)
            continue;
        add(c, f->rule, f->topic, f->severity == EVS_SEV_CRITICAL ? PROBE_CRITICAL : PROBE_WARNING,
            NAN, NAN, NAN, evs_xstrdup(f->text));
    }
    if (!rc && sn->err.msg[0]) {
        *err = sn->err;
        rc = err->code;
    }
    if (sn)
        evs_snap_unref(&sn->snap);
    evs_lint_free(l);
    return rc;
}

/* --- results ---------------------------------------------------------------------------------- */

/* Critical outweighs unknown, unknown outweighs warning: what cannot be seen is not fine. */
static enum probe overall(const struct checking *c)
{
    static const int weight[] = {0, 1, 3, 2};
    enum probe worst = PROBE_OK;
    for (size_t i = 0; i < c->n; i++)
        if (weight[c->list[i].status] > weight[worst])
            worst = c->list[i].status;
    return worst;
}

static void put_number(struct evs_jsonw *w, const char *name, double v)
{
    if (isnan(v))
        evs_jsonw_null(w, name);
    else
        evs_jsonw_double(w, name, v);
}

static void put_json(const struct checking *c, enum probe worst)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_str(&w, "status", words[worst]);
    evs_jsonw_arr(&w, "checks");
    for (size_t i = 0; i < c->n; i++) {
        const struct result *r = &c->list[i];
        evs_jsonw_obj(&w, NULL);
        evs_jsonw_str(&w, "check", r->check);
        evs_jsonw_strn(&w, "subject", r->subject, strlen(r->subject));
        evs_jsonw_str(&w, "status", words[r->status]);
        put_number(&w, "value", r->value);
        put_number(&w, "warn", r->warn);
        put_number(&w, "crit", r->crit);
        evs_jsonw_strn(&w, "text", r->text, strlen(r->text));
        evs_jsonw_end(&w);
    }
    evs_jsonw_end(&w);
    evs_jsonw_i64(&w, "topics", (int64_t)c->topics);
    evs_jsonw_i64(&w, "groups", (int64_t)c->groups);
    evs_jsonw_end(&w);
    evs_out_json(&out);
}

static void put_line(const char *before, const struct result *r, const char *after)
{
    EVS_AUTO(evs_buf) struct evs_buf subject = EVS_BUF_INIT(4096), text = EVS_BUF_INIT(8192);
    evs_text_escape(&subject, r->subject, strlen(r->subject));
    evs_text_escape(&text, r->text, strlen(r->text));
    evs_out_text("%s%s %s: %s%s", before, r->check, evs_buf_str(&subject), evs_buf_str(&text),
                 after);
}

/* Many monitors show the first line alone: it says what is worst. */
static void put_text(const struct checking *c, enum probe worst)
{
    static const char *const heads[] = {"OK ", "WARNING ", "CRITICAL ", "UNKNOWN "};
    const struct result *first = NULL;
    size_t bad = 0;
    for (size_t i = 0; i < c->n; i++) {
        bad += c->list[i].status != PROBE_OK;
        if (!first && c->list[i].status == worst)
            first = &c->list[i];
    }
    char head[32], rest[64];
    snprintf(head, sizeof(head), "%s- ", heads[worst]);
    snprintf(rest, sizeof(rest), " (%zu of %zu check%s not ok)", bad, c->n, c->n == 1 ? "" : "s");
    if (worst != PROBE_OK)
        put_line(head, first, bad > 1 ? rest : "");
    else
        evs_out_text("%s%zu check%s of %zu topic%s and %zu group%s", head, c->n,
                     c->n == 1 ? "" : "s", c->topics, c->topics == 1 ? "" : "s", c->groups,
                     c->groups == 1 ? "" : "s");
    for (size_t i = 0; i < c->n; i++) {
        const struct result *r = &c->list[i];
        if (c->cli->verbose || (r->status != PROBE_OK && bad > 1))
            put_line(heads[r->status], r, "");
    }
}

/* name = value lines, as the options without dashes; options win. */
static enum evs_rc read_thresholds(struct checking *c, struct evs_err *err)
{
    const char *path = evs_opts_str(c->o, "thresholds");
    struct evs_conf file;
    enum evs_rc rc = EVS_OK;
    if (!path)
        return EVS_OK;
    if (evs_conf_read(path, NULL, &file, err))
        return err->code;
    size_t given = c->o->n;
    for (size_t i = 0; !rc && i < file.n; i++) {
        bool set = false;
        for (size_t k = 0; k < given; k++)
            set |=
                c->o->values[k].opt->name && !strcmp(c->o->values[k].opt->name, file.items[i].name);
        if (!set && evs_opts_set(c->o, file.items[i].name, file.items[i].value, err))
            rc = evs_wrap(err, "%s:%d", path, file.items[i].line);
    }
    evs_conf_done(&file);
    return rc;
}

/* What could not be asked is unknown, on the standard output too: a monitor reads only that. What
 * was found before it counts all the same. */
static void unknown(struct checking *c, const char *check, const struct evs_err *err)
{
    (void)evs_cli_fail(err);
    add(c, "check", check, PROBE_UNKNOWN, NAN, NAN, NAN, evs_xstrdup(err->msg));
}

static void run_checks(struct checking *c)
{
    static const struct {
        const char *name;
        enum evs_rc (*run)(struct checking *c, struct evs_err *err);
    } checks[] = {{"topics", check_topics}, {"groups", check_groups}, {"lint", check_lint}};
    for (size_t i = 0; i < EVS_COUNT(checks); i++) {
        struct evs_err err = EVS_ERR_INIT;
        if (!checks[i].run(c, &err))
            continue;
        unknown(c, checks[i].name, &err);
        if (i == 0) /* nobody answers: the others would wait in vain */
            return;
    }
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct checking c = {.cli = cli, .o = &cli->opts};
    enum evs_rc rc = read_thresholds(&c, &err);
    if (!rc)
        rc = evs_session_client(cli, &c.client, &err);
    if (rc)
        unknown(&c, "options", &err);
    else
        run_checks(&c);
    enum probe worst = overall(&c);
    if (cli->json && !evs_stop_raised(cli->stop))
        put_json(&c, worst);
    else if (!evs_stop_raised(cli->stop)) /* nobody waits for an answer any more */
        put_text(&c, worst);
    err = (struct evs_err)EVS_ERR_INIT;
    if (evs_out_finish(&err)) {
        (void)evs_cli_fail(&err);
        worst = PROBE_UNKNOWN;
    }
    for (size_t i = 0; i < c.n; i++) {
        evs_free(c.list[i].subject);
        evs_free(c.list[i].text);
    }
    evs_free(c.list);
    evs_client_free(c.client);
    return (int)worst;
}

static const struct evs_opt opts[] = {
    {0, "warn-skew", EVS_OPT_NUMBER, "X", "3", "warning when a partition has X times its share"},
    {0, "crit-skew", EVS_OPT_NUMBER, "X", NULL, "critical from X on"},
    {0, "min-messages", EVS_OPT_INT, "N", "1000", "smaller topics are not judged by skew", .min = 0,
     .max = INT64_MAX},
    {'g', "group", EVS_OPT_STR, "NAME", NULL, "this group's lag (else all that are listed)",
     .many = true},
    {0, "warn-lag", EVS_OPT_NUMBER, "N", NULL, "warning when a group is N records behind"},
    {0, "crit-lag", EVS_OPT_NUMBER, "N", NULL, "critical from N records on"},
    {0, "warn-lag-time", EVS_OPT_DURATION, "DURATION", NULL, "warning when it is this far behind"},
    {0, "crit-lag-time", EVS_OPT_DURATION, "DURATION", NULL, "critical from this time on"},
    {0, "lint", EVS_OPT_FLAG, NULL, NULL, "findings of lint count too, by their severity"},
    {0, "thresholds", EVS_OPT_STR, "FILE", NULL, "these options from a file of NAME = VALUE lines"},
    {0},
};

const struct evs_cmd evs_cmd_check = {
    .name = "check",
    .args = "[TOPIC-GLOB...]",
    .summary = "thresholds for skew, lag and lint, for monitoring",
    .about = "Exit 0 fine, 1 warning, 2 critical, 3 unknown, as monitoring probes expect; a "
             "cluster that "
             "cannot be asked and a wrong command line are unknown. Topics without a leader are "
             "critical, "
             "with replicas missing a warning.",
    .example =
        "eventscope check --crit-skew 10 --group billing --warn-lag 1000 --crit-lag-time 15m\n"
        "eventscope check 'shop.*' --lint --thresholds /etc/eventscope.check --json",
    .opts = opts,
    .groups = EVS_CMD_CLUSTER,
    .max_args = -1,
    .probe = true,
    .run = run,
};
