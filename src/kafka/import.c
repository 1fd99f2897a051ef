#include "kafka/import.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/xalloc.h"

struct import {
    const struct evs_conf *conf;
    struct evs_client_conf *to;
    struct evs_buf *ignored;
};

static void set(struct import *im, const struct evs_conf_item *item, const char *name,
                const char *value)
{
    char origin[300];
    evs_client_conf_set(im->to, name, value,
                        evs_conf_origin(im->conf, item, origin, sizeof(origin)));
}

static void ignore(struct import *im, const char *name)
{
    if (!im->ignored)
        return;
    if (im->ignored->len)
        evs_buf_adds(im->ignored, ", ");
    evs_buf_adds(im->ignored, name);
}

/* --- sasl.jaas.config ------------------------------------------------------------------------- */

/* The next word of JAAS syntax into to: quoted with escapes, or up to space, '=' or ';'. */
static const char *jaas_word(const char *s, struct evs_buf *to)
{
    evs_buf_reset(to);
    s += strspn(s, " \t");
    if (*s == '"' || *s == '\'') {
        char quote = *s++;
        for (; *s && *s != quote; s++) {
            s += *s == '\\' && s[1];
            evs_buf_addc(to, *s);
        }
        return *s ? s + 1 : s;
    }
    size_t len = strcspn(s, " \t=;");
    evs_buf_add(to, s, len);
    return s + len;
}

static void set_jaas_option(struct import *im, const struct evs_conf_item *item, const char *name,
                            const char *value)
{
    static const char *const names[][2] = {
        {"username", "sasl.username"},
        {"password", "sasl.password"},
        {"keyTab", "sasl.kerberos.keytab"},
        {"principal", "sasl.kerberos.principal"},
        {"serviceName", "sasl.kerberos.service.name"},
        {"clientId", "sasl.oauthbearer.client.id"},
        {"clientSecret", "sasl.oauthbearer.client.secret"},
        {"scope", "sasl.oauthbearer.scope"},
    };
    for (size_t i = 0; i < EVS_COUNT(names); i++)
        if (!strcmp(name, names[i][0]))
            set(im, item, names[i][1], value);
}

static enum evs_rc import_jaas(struct import *im, const struct evs_conf_item *item,
                               struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf word = EVS_BUF_INIT(65536), value = EVS_BUF_INIT(65536);
    const char *s = jaas_word(item->value, &word);
    const char *module = strrchr(evs_buf_str(&word), '.');
    module = module ? module + 1 : evs_buf_str(&word);
    static const char *const known[] = {"PlainLoginModule", "ScramLoginModule", "Krb5LoginModule",
                                        "OAuthBearerLoginModule"};
    bool is_known = false;
    for (size_t i = 0; i < EVS_COUNT(known); i++)
        is_known |= !strcmp(module, known[i]);
    if (!is_known) {
        evs_conf_fail(im->conf, item, err, "login module %s has no counterpart here", module);
        return evs_hint(err, "PLAIN, SCRAM, GSSAPI and OAUTHBEARER can be used");
    }
    if (!strcmp(module, "OAuthBearerLoginModule"))
        set(im, item, "sasl.oauthbearer.method", "oidc");
    s = jaas_word(s, &word);
    if (strcmp(evs_buf_str(&word), "required"))
        return evs_conf_fail(im->conf, item, err, "sasl.jaas.config: 'required' is missing");
    for (;;) {
        s = jaas_word(s, &word);
        s += strspn(s, " \t");
        if (!word.len || *s != '=')
            break;
        s = jaas_word(s + 1, &value);
        set_jaas_option(im, item, evs_buf_str(&word), evs_buf_str(&value));
    }
    s += strspn(s, " \t");
    if (*s != ';')
        return evs_conf_fail(im->conf, item, err, "sasl.jaas.config: does not end in ';'");
    return EVS_OK;
}

/* --- stores ----------------------------------------------------------------------------------- */

static bool ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcasecmp(s + n - m, end);
}

/* "PEM", "PKCS12" or "JKS": as declared, else by the file's name as Java's default is JKS. */
static const char *store_type(struct import *im, const char *which, const char *path)
{
    char name[64];
    snprintf(name, sizeof(name), "ssl.%s.type", which);
    const struct evs_conf_item *type = evs_conf_find(im->conf, "", name);
    if (type)
        return type->value;
    if (ends_in(path, ".pem") || ends_in(path, ".crt") || ends_in(path, ".cer"))
        return "PEM";
    return ends_in(path, ".p12") || ends_in(path, ".pfx") ? "PKCS12" : "JKS";
}

