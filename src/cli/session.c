#include "cli/session.h"

#include <string.h>

#include "cli/setup.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/num.h"
#include "filter/filter.h"
#include "kafka/client.h"
#include "kafka/range.h"

enum evs_rc evs_session_conf(const struct evs_cli *cli, struct evs_client_conf *ret_conf,
                             struct evs_err *err)
{
    struct evs_setup setup;
    enum evs_rc rc = evs_setup_load(cli, EVS_SETUP_USE, &setup, err);
    if (rc)
        return rc;
    if (evs_setup_exposed(&setup))
        evs_cli_warn(cli, "%s holds a password and others may read it: chmod 600 it", setup.path);
    if (evs_setup_flag(&setup, "utc"))
        evs_num_set_utc(true);
    *ret_conf = setup.client;
    evs_client_conf_init(&setup.client); /* moved */
    evs_setup_done(&setup);
    return EVS_OK;
}

enum evs_rc evs_session_client(const struct evs_cli *cli, struct evs_client **ret_c,
                               struct evs_err *err)
{
    struct evs_client_conf conf;
    enum evs_rc rc = evs_session_conf(cli, &conf, err);
    if (rc)
        return rc;
    rc = evs_client_new(&conf, ret_c, err);
    if (!rc)
        evs_client_stop_by(*ret_c, cli->stop);
    evs_client_conf_done(&conf);
    return rc;
}

void evs_session_where(const struct evs_cli *cli, struct evs_client *c,
                       struct evs_range_spec *ret_where)
{
    const struct evs_opts *o = &cli->opts;
    struct evs_range_spec spec = {
        .partitions = evs_opts_str(o, "partitions"),
        .since = evs_opts_str(o, "since"),
        .until = evs_opts_str(o, "until"),
        .now_ms = evs_clock_wall_ms(),
        .follow = evs_opts_given(o, "follow"),
    };
    const char *level = evs_opts_given(o, "isolation")
                            ? NULL
                            : evs_client_conf_get(evs_client_conf(c), "isolation.level");
    if (!level)
        level = evs_opts_str(o, "isolation");
    spec.isolation = strcmp(level, "read_uncommitted") ? EVS_READ_COMMITTED : EVS_READ_UNCOMMITTED;
    const char *place;
    for (size_t i = 0; (place = evs_opts_nth(o, "offset", i)); i++)
        *(strncmp(place, "e@", 2) ? &spec.from : &spec.to) = place;
    *ret_where = spec;
}

enum evs_rc evs_session_ranges(const struct evs_cli *cli, struct evs_client *c, const char *topic,
                               struct evs_ranges **ret_ranges, struct evs_err *err)
{
    struct evs_range_spec spec;
    evs_session_where(cli, c, &spec);
    return evs_range_resolve(c, topic, &spec, ret_ranges, err);
}

enum { TERMS_MAX = 64 };

enum evs_rc evs_session_filter(const struct evs_cli *cli, struct evs_filter **ret_f,
                               struct evs_err *err)
{
    static const struct {
        const char *opt;
        enum evs_filter_kind kind;
        bool invert;
    } kinds[] = {{"key", EVS_FILTER_KEY, false},          {"grep", EVS_FILTER_GREP, false},
                 {"header", EVS_FILTER_HEADER, false},    {"jq", EVS_FILTER_JQ, false},
                 {"not-key", EVS_FILTER_KEY, true},       {"not-grep", EVS_FILTER_GREP, true},
                 {"not-header", EVS_FILTER_HEADER, true}, {"not-jq", EVS_FILTER_JQ, true}};
    struct evs_filter_term terms[TERMS_MAX];
    size_t n = 0;
    bool ignore_case = evs_opts_given(&cli->opts, "ignore-case");
    for (size_t k = 0; k < EVS_COUNT(kinds); k++) {
        const char *text;
        for (size_t i = 0; (text = evs_opts_nth(&cli->opts, kinds[k].opt, i)); i++) {
            if (n == TERMS_MAX)
                return evs_fail(err, EVS_INVALID, "more than %d filters", TERMS_MAX);
            terms[n++] = (struct evs_filter_term){.kind = kinds[k].kind,
                                                  .text = text,
                                                  .invert = kinds[k].invert,
                                                  .ignore_case = ignore_case};
        }
    }
    *ret_f = NULL;
    return n ? evs_filter_new(terms, n, ret_f, err) : EVS_OK;
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum evs_rc evs_session_key(const char *text, struct evs_buf *to, struct evs_err *err)
{
    if (strncmp(text, "hex:", 4)) {
        evs_buf_adds(to, text);
        return EVS_OK;
    }
    for (const char *s = text + 4; *s; s += 2) {
        if (hex_of(s[0]) < 0 || !s[1] || hex_of(s[1]) < 0)
            return evs_fail(err, EVS_INVALID, "KEY '%s': not an even number of hex digits", text);
        evs_buf_addc(to, (char)(hex_of(s[0]) * 16 + hex_of(s[1])));
    }
    return EVS_OK;
}
