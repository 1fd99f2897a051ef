/* lag.c - eventscope lag: groups, their partitions, thresholds, watching. */
#include <string.h>

#include "cli/cmds.h"
#include "cli/lag_out.h"
#include "cli/out.h"
#include "cli/session.h"
#include "cli/setup.h"
#include "core/glob.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "lag/survey.h"

enum { WATCH_MS = 5000 };

static const struct evs_opt opts[] = {
    {'g', "group", EVS_OPT_STR, "NAME", NULL,
     "this group; needs no permission to list groups; repeatable", .many = true},
    {'p', "partitions", EVS_OPT_FLAG, NULL, NULL, "a line for each partition of each group"},
    {0, "isolation", EVS_OPT_CHOICE, "LEVEL", "read_uncommitted",
     "which end counts: high watermark, or last stable offset", "read_uncommitted|read_committed"},
    {0, "watch", EVS_OPT_MAYBE_NEXT, "DURATION", NULL,
     "again and again, one line of JSON or one table a tick (5s); tells rates, trend and status"},
    {'c', "count", EVS_OPT_INT, "N", NULL, "with --watch: end after N ticks", .min = 1,
     .max = INT32_MAX},
    {0, "fail-over", EVS_OPT_INT, "N", NULL, "exit 4 when a group's total lag is above N", .min = 0,
     .max = INT64_MAX},
    {0, "fail-over-time", EVS_OPT_DURATION, "DURATION", NULL,
     "exit 4 when a group's lag in time is longer"},
    {0, "prometheus", EVS_OPT_FLAG, NULL, NULL, "the Prometheus text exposition, once"},
    {0, "offsets-topic", EVS_OPT_FLAG, NULL, NULL,
     "read __consumer_offsets instead of asking for each group; gives commit times"},
    {0, "why", EVS_OPT_STR, "GROUP", NULL,
     "explain the lag of one partition of this group: TOPIC:PARTITION, or else its worst"},
    {0},
};

/* A plain argument is a group's name, as with --group: one that is not there is an error. */
static enum evs_rc survey_opts(const struct evs_cli *cli, struct evs_survey_opts *ret_o,
                               const char **names, const char **globs)
{
    const struct evs_opts *o = &cli->opts;
    size_t n = 0, n_globs = 0;
    for (const char *g = evs_opts_nth(o, "group", 0); g; g = evs_opts_nth(o, "group", n))
        names[n++] = g;
    for (int i = 0; i < cli->n_args; i++) {
        if (evs_glob_is_plain(cli->args[i], strlen(cli->args[i])))
            names[n++] = cli->args[i];
        else
            globs[n_globs++] = cli->args[i];
    }
    *ret_o = (struct evs_survey_opts){
        .names = names,
        .n_names = n,
        .globs = globs,
        .n_globs = n_globs,
        .stable = !strcmp(evs_opts_str(o, "isolation"), "read_committed"),
        .watch = evs_opts_given(o, "watch"),
        .ages = true,
        .source = evs_opts_given(o, "offsets-topic") ? EVS_SOURCE_TOPIC : EVS_SOURCE_AUTO,
    };
    return EVS_OK;
}

static size_t count_given(const struct evs_opts *o, const char *name)
{
    size_t n = 0;
    while (evs_opts_nth(o, name, n))
        n++;
    return n;
}

/* A group above a threshold; an unknown lag is above none, but the picture is then not complete. */
static const struct evs_lag_group_row *over(const struct evs_cli *cli, const struct evs_lag_sn *sn)
{
    const struct evs_opts *o = &cli->opts;
    bool by_count = evs_opts_given(o, "fail-over");
    bool by_time = evs_opts_given(o, "fail-over-time");
    int64_t records = evs_opts_int(o, "fail-over"), ms = evs_opts_int(o, "fail-over-time");
    for (size_t i = 0; i < sn->n_groups; i++) {
        const struct evs_lag_group_row *g = &sn->groups[i];
        if (by_count && g->v.total > records)
            return g;
        for (size_t r = 0; by_time && r < g->n_rows; r++)
            if (g->rows[r].f.lag > 0 && (g->rows[r].age.lag_ms > ms || g->rows[r].age.min_ms > ms))
                return g;
    }
    return NULL;
}