static enum evs_rc import_truststore(struct import *im, const struct evs_conf_item *item,
                                     struct evs_err *err)
{
    const char *path = item->value, *type = store_type(im, "truststore", path);
    if (!strcasecmp(type, "PEM")) {
        set(im, item, "ssl.ca.location", path);
        return EVS_OK;
    }
    evs_conf_fail(im->conf, item, err, "the trust store %s is %s; PEM is needed", path, type);
    if (!strcasecmp(type, "PKCS12"))
        return evs_hint(err,
                        "openssl pkcs12 -in %s -nokeys -out ca.pem; then ssl.truststore.type=PEM "
                        "and ssl.truststore.location=ca.pem",
                        path);
    return evs_hint(err,
                    "keytool -list -rfc -keystore %s > ca.pem; then ssl.truststore.type=PEM and "
                    "ssl.truststore.location=ca.pem",
                    path);
}

static enum evs_rc import_keystore(struct import *im, const struct evs_conf_item *item,
                                   struct evs_err *err)
{
    const char *path = item->value, *type = store_type(im, "keystore", path);
    if (!strcasecmp(type, "PEM")) {
        set(im, item, "ssl.certificate.location", path);
        set(im, item, "ssl.key.location", path);
        return EVS_OK;
    }
    if (!strcasecmp(type, "PKCS12")) {
        set(im, item, "ssl.keystore.location", path);
        return EVS_OK;
    }
    evs_conf_fail(im->conf, item, err, "the key store %s is %s; PKCS12 or PEM is needed", path,
                  type);
    return evs_hint(err,
                    "keytool -importkeystore -srckeystore %s -destkeystore client.p12 "
                    "-deststoretype PKCS12; then name client.p12",
                    path);
}

static enum evs_rc import_host_check(struct import *im, const struct evs_conf_item *item,
                                     struct evs_err *err)
{
    (void)err;
    set(im, item, "ssl.endpoint.identification.algorithm", *item->value ? item->value : "none");
    return EVS_OK;
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct row {
    const char *java, *ours; /* ours NULL: by special or, without one, left out */
    enum evs_rc (*special)(struct import *im, const struct evs_conf_item *item,
                           struct evs_err *err);
} rows[] = {
    {"bootstrap.servers", "bootstrap.servers", NULL},
    {"security.protocol", "security.protocol", NULL},
    {"client.id", "client.id", NULL},
    {"client.rack", "client.rack", NULL},
    {"sasl.mechanism", "sasl.mechanism", NULL},
    {"sasl.jaas.config", NULL, import_jaas},
    {"sasl.kerberos.service.name", "sasl.kerberos.service.name", NULL},
    {"sasl.oauthbearer.token.endpoint.url", "sasl.oauthbearer.token.endpoint.url", NULL},
    {"ssl.truststore.location", NULL, import_truststore},
    {"ssl.truststore.certificates", "ssl.ca.pem", NULL},
    {"ssl.keystore.location", NULL, import_keystore},
    {"ssl.keystore.password", "ssl.keystore.password", NULL},
    {"ssl.keystore.certificate.chain", "ssl.certificate.pem", NULL},
    {"ssl.keystore.key", "ssl.key.pem", NULL},
    {"ssl.key.password", "ssl.key.password", NULL},
    {"ssl.cipher.suites", "ssl.cipher.suites", NULL},
    {"ssl.endpoint.identification.algorithm", NULL, import_host_check},
    {"isolation.level", "isolation.level", NULL},
    {"socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.ms", NULL},
    {"fetch.max.bytes", "fetch.max.bytes", NULL},
};

static enum evs_rc import_java(struct import *im, const struct evs_conf_item *item,
                               struct evs_err *err)
{
    for (size_t i = 0; i < EVS_COUNT(rows); i++) {
        if (strcmp(item->name, rows[i].java))
            continue;
        if (rows[i].special)
            return rows[i].special(im, item, err);
        set(im, item, rows[i].ours, item->value);
        return EVS_OK;
    }
    ignore(im, item->name);
    return EVS_OK;
}

const char *evs_import_name(const char *name)
{
    static const char *const whole[] = {"topic.metadata.", "topic.blacklist"};
    for (size_t i = 0; i < EVS_COUNT(whole); i++)
        if (!strncmp(name, whole[i], strlen(whole[i])))
            return name;
    return strncmp(name, "topic.", 6) ? name : name + 6;
}

enum evs_rc evs_import(const struct evs_conf *conf, struct evs_client_conf *to,
                       struct evs_buf *ignored, struct evs_err *err)
{
    struct import im = {conf, to, ignored};
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < conf->n; i++) {
        const struct evs_conf_item *item = &conf->items[i];
        if (conf->kind == EVS_CONF_JAVA) {
            rc = import_java(&im, item, err);
            continue;
        }
        set(&im, item, evs_import_name(item->name), item->value);
    }
    return rc;
}
