/* replay.c - eventscope replay: plan, confirm, run, resume, compare. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmds.h"
#include "cli/out.h"
#include "cli/replay.h"
#include "cli/session.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/text.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "replay/audit.h"
#include "replay/run.h"
#include "replay/team.h"

static const struct evs_opt opts[] = {
    {0, "sink", EVS_OPT_STR, "URL", NULL,
     "sqlite:PATH, postgresql://..., redis[s]://..., opensearch+http://..., "
     "elasticsearch+http://..., kafka:TOPIC, jsonl:PATH or jsonl:-"},
    {0, "target", EVS_OPT_STR, "NAME", NULL, "table, key prefix or index"},
    {0, "mode", EVS_OPT_CHOICE, "VIEW", NULL, "the view: one row a key, an event or a group",
     "latest|log|count|sum"},
    {0, "group-by", EVS_OPT_STR, "JQ", NULL, "the group of count and sum (the key)"},
    {0, "value", EVS_OPT_STR, "JQ", NULL, "what sum adds up"},
    {0, "columns", EVS_OPT_STR, "NAME[:TYPE]=JQ,...", NULL, "columns in place of the value",
     .many = true},
    {0, "key-type", EVS_OPT_STR, "TYPE", NULL, "the sink's type of the key, such as bytea"},
    {0, "value-type", EVS_OPT_STR, "TYPE", NULL, "the sink's type of the value, such as jsonb"},
    {0, "id", EVS_OPT_STR, "NAME", NULL, "the checkpoint's name (target and hash of the plan)"},
    {0, "batch", EVS_OPT_INT, "N", NULL, "rows a transaction (by size and age)", .min = 1},
    {0, "rate", EVS_OPT_STR, "N", NULL, "events a second, or 2x: twice as fast as they came"},
    {0, "on-error", EVS_OPT_STR, "POLICY", NULL,
     "a record that cannot pass: stop (default), skip or dead-letter:SINK-URL"},
    {0, "dry-run", EVS_OPT_FLAG, NULL, NULL, "read, fold and compare; write nothing"},
    {0, "diff", EVS_OPT_FLAG, NULL, NULL, "what a run would change in the view; writes nothing"},
    {0, "verify", EVS_OPT_FLAG, NULL, NULL,
     "compare the view with the topic; exit 4 where they differ; writes nothing"},
    {0, "resume", EVS_OPT_FLAG, NULL, NULL, "go on from the sink's checkpoint"},
    {0, "restart", EVS_OPT_FLAG, NULL, NULL, "forget the checkpoint and begin again"},
    {0, "swap", EVS_OPT_FLAG, NULL, NULL,
     "build beside the view, then switch in one step; TARGET__old keeps what was"},
    {0, "workers-group", EVS_OPT_STR, "NAME", NULL,
     "share the partitions with other processes: joins this consumer group, commits nothing"},
    {0, "plan", EVS_OPT_STR, "FILE", NULL, "read the plan; options given here override it"},
    {0, "save-plan", EVS_OPT_STR, "FILE", NULL, "write the plan; alone, do nothing else"},
    {0, "promote", EVS_OPT_CHOICE, "TO", NULL,
     "print the equivalent Kafka Connect sink configuration", "connect"},
    {0, "examples", EVS_OPT_INT, "N", "10", "examples of each difference", .min = 0, .max = 100000},
    {0, "memory", EVS_OPT_SIZE, "SIZE", "1G",
     "for the rows of a diff or verify; more is read in several passes"},
    {0, "progress", EVS_OPT_FLAG, NULL, NULL, "with --json: a line of progress about each second"},
    {0, "yes", EVS_OPT_FLAG, NULL, NULL, "write without asking"},
    {0},
};

/* --- options into the plan ------------------------------------------------------------------- */
static void from_offsets(const struct evs_cli *cli, struct evs_plan *p)
{
    const char *place;
    for (size_t i = 0; (place = evs_opts_nth(&cli->opts, "offset", i)); i++)
        evs_plan_set(strncmp(place, "e@", 2) ? &p->from : &p->to, place);
}

static void from_lists(const struct evs_cli *cli, struct evs_plan *p)
{
    const struct {
        const char *name;
        struct evs_plan_list *list;
    } lists[] = {{"key", &p->keys},
                 {"grep", &p->greps},
                 {"header", &p->headers},
                 {"jq", &p->jqs},
                 {"not-key", &p->not_keys},
                 {"not-grep", &p->not_greps},
                 {"not-header", &p->not_headers},
                 {"not-jq", &p->not_jqs},
                 {"columns", &p->column_texts}};
    for (size_t k = 0; k < EVS_COUNT(lists); k++) {
        const char *text;
        if (evs_opts_given(&cli->opts, lists[k].name))
            evs_plan_clear(lists[k].list); /* the plan file's */
        for (size_t i = 0; (text = evs_opts_nth(&cli->opts, lists[k].name, i)); i++)
            evs_plan_add(lists[k].list, text);
    }
}

