/* lint.c - bad habits of topics, their evidence and what would be better. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cmds.h"
#include "cli/out.h"
#include "cli/session.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "lint/run.h"

enum { JSON_CAP = 64 << 20, RULES_MAX = 32 };

static const char *nth_rule(const void *ctx, size_t i)
{
    (void)ctx;
    return evs_lint_rules[i] ? evs_lint_rules[i]->name : NULL;
}

static enum evs_rc read_opts(const struct evs_cli *cli, struct evs_lint_opts *o, const char **rules,
                             struct evs_err *err)
{
    const char *name;
    for (size_t i = 0; (name = evs_opts_nth(&cli->opts, "rule", i)) && i < RULES_MAX; i++) {
        if (!evs_lint_find(name)) {
            const char *near = evs_suggest(name, nth_rule, NULL);
            evs_fail(err, EVS_INVALID, "--rule %s: no such rule", name);
            return near ? evs_hint(err, "did you mean %s?", near)
                        : evs_hint(err, "eventscope lint --rules lists them");
        }
        rules[o->n_rules++] = name;
    }
    o->rules = rules;
    o->globs = (const char *const *)cli->args;
    o->n_globs = (size_t)cli->n_args;
    o->sample = evs_opts_int(&cli->opts, "sample");
    o->full = evs_opts_given(&cli->opts, "full");
    return EVS_OK;
}

static struct evs_lint_sn *wait_done(struct evs_cli *cli, struct evs_lint *l)
{
    struct evs_lint_sn *sn = NULL;
    for (;;) {
        struct evs_lint_sn *newer = evs_lint_take(l, sn ? sn->snap.generation : 0);
        if (newer) {
            if (sn)
                evs_snap_unref(&sn->snap);
            sn = newer;
            evs_progress("lint  %zu of %zu topics  %zu findings", sn->topics, sn->topics_all,
                         sn->n);
            if (sn->done)
                return sn;
        }
        if (evs_stop_wait(cli->stop, newer ? 0 : 20))
            evs_lint_stop(l);
    }
}

static void put_json(const struct evs_lint_sn *sn)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_arr(&w, "findings");
    for (size_t i = 0; i < sn->n; i++) {
        const struct evs_lint_finding *f = &sn->findings[i];
        evs_jsonw_obj(&w, NULL);
        evs_jsonw_str(&w, "rule", f->rule);
        evs_jsonw_str(&w, "severity", evs_severity_name(f->severity));
        evs_jsonw_strn(&w, "topic", f->topic, strlen(f->topic));
        if (f->partition < 0)
            evs_jsonw_null(&w, "partition");
        else
            evs_jsonw_i64(&w, "partition", f->partition);
        evs_jsonw_strn(&w, "text", f->text, strlen(f->text));
        evs_jsonw_raw(&w, "evidence", f->evidence, strlen(f->evidence));
        evs_jsonw_strn(&w, "advice", f->advice, strlen(f->advice));
        evs_jsonw_end(&w);
    }
    evs_jsonw_end(&w);
    evs_jsonw_obj(&w, "checked");
    evs_jsonw_i64(&w, "topics", (int64_t)sn->topics);
    evs_jsonw_i64(&w, "messages", sn->messages);
    evs_jsonw_i64(&w, "rules", sn->rules);
    evs_jsonw_end(&w);
    evs_jsonw_arr(&w, "skipped");
    for (size_t i = 0; i < sn->n_skipped; i++) {
        evs_jsonw_obj(&w, NULL);
        evs_jsonw_strn(&w, "what", sn->skipped[i].what, strlen(sn->skipped[i].what));
        evs_jsonw_str(&w, "why", sn->skipped[i].why);
        evs_jsonw_end(&w);
    }
    evs_jsonw_end(&w);
    evs_jsonw_double(&w, "seconds", sn->seconds);
    evs_jsonw_bool(&w, "complete", sn->complete);
    evs_jsonw_end(&w);
    evs_out_json(&out);
}

static void put_below(struct evs_table *table, const char *lead, const char *text)
{
    for (int i = 0; i < 3; i++)
        evs_table_cell(table, "%s", "");
    evs_table_cell(table, "%s%s", lead, text);
}

/* The command that shows the record of the evidence. */
static void put_record(struct evs_table *table, const struct evs_lint_finding *f)
{
    int32_t partition;
    int64_t offset;
    char text[400];
    if (!evs_lint_record(f, &partition, &offset))
        return;
    snprintf(text, sizeof(text), "eventscope messages %s -p %d -o %lld -c 1", f->topic,
             (int)partition, (long long)offset);
    put_below(table, "see: ", text);
}