static void print(const struct evs_cli *cli, const struct evs_lag_sn *sn)
{
    bool one = sn->n_groups == 1 && (cli->n_args || evs_opts_given(&cli->opts, "group"));
    if (evs_opts_given(&cli->opts, "prometheus"))
        evs_lag_print_prometheus(sn);
    else if (cli->json)
        evs_lag_print_json(sn);
    else if (!sn->n_groups && cli->n_args)
        evs_out_text("no group matches");
    else
        evs_lag_print_text(sn, one || evs_opts_given(&cli->opts, "partitions"));
}

/* Prints one picture; its exit code. */
static int show(const struct evs_cli *cli, const struct evs_lag_sn *sn)
{
    bool limit = evs_opts_given(&cli->opts, "fail-over") ||
                 evs_opts_given(&cli->opts, "fail-over-time");
    print(cli, sn);
    if (!sn->n_groups && cli->n_args && limit) {
        evs_cli_warn(cli, "no group matches: there is nothing to hold against the limit");
        return EVS_EXIT_FAILED;
    }
    for (size_t i = 0; i < sn->n_groups && !cli->json; i++)
        if (sn->groups[i].error)
            evs_cli_warn(cli, "group %s: %s", sn->groups[i].name, sn->groups[i].error);
    if (sn->warning)
        evs_cli_warn(cli, "%s", sn->warning);
    const struct evs_lag_group_row *g = over(cli, sn);
    if (g) {
        evs_cli_warn(cli, "group %s is over the limit", g->name);
        return EVS_EXIT_FOUND;
    }
    return sn->complete ? EVS_EXIT_OK : EVS_EXIT_STOPPED;
}

static enum evs_rc ticks(struct evs_cli *cli, struct evs_survey *s, int64_t wait_ms, int *ret_exit,
                         struct evs_err *err)
{
    bool watch = evs_opts_given(&cli->opts, "watch");
    int64_t left = evs_opts_given(&cli->opts, "count") ? evs_opts_int(&cli->opts, "count") : -1;
    for (;;) {
        struct evs_lag_sn *sn = NULL;
        enum evs_rc rc = evs_survey_refresh(s, false, cli->stop, &sn, err);
        if (rc == EVS_AGAIN && watch) /* the way to end it */
            return EVS_OK;
        if (rc)
            return rc;
        *ret_exit = show(cli, sn);
        evs_snap_unref(&sn->snap);
        bool last = !watch || evs_out_gone() || *ret_exit == EVS_EXIT_FOUND || --left == 0;
        if (watch && !last)
            *ret_exit = EVS_EXIT_OK; /* a trouble of one tick heals */
        if (last || evs_stop_wait(cli->stop, wait_ms))
            return EVS_OK;
        if (!cli->json)
            evs_out_text("%s", "");
    }
}

static enum evs_rc interval(const struct evs_cli *cli, int64_t *ret_ms, struct evs_err *err)
{
    const char *text = evs_opts_str(&cli->opts, "watch");
    *ret_ms = WATCH_MS;
    if (!text || !text[0])
        return EVS_OK;
    enum evs_rc rc = evs_num_duration(text, ret_ms, err);
    if (!rc && *ret_ms < 100)
        rc = evs_fail(err, EVS_INVALID, "%s: at least 100ms", text);
    return rc ? evs_wrap(err, "--watch") : EVS_OK;
}