/* Of options that contradict each other none wins quietly. */
static enum evs_rc check_together(const struct evs_opts *o, struct evs_err *err)
{
    static const char *const alike[][4] = {{"resume", "restart"}, {"dry-run", "diff", "verify"}};
    for (size_t k = 0; k < EVS_COUNT(alike); k++) {
        const char *first = NULL;
        for (size_t i = 0; i < 4 && alike[k][i]; i++) {
            if (!evs_opts_given(o, alike[k][i]))
                continue;
            if (first)
                return evs_fail(err, EVS_INVALID, "--%s or --%s, not both", first, alike[k][i]);
            first = alike[k][i];
        }
    }
    return EVS_OK;
}

static enum evs_rc make_plan(const struct evs_cli *cli, struct evs_plan *p, struct evs_err *err)
{
    const struct {
        const char *name;
        char **member;
    } texts[] = {{"partitions", &p->partitions},
                 {"since", &p->since},
                 {"until", &p->until},
                 {"count", &p->count},
                 {"isolation", &p->isolation},
                 {"sink", &p->sink},
                 {"target", &p->target},
                 {"mode", &p->mode_text},
                 {"group-by", &p->group_by},
                 {"value", &p->value},
                 {"id", &p->id},
                 {"batch", &p->batch},
                 {"rate", &p->rate},
                 {"on-error", &p->on_error_text},
                 {"key-type", &p->key_type},
                 {"value-type", &p->value_type}};
    const struct evs_opts *o = &cli->opts;
    const char *file = evs_opts_str(o, "plan");
    enum evs_rc rc = check_together(o, err);
    if (!rc && file)
        rc = evs_plan_read(p, file, err);
    if (rc)
        return rc;
    if (p->edited)
        evs_cli_warn(cli, "%s was changed since it was saved: its hash is another", file);
    if (cli->n_args)
        evs_plan_set(&p->topic, cli->args[0]);
    for (size_t i = 0; i < EVS_COUNT(texts); i++)
        if (evs_opts_given(o, texts[i].name))
            evs_plan_set(texts[i].member, evs_opts_str(o, texts[i].name));
    from_offsets(cli, p);
    from_lists(cli, p);
    p->ignore_case = p->ignore_case || evs_opts_given(o, "ignore-case");
    p->swap = p->swap || evs_opts_given(o, "swap");
    p->follow = p->follow || evs_opts_given(o, "follow");
    rc = evs_plan_check(p, err);
    if (rc || !evs_opts_given(o, "workers-group"))
        return rc;
    if (evs_opts_given(o, "restart"))
        return evs_fail(err, EVS_INVALID, "--restart is for one process, not for --workers-group");
    return evs_team_check(p, err);
}

/* --- confirmation ---------------------------------------------------------------------------- */
static const char *what_to_type(const struct evs_plan *p)
{
    return p->target && *p->target ? p->target : evs_sink_rest(p->sink);
}

/* The prompt reads a line from the terminal; the signal handlers end it by EINTR. */
static bool read_answer(char *answer, size_t size, const struct evs_stop *stop)
{
    size_t n = 0;
    while (n + 1 < size) {
        ssize_t got = read(STDIN_FILENO, answer + n, 1);
        if (got <= 0 || evs_stop_raised(stop))
            return false;
        if (answer[n] == '\n')
            break;
        n++;
    }
    answer[n] = '\0';
    return true;
}

