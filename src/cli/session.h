/* session.h - from parsed options to a client, ranges and a filter: what most commands start with.
 *
 * Layers: option > environment > profile > [defaults] > built in (core/conf.h). Errors name the
 * option or the file and line.
 *
 * Threads  main.   Owns  results are the caller's.   Errors  EVS_INVALID, and those of kafka/.
 * Cost     evs_session_client reads files only; evs_session_ranges asks the cluster.
 */
#ifndef EVS_CLI_SESSION_H
#define EVS_CLI_SESSION_H

#include "cli/cli.h"

struct evs_buf;
struct evs_client;
struct evs_client_conf;
struct evs_ranges;
struct evs_range_spec;
struct evs_filter;

/* The effective configuration of -b -C -F -X, environment and files. */
enum evs_rc evs_session_conf(const struct evs_cli *cli, struct evs_client_conf *ret_conf,
                             struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_session_client(const struct evs_cli *cli, struct evs_client **ret_c,
                               struct evs_err *err) EVS_MUST_USE;
/* -p -o --since --until --isolation --follow as a spec; its texts are the options'. */
void evs_session_where(const struct evs_cli *cli, struct evs_client *c,
                       struct evs_range_spec *ret_where);
/* The same on a topic. */
enum evs_rc evs_session_ranges(const struct evs_cli *cli, struct evs_client *c, const char *topic,
                               struct evs_ranges **ret_ranges, struct evs_err *err) EVS_MUST_USE;
/* -k --grep -i --header --jq compiled; NULL in *ret_f when none was given. */
enum evs_rc evs_session_filter(const struct evs_cli *cli, struct evs_filter **ret_f,
                               struct evs_err *err) EVS_MUST_USE;
/* KEY, or hex:6b6579 for bytes that no command line takes, appended. */
enum evs_rc evs_session_key(const char *text, struct evs_buf *to, struct evs_err *err) EVS_MUST_USE;

#endif
