/* main.c - locale, signals, then one of the two faces. Nothing else exits the program. */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/text.h"

static struct evs_stop stop;

static void on_signal(int sig)
{
    (void)sig;
    evs_stop_raise(&stop);
}

static void catch_signals(void)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = on_signal;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    evs_text_set_ascii(strcmp(nl_langinfo(CODESET), "UTF-8") != 0);
    struct evs_err err = EVS_ERR_INIT;
    if (evs_stop_init(&stop, &err))
        return evs_cli_fail(&err);
    catch_signals();
    int exit_code = evs_cli_run(argc, argv, &stop);
    evs_stop_done(&stop);
    return exit_code;
}
