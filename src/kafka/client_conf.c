/* client_conf.c - a cluster's configuration as plain data. */
#include "kafka/client.h"

#include <string.h>

#include "core/xalloc.h"

enum { TIMEOUT_MS = 10000 };

void evs_client_conf_init(struct evs_client_conf *conf)
{
    memset(conf, 0, sizeof(*conf));
    conf->timeout_ms = TIMEOUT_MS;
}

static const char *canonical(const char *name)
{
    return strcmp(name, "metadata.broker.list") ? name : "bootstrap.servers";
}

static struct evs_client_prop *find(const struct evs_client_conf *conf, const char *name)
{
    name = canonical(name);
    for (size_t i = 0; i < conf->n_props; i++)
        if (!strcmp(conf->props[i].name, name))
            return &conf->props[i];
    return NULL;
}

void evs_client_conf_set(struct evs_client_conf *conf, const char *name, const char *value,
                         const char *origin)
{
    struct evs_client_prop *p = find(conf, name);
    if (!p) {
        conf->props = evs_xgrow(conf->props, conf->n_props + 1, sizeof(*conf->props));
        p = &conf->props[conf->n_props++];
        *p = (struct evs_client_prop){.name = evs_xstrdup(canonical(name))};
    }
    char *new_value = evs_xstrdup(value), *new_origin = evs_xstrdup(origin);
    evs_free(p->value);
    evs_free(p->origin);
    p->value = new_value;
    p->origin = new_origin;
}

const char *evs_client_conf_get(const struct evs_client_conf *conf, const char *name)
{
    const struct evs_client_prop *p = find(conf, name);
    return p ? p->value : NULL;
}

void evs_client_conf_copy(struct evs_client_conf *to, const struct evs_client_conf *from)
{
    *to = *from;
    to->cluster = evs_xstrdup(from->cluster);
    to->origin = evs_xstrdup(from->origin);
    to->props = NULL;
    to->n_props = 0;
    for (size_t i = 0; i < from->n_props; i++)
        evs_client_conf_set(to, from->props[i].name, from->props[i].value, from->props[i].origin);
}

void evs_client_conf_done(struct evs_client_conf *conf)
{
    for (size_t i = 0; i < conf->n_props; i++) {
        evs_free(conf->props[i].name);
        evs_free(conf->props[i].value);
        evs_free(conf->props[i].origin);
    }
    evs_free(conf->props);
    evs_free(conf->cluster);
    evs_free(conf->origin);
    memset(conf, 0, sizeof(*conf));
}

bool evs_client_is_secret(const char *prop)
{
    static const char *const words[] = {
        "password",         "secret", "ssl.key.pem", "ssl_key", "sasl.oauthbearer.config",
        "sasl.jaas.config", "token"};
    if (!strcmp(prop, "sasl.oauthbearer.token.endpoint.url"))
        return false;
    for (size_t i = 0; i < EVS_COUNT(words); i++)
        if (strstr(prop, words[i]))
            return true;
    return false;
}
