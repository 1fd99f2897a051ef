/* tui.c - from a command to the same place in the interface. */
#include <string.h>

#include "cli/cli.h"
#include "cli/session.h"
#include "kafka/client.h"

/* Commands whose screen has another name. */
static const struct {
    const char *command, *screen;
} screens[] = {{"lag", "groups"}};

static bool no_brokers(const struct evs_cli *cli)
{
    struct evs_client_conf conf;
    struct evs_err err = EVS_ERR_INIT;
    if (evs_session_conf(cli, &conf, &err))
        return false;
    bool none = !evs_client_conf_get(&conf, "bootstrap.servers");
    evs_client_conf_done(&conf);
    return none;
}

int evs_cli_tui(struct evs_cli *cli, const char *screen)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_cli_face face = {.screen = screen, .partition = -1};
    for (size_t i = 0; screen && i < EVS_COUNT(screens); i++)
        if (!strcmp(screens[i].command, screen))
            face.screen = screens[i].screen;
    if (cli->cmd && (cli->cmd->groups & EVS_CMD_TOPIC) && cli->n_args > 0)
        face.topic = cli->args[0];
    if (cli->cmd && (cli->cmd->groups & EVS_CMD_READ))
        face.offset = evs_opts_str(&cli->opts, "offset");
    if (!strcmp(face.screen ? face.screen : "", "trace") && cli->n_args > 1)
        face.key = cli->args[1];
    if (!no_brokers(cli) && evs_session_client(cli, &face.client, &err)) {
        face.client = NULL;
        face.problem = &err;
    }
    int exit_code = cli->open_face(cli, &face);
    evs_client_free(face.client);
    return exit_code;
}