static enum evs_rc check(const struct evs_cli *cli, struct evs_err *err)
{
    const struct evs_opts *o = &cli->opts;
    if (evs_opts_given(o, "prometheus") && (cli->json || evs_opts_given(o, "watch")))
        return evs_fail(err, EVS_INVALID, "--prometheus goes with neither --json nor --watch");
    if (evs_opts_given(o, "why") && cli->n_args > 1)
        return evs_fail(err, EVS_INVALID, "--why GROUP takes one TOPIC:PARTITION after it");
    if (evs_opts_given(o, "count") && !evs_opts_given(o, "watch"))
        return evs_fail(err, EVS_INVALID, "--count goes with --watch");
    return EVS_OK;
}

/* Neither --group nor a glob: the groups of the profile, if it names some. */
static void profile_groups(const struct evs_cli *cli, struct evs_survey_opts *so,
                           const char ***ret_names, char **ret_text)
{
    struct evs_setup setup = {0};
    struct evs_err err = EVS_ERR_INIT;
    if (so->n_names || so->n_globs || evs_setup_load(cli, EVS_SETUP_SHOW, &setup, &err))
        return; /* its mistakes are told by whoever makes the client */
    *ret_names = evs_setup_groups(&setup, ret_text);
    so->names = *ret_names ? *ret_names : so->names;
    while (*ret_names && (*ret_names)[so->n_names])
        so->n_names++;
    evs_setup_done(&setup);
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_client *c = NULL;
    struct evs_survey *s = NULL;
    const char **of_profile = NULL;
    char *text = NULL;
    size_t most = count_given(&cli->opts, "group") + (size_t)cli->n_args + 1;
    const char **names = evs_xcalloc(2 * most, sizeof(*names)), **globs = names + most;
    struct evs_survey_opts so;
    int64_t wait_ms;
    int exit_code = EVS_EXIT_OK;
    enum evs_rc rc = check(cli, &err);
    if (!rc)
        rc = interval(cli, &wait_ms, &err);
    if (!rc)
        rc = survey_opts(cli, &so, names, globs);
    if (!rc)
        profile_groups(cli, &so, &of_profile, &text);
    if (!rc)
        rc = evs_session_client(cli, &c, &err);
    const char *why = evs_opts_str(&cli->opts, "why");
    if (!rc && why)
        rc = evs_lag_explain(cli, c, why, &err);
    if (!rc && !why)
        rc = evs_survey_new(c, &so, &s, &err);
    if (!rc && !why)
        rc = ticks(cli, s, wait_ms, &exit_code, &err);
    evs_survey_free(s);
    evs_client_free(c);
    evs_free(names);
    evs_free(of_profile);
    evs_free(text);
    if (!rc)
        rc = evs_out_finish(&err);
    return rc ? evs_cli_fail(&err) : exit_code;
}

const struct evs_cmd evs_cmd_lag = {
    .name = "lag",
    .args = "[GROUP-GLOB...]",
    .summary = "consumer-group lag, now or --watch",
    .about =
        "Lag is the end minus the committed offset, or minus the log start where the commit is "
        "before it. What cannot be known is shown as -, with the reason as a note. One look has "
        "no trend: rates, ETA and the states warn, stall and rewind need --watch. No group is "
        "joined and nothing is committed. Without a name or glob: the groups that the profile "
        "names (its key groups), else all.\n\n"
        "Exit codes: 0 fine, 4 over a limit (--watch ends at the first tick over it), 3 some "
        "groups or partitions could not be read, 1 a group that was named does not exist, or a "
        "limit is asked of a glob that no group matches.",
    .example = "  eventscope lag\n"
               "  eventscope lag --group payments --fail-over 10000 --fail-over-time 5m -q\n"
               "  eventscope lag --why payments\n"
               "  eventscope lag --why payments shop.orders.placed:3\n"
               "  eventscope lag 'shop.*' --watch 2s --json | jq -c '.groups[] | [.group,.status]'",
    .opts = opts,
    .groups = EVS_CMD_CLUSTER,
    .min_args = 0,
    .max_args = -1,
    .run = run,
};
