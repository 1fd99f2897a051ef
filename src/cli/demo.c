/* demo.c - the embedded cluster with live sample data. */
#include "cli/cli.h"
#include "cli/cmds.h"
#include "cli/out.h"
#include "core/jsonw.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/mock.h"

static void list(struct evs_jsonw *w, const char *name, const char *const *items)
{
    evs_jsonw_arr(w, name);
    for (; *items; items++)
        evs_jsonw_str(w, NULL, *items);
    evs_jsonw_end(w);
}

static void say_where(const struct evs_mock *m)
{
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(65536);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &line);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_str(&w, "brokers", evs_mock_brokers(m));
    list(&w, "topics", evs_mock_topics(m));
    list(&w, "groups", evs_mock_groups(m));
    evs_jsonw_end(&w);
    evs_out_json(&line);
}

static int serve(struct evs_cli *cli, struct evs_mock *m)
{
    struct evs_err err = EVS_ERR_INIT;
    enum evs_rc rc = evs_mock_wait(m, cli->stop, &err);
    if (rc == EVS_AGAIN)
        return EVS_EXIT_OK;
    if (rc)
        return evs_cli_fail(&err);
    say_where(m);
    while (!evs_stop_wait(cli->stop, 60000))
        ;
    return EVS_EXIT_OK;
}

/* The interface opens while the past is still being written: the first frame does not wait. */
static int open_face(struct evs_cli *cli, struct evs_mock *m)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_client_conf conf;
    struct evs_cli_face face = {.partition = -1, .demo = true, .groups = evs_mock_groups(m)};
    evs_client_conf_init(&conf);
    evs_client_conf_set(&conf, "bootstrap.servers", evs_mock_brokers(m), "demo");
    conf.cluster = evs_xstrdup("demo");
    conf.timeout_ms = cli->timeout_ms;
    enum evs_rc rc = evs_client_new(&conf, &face.client, &err);
    evs_client_conf_done(&conf);
    if (rc)
        return evs_cli_fail(&err);
    int exit_code = cli->open_face(cli, &face);
    evs_client_free(face.client);
    return exit_code;
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_mock_spec spec = {.seed = (uint64_t)evs_opts_int(&cli->opts, "seed"), .live = true};
    struct evs_mock *m = NULL;
    if (evs_mock_start(&spec, &m, &err))
        return evs_cli_fail(&err);
    bool headless = evs_opts_given(&cli->opts, "headless");
    int exit_code = headless ? serve(cli, m) : open_face(cli, m);
    evs_mock_free(m);
    return exit_code;
}

static const struct evs_opt opts[] = {
    {0, "headless", EVS_OPT_FLAG, NULL, NULL,
     "print where the cluster is as one JSON line and serve until stopped"},
    {0, "seed", EVS_OPT_INT, "N", "1", "the same seed gives the same records", .max = INT64_MAX},
    {0},
};

const struct evs_cmd evs_cmd_demo = {
    .name = "demo",
    .args = "",
    .summary = "an embedded cluster with live sample data",
    .about =
        "Starts librdkafka's mock cluster in this process, fills it with sample data (a hot key, a "
        "lagging group, a topic written with two partitioners, a badly named one) and opens the "
        "interface on it. Needs no broker and leaves nothing behind.",
    .example = "eventscope demo\neventscope demo --headless --seed 7",
    .opts = opts,
    .max_args = 0,
    .run = run,
};