static void put_text(struct evs_cli *cli, const struct evs_lint_sn *sn)
{
    static const char *const heads[] = {"SEVERITY", "RULE", "TOPIC", "FINDING", NULL};
    char messages[EVS_NUM_LEN];
    evs_num_commas(messages, sn->messages);
    if (sn->n) {
        struct evs_table *table = evs_table_new(heads);
        for (size_t i = 0; i < sn->n; i++) {
            const struct evs_lint_finding *f = &sn->findings[i];
            evs_table_cell(table, "%s", evs_severity_name(f->severity));
            evs_table_cell(table, "%s", f->rule);
            evs_table_cell_bytes(table, f->topic, strlen(f->topic));
            evs_table_cell(table, "%s", f->text);
            put_record(table, f);
            put_below(table, "advice: ", f->advice);
        }
        evs_table_print(table);
        evs_table_free(table);
    }
    for (size_t i = 0; i < sn->n_skipped; i++)
        evs_cli_warn(cli, "not checked: %s: %s", sn->skipped[i].what, sn->skipped[i].why);
    evs_out_text("%zu topic%s, %s messages, %d rules: %zu finding%s.", sn->topics,
                 sn->topics == 1 ? "" : "s", messages, sn->rules, sn->n, sn->n == 1 ? "" : "s");
}

static int verdict(struct evs_cli *cli, const struct evs_lint_sn *sn)
{
    struct evs_err err = sn->err;
    if (err.msg[0])
        return evs_cli_fail(&err);
    if (cli->n_args && sn->done && !sn->topics_all) {
        evs_fail(&err, EVS_FATAL, "lint: no topic matches %s", cli->args[0]);
        evs_hint(&err, "eventscope topics lists them");
        return evs_cli_fail(&err);
    }
    if (cli->json)
        put_json(sn);
    else
        put_text(cli, sn);
    if (evs_out_finish(&err))
        return evs_cli_fail(&err);
    if (evs_stop_raised(cli->stop))
        return EVS_EXIT_STOPPED;
    const char *level = evs_opts_str(&cli->opts, "fail-on");
    for (size_t i = 0; i < sn->n; i++)
        if (sn->findings[i].severity >=
            (strcmp(level, "critical") ? EVS_SEV_WARN : EVS_SEV_CRITICAL))
            return EVS_EXIT_FOUND;
    return sn->topics < sn->topics_all ? EVS_EXIT_FAILED : EVS_EXIT_OK;
}

static int list_rules(struct evs_cli *cli)
{
    static const char *const heads[] = {"RULE", "WHAT IT FINDS", NULL};
    struct evs_table *table = evs_table_new(heads);
    (void)cli;
    for (const struct evs_lint_rule *const *r = evs_lint_rules; *r; r++) {
        evs_table_cell(table, "%s", (*r)->name);
        evs_table_cell(table, "%s", (*r)->help);
    }
    evs_table_print(table);
    evs_table_free(table);
    return EVS_EXIT_OK;
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_lint_opts o = {0};
    struct evs_client *client = NULL;
    struct evs_lint *lint = NULL;
    const char *rules[RULES_MAX];
    if (evs_opts_given(&cli->opts, "rules"))
        return list_rules(cli);
    if (read_opts(cli, &o, rules, &err) || evs_session_client(cli, &client, &err))
        return evs_cli_fail(&err);
    int code;
    if (evs_lint_open(client, &o, NULL, &lint, &err)) {
        code = evs_cli_fail(&err);
    } else {
        evs_progress_enable(!cli->quiet);
        struct evs_lint_sn *sn = wait_done(cli, lint);
        evs_progress_clear();
        code = verdict(cli, sn);
        evs_snap_unref(&sn->snap);
    }
    evs_lint_free(lint);
    evs_client_free(client);
    return code;
}

static const struct evs_opt opts[] = {
    {0, "rule", EVS_OPT_STR, "NAME", NULL, "only this rule", .many = true},
    {0, "rules", EVS_OPT_FLAG, NULL, NULL, "list the rules and stop"},
    {0, "sample", EVS_OPT_INT, "N", "20000", "records looked at per topic", .min = 1,
     .max = INT64_MAX},
    {0, "full", EVS_OPT_FLAG, NULL, NULL, "read every record"},
    {0, "fail-on", EVS_OPT_CHOICE, "LEVEL", "warn", "exit 4 from this severity on",
     "warn|critical"},
    {0},
};

const struct evs_cmd evs_cmd_lint = {
    .name = "lint",
    .args = "[TOPIC-GLOB...]",
    .summary = "anti-patterns: mutable keys, split keys, global order, names, drift",
    .about =
        "Looks at a sample of each topic, from both ends of every partition, and says which "
        "habits will hurt, with the evidence and the alternative. Exit 4 when it finds a warning "
        "or worse.",
    .example = "eventscope lint\neventscope lint 'shop.*' --rule mutable-key --full --json",
    .opts = opts,
    .groups = EVS_CMD_CLUSTER,
    .max_args = -1,
    .run = run,
};
