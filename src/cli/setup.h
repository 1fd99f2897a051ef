/* setup.h - the effective configuration: file, profile, environment and options in one.
 *
 * Layers: option > environment > profile > [defaults] > built in. The file is -F, else
 * EVENTSCOPE_CONFIG, else eventscope.conf in the configuration home; kcat's own file is never read
 * unless named. With -b and no named profile no profile applies: its secrets are not for other
 * hosts.
 *
 * Threads  main.   Owns  a setup owns everything in it; free with evs_setup_done.
 * Errors   EVS_INVALID "eventscope.conf:14: unknown key "brokes": did you mean "brokers"?".
 * Cost     reads files; runs password_command only for a client.
 */
#ifndef EVS_CLI_SETUP_H
#define EVS_CLI_SETUP_H

#include "cli/cli.h"
#include "core/buf.h"
#include "core/conf.h"
#include "kafka/client.h"

struct evs_setup {
    char *path;           /* the file that was looked for last; NULL: no home */
    const char *path_why; /* "--config", "EVENTSCOPE_CONFIG", "default" */
    bool has_file;
    struct evs_conf file;
    char *profile; /* NULL: none */
    char *profile_origin;
    struct evs_client_conf client;
    struct evs_buf ignored; /* names of a foreign file that are left out */
};

enum evs_setup_how {
    EVS_SETUP_USE, /* all values, password_command is run */
    EVS_SETUP_SHOW /* password_command is not run */
};
enum evs_rc evs_setup_load(const struct evs_cli *cli, enum evs_setup_how how,
                           struct evs_setup *ret_setup, struct evs_err *err) EVS_MUST_USE;
/* Only the file, checked: sections, keys and values of all profiles. */
enum evs_rc evs_setup_file(const struct evs_cli *cli, struct evs_setup *ret_setup,
                           struct evs_err *err) EVS_MUST_USE;
void evs_setup_done(struct evs_setup *s);
/* The file that is looked for, owned; NULL without a home. */
char *evs_setup_where(const struct evs_cli *cli);

/* A setting below options and environment: the profile's, else [defaults]'. NULL: not set. The
 * origin is written to (may be NULL). */
const char *evs_setup_get(const struct evs_setup *s, const char *name, char *origin, size_t n);
bool evs_setup_flag(const struct evs_setup *s, const char *name);
/* The profile's groups, as a list that ends in NULL over *ret_text; NULL: none. Free both. */
const char **evs_setup_groups(const struct evs_setup *s, char **ret_text) EVS_MUST_USE;
/* A file that holds a literal secret and can be read by others. */
bool evs_setup_exposed(const struct evs_setup *s);

/* What a file may set: rows of [defaults], of [cluster NAME] besides librdkafka's properties, and
 * of [sink NAME]. */
extern const struct evs_opt evs_settings_defaults[], evs_settings_cluster[], evs_settings_sink[];
/* A commented eventscope.conf with every setting. */
void evs_setup_starter(struct evs_buf *out);

#endif