static enum evs_rc confirm(const struct evs_cli *cli, const struct evs_plan *p, struct evs_err *err)
{
    if (evs_opts_given(&cli->opts, "yes"))
        return EVS_OK;
    char *url = evs_sink_mask(p->sink);
    if (!isatty(STDIN_FILENO)) {
        evs_fail(err, EVS_INVALID, "this writes to %s", url);
        evs_free(url);
        return evs_hint(err, "--yes confirms; --dry-run or --diff show what would change");
    }
    EVS_AUTO(evs_buf) struct evs_buf ask = EVS_BUF_INIT(8192);
    evs_buf_adds(&ask, "Replay ");
    evs_text_escape(&ask, p->topic, strlen(p->topic));
    evs_buf_printf(&ask, " (%s) into ", evs_view_mode_name(p->mode));
    evs_text_escape(&ask, url, strlen(url));
    const char *group = evs_opts_str(&cli->opts, "workers-group");
    if (group) {
        evs_buf_adds(&ask, "\nThis process joins the consumer group ");
        evs_text_escape(&ask, group, strlen(group));
        evs_buf_adds(&ask, " (and commits nothing to it)");
    }
    evs_buf_adds(&ask, "\nType the target (");
    evs_text_escape(&ask, what_to_type(p), strlen(what_to_type(p)));
    fprintf(stderr, "%s) to go on: ", evs_buf_str(&ask));
    fflush(stderr);
    char answer[4200];
    evs_free(url);
    if (!read_answer(answer, sizeof(answer), cli->stop))
        return evs_fail(err, EVS_EOF, "not confirmed, nothing was written");
    if (strcmp(answer, what_to_type(p)))
        return evs_fail(err, EVS_EOF, "'%s' is not the target, nothing was written", answer);
    return EVS_OK;
}

/* --- running --------------------------------------------------------------------------------- */
static int run_plan(struct evs_cli *cli, const struct evs_plan *p, struct evs_client *c,
                    struct evs_err *err)
{
    const struct evs_opts *o = &cli->opts;
    struct evs_replay_control control = {.stop = cli->stop};
    struct evs_cli_replay_watch w = {
        .plan = p, .lines = cli->json && (p->follow || evs_opts_given(o, "progress"))};
    struct evs_report report;
    atomic_store(&control.rate_events, (int64_t)p->rate_events);
    struct evs_replay_opts ro = {
        .plan = p,
        .client = c,
        .how = evs_opts_given(o, "restart")  ? EVS_REPLAY_RESTART
               : evs_opts_given(o, "resume") ? EVS_REPLAY_RESUME
                                             : EVS_REPLAY_START,
        .control = &control,
        .timeout_ms = cli->timeout_ms,
        .progress = evs_cli_replay_watched,
        .ctx = &w,
    };
    const char *group = evs_opts_str(o, "workers-group");
    evs_thread_yield_to_me(); /* writing goes first: the readers only fill its queue */
    enum evs_rc rc =
        group ? evs_team_run(&ro, group, &report, err) : evs_replay_run(&ro, &report, err);
    evs_progress_clear();
    int exit_code = EVS_EXIT_OK;
    if (report.state) {
        struct evs_err unlogged = EVS_ERR_INIT;
        evs_cli_replay_report(cli, p, &report);
        /* a team's runs each wrote their own line */
        if (!group && evs_audit_write(p, &report, c, &unlogged))
            evs_cli_warn(cli, "%s", unlogged.msg);
        exit_code = strcmp(report.state, "stopped") ? EVS_EXIT_OK : EVS_EXIT_STOPPED;
    }
    bool begun = report.state != NULL;
    evs_report_done(&report);
    if (rc == EVS_EOF && !begun) {
        evs_cli_warn(cli, "stopped before anything was written");
        return EVS_EXIT_STOPPED;
    }
    return rc ? evs_cli_fail(err) : exit_code;
}

static bool reads_only(const struct evs_cli *cli)
{
    return evs_opts_given(&cli->opts, "dry-run") || evs_opts_given(&cli->opts, "diff") ||
           evs_opts_given(&cli->opts, "verify");
}

static int with_client(struct evs_cli *cli, const struct evs_plan *p, struct evs_err *err)
{
    struct evs_client *c = NULL;
    if (evs_session_client(cli, &c, err))
        return evs_cli_fail(err);
    int exit_code;
    if (reads_only(cli)) {
        exit_code = evs_cli_replay_compare(cli, p, c);
    } else if (evs_client_conf(c)->read_only) {
        evs_fail(err, EVS_INVALID, "replay: this profile is locked: read-only = true");
        evs_hint(err, "--dry-run, --diff and --verify write nothing");
        exit_code = evs_cli_fail(err);
    } else if (confirm(cli, p, err)) {
        exit_code = evs_cli_fail(err);
        exit_code = err->code == EVS_EOF ? EVS_EXIT_STOPPED : exit_code;
    } else {
        exit_code = run_plan(cli, p, c, err);
    }
    evs_client_free(c);
    return exit_code;
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_plan plan = {0};
    const char *save = evs_opts_str(&cli->opts, "save-plan");
    int exit_code = EVS_EXIT_OK;
    if (make_plan(cli, &plan, &err)) {
        evs_wrap(&err, "replay");
        exit_code = evs_cli_fail(&err);
    } else if (save && evs_plan_save(&plan, save, &err)) {
        exit_code = evs_cli_fail(&err);
    } else if (evs_opts_given(&cli->opts, "promote")) {
        exit_code = evs_cli_replay_promote(cli, &plan);
    } else if (!save || reads_only(cli) || evs_opts_given(&cli->opts, "yes")) {
        exit_code = with_client(cli, &plan, &err);
    }
    struct evs_err out_err = EVS_ERR_INIT;
    if (evs_out_finish(&out_err) && !exit_code)
        exit_code = evs_cli_fail(&out_err);
    evs_plan_done(&plan);
    return exit_code;
}

