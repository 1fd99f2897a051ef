/* replay_compare.c - eventscope replay --dry-run, --diff, --verify. */
#include <string.h>

#include "cli/out.h"
#include "cli/replay.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "replay/compare.h"

enum { JSON_CAP = 1 << 30 };

static void progress(void *ctx, const struct evs_report *r)
{
    (void)ctx;
    evs_cli_replay_progress(r);
}

static void print_json(const struct evs_comparison *c, bool verify, bool dry)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    if (dry) {
        evs_report_json(&c->report, &w);
        evs_jsonw_obj(&w, "diff");
    }
    evs_comparison_json(c, verify, &w);
    if (dry)
        evs_jsonw_end(&w);
    evs_jsonw_end(&w);
    evs_out_json(&out);
}

static void print_example(const struct evs_example *e)
{
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(1 << 20);
    char at[EVS_NUM_LEN];
    evs_buf_printf(&line, "  %-9s ", evs_change_names[e->change]);
    if (e->key)
        evs_text_fit(&line, e->key, e->key_len, 40, EVS_CUT_END);
    else
        evs_buf_adds(&line, "(null)");
    if (e->partition >= 0)
        evs_buf_printf(&line, "  p%d @ %s", e->partition, evs_num_commas(at, e->offset));
    evs_buf_adds(&line, "  ");
    evs_text_fit(&line, e->fields, strlen(e->fields), 160, EVS_CUT_END);
    evs_out_text("%s", evs_buf_str(&line));
}

static void print_text(const struct evs_comparison *c, bool verify)
{
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN];
    int64_t wrong = c->n[EVS_CHANGE_MISSING] + c->n[EVS_CHANGE_EXTRA] + c->n[EVS_CHANGE_DIFFERENT];
    if (verify)
        evs_out_text("%s  %s rows expected, %s found",
                     wrong ? "The view differs from the topic." : "The view agrees with the topic.",
                     evs_num_commas(a, c->source_rows), evs_num_commas(b, c->sink_rows));
    for (int i = 0; i < EVS_CHANGES; i++)
        if (verify ? i >= EVS_CHANGE_MISSING : i <= EVS_CHANGE_NEWER)
            evs_out_text("%-14s %12s", evs_change_names[i], evs_num_commas(a, c->n[i]));
    for (size_t i = 0; i < c->n_examples; i++)
        print_example(&c->examples[i]);
    evs_out_text("read %s events in %s; nothing was written", evs_num_commas(a, c->report.run_read),
                 evs_num_ago(b, (int64_t)(c->report.seconds * 1000)));
}

/* What a run would write, in the report's own members. */
static void as_if_written(struct evs_comparison *c)
{
    if (!c->report.ckpt.n)
        return;
    int64_t *n = c->report.ckpt.parts[0].n;
    n[EVS_CKPT_WRITTEN] = c->n[EVS_CHANGE_INSERT] + c->n[EVS_CHANGE_UPDATE];
    n[EVS_CKPT_DELETED] = c->n[EVS_CHANGE_DELETE];
}

int evs_cli_replay_compare(struct evs_cli *cli, const struct evs_plan *p, struct evs_client *c)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_replay_control control = {.stop = cli->stop};
    struct evs_comparison cmp;
    const struct evs_opts *o = &cli->opts;
    bool verify = evs_opts_given(o, "verify"), dry = evs_opts_given(o, "dry-run");
    struct evs_compare_opts co = {.plan = p,
                                  .client = c,
                                  .control = &control,
                                  .timeout_ms = cli->timeout_ms,
                                  .examples = (size_t)evs_opts_int(o, "examples"),
                                  .memory_bytes = (size_t)evs_opts_int(o, "memory"),
                                  .progress = progress};
    enum evs_rc rc = verify ? evs_replay_verify(&co, &cmp, &err) : evs_replay_diff(&co, &cmp, &err);
    evs_progress_clear();
    int exit_code = EVS_EXIT_OK;
    if (rc == EVS_EOF) {
        evs_cli_warn(cli, "stopped: what was compared is not the whole");
        exit_code = EVS_EXIT_STOPPED;
    } else if (rc) {
        exit_code = evs_cli_fail(&err);
    } else {
        as_if_written(&cmp);
        if (cli->json)
            print_json(&cmp, verify, dry && !verify);
        else
            print_text(&cmp, verify);
        if (verify &&
            cmp.n[EVS_CHANGE_MISSING] + cmp.n[EVS_CHANGE_EXTRA] + cmp.n[EVS_CHANGE_DIFFERENT])
            exit_code = EVS_EXIT_FOUND;
    }
    evs_comparison_done(&cmp);
    return exit_code;
}