const struct evs_cmd evs_cmd_replay = {
    .name = "replay",
    .args = "[TOPIC]",
    .summary = "replay events into a materialized view",
    .about = "Reads a topic from a point in time or offset, folds it and writes the view into a "
             "sink: one row a key (latest), one an event (log), one a group (count, sum). Rows and "
             "checkpoint go into the sink in one transaction where it has them, so a run killed at "
             "any moment and started again with --resume ends with the same view. Nothing is "
             "written without --yes or an answer at the prompt.\n\n"
             "A tombstone deletes. An older event never overwrites a newer one: within a partition "
             "the offset decides; for a key on two partitions the timestamp, then partition and "
             "offset. Where timestamps of such a key also go backwards inside a partition, no "
             "order is right: what reaches the view later decides, and lint tells of both.\n\n"
             "A filter decides what is read at all: a key whose last event does not pass keeps its "
             "row of before, and a tombstone that does not pass deletes nothing (how many did not "
             "is said at the end). A view of what is open now is all events with a column for the "
             "state, not a filter on it. A column's jq gives one value: several stop the run.\n\n"
             "Into jsonl:- only rows go to standard output; the report goes to standard error.\n\n"
             "--swap makes the new table like the one it replaces (types, defaults, constraints, "
             "indexes, rights and owner; in SQLite its triggers too) where that has the plan's "
             "columns and types; else as the plan says. Views, triggers, foreign keys and policies "
             "on a PostgreSQL table would stay with the old one: --swap is then refused.\n\n"
             "A dry run and a diff read and compare. PostgreSQL is asked whether the types of its "
             "columns take the values; the first record whose value they do not is named (unless "
             "--on-error passes it). What only writing tells (checks, triggers, rights, mappings) "
             "a run says with the record's place, and writes nothing of that batch.\n\n"
             "A search server forgets at a restart, and after index.gc_deletes, which versions it "
             "had deleted. So each deletion is also kept beside the view, a small document in the "
             "index eventscope_tombstones.INDEX.MS, and a later replay of a window that ends "
             "before it does not bring the document back. These go with their index through "
             "--swap; an index made anew begins without. Checkpoints are in the index "
             "eventscope_checkpoint: rights to all of these are needed. The first --swap of an "
             "index makes its name an alias: a search that meets that moment fails (HTTP 503 or "
             "404), none sees half a view; with an alias from the start, and at later swaps, "
             "none fails. The order of events is a version there, made of the highest timestamp up "
             "to each event, which a run that begins inside a partition asks the broker for. Only "
             "where retention has deleted the record of that timestamp meanwhile, an older event "
             "may get a version above a newer one's of another run: --verify finds such rows.\n\n"
             "rediss:// is Redis by TLS: rediss://user:password@host:port/db?cacert=FILE, with "
             "cert=FILE "
             "and key=FILE where the server asks for a certificate, sni=NAME where its own has "
             "another name than the host, and insecure=1 to look at none. Without cacert the "
             "system's authorities are trusted. In a password / @ ? are written %2F %40 %3F.\n\n"
             "With --workers-group each partition is a run of its own (id ID-pN) and Kafka's group "
             "protocol deals them among the processes that name the group, on as many machines as "
             "you like; start each with the same options. Whoever is given a partition claims its "
             "checkpoint in the sink, which fences the one before, and goes on from there. --rate "
             "is then each partition's. The group commits no offsets. A JSON lines file, and all "
             "but a log in Kafka, cannot be shared. Totals that are shared in a search index carry "
             "a member eventscope: the last batch of each partition that is in.",
    .example = "eventscope replay shop.orders --sink sqlite:orders.db --target orders --diff\n"
               "eventscope replay shop.orders --sink postgresql://etl@db/shop --target orders_view "
               "--since 'yesterday 14:00' --columns 'total:numeric=.value.total' --yes\n"
               "eventscope replay --plan orders.plan --resume --yes",
    .opts = opts,
    .groups = EVS_CMD_CLUSTER | EVS_CMD_TOPIC | EVS_CMD_READ | EVS_CMD_KEEP,
    .min_args = 0,
    .max_args = 1,
    .run = run,
};
