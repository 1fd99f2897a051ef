/* probe_scram.c - a SCRAM login without librdkafka: is the password right? */
#include "kafka/probe.h"

#ifdef HAVE_OPENSSL
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buf.h"
#include "core/num.h"
#include "kafka/client.h"
#include "kafka/probe_int.h"

enum {
    HANDSHAKE = 17,
    AUTHENTICATE = 36,
    REPLY_MAX = 65536,
    SALT_MAX = 1024,
    ROUNDS_MAX = 10000000,
    AUTH_FAILED = 58 /* SASL_AUTHENTICATION_FAILED */
};

struct scram {
    struct evs_probe_link *link;
    const EVP_MD *md;
    int64_t wait_ms;
    int32_t correlation;
    const char *user, *password, *mechanism;
};

static void put_int(struct evs_buf *b, int64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        evs_buf_addc(b, (char)(uint8_t)(v >> (8 * i)));
}

static int64_t get_int(const uint8_t *p, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return bytes == 2 ? (int16_t)v : (int32_t)v;
}

/* One request; the reply after its correlation id. */
static enum evs_rc ask(struct scram *s, int api, int version, const struct evs_buf *body,
                       struct evs_buf *ret_reply, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(REPLY_MAX);
    uint8_t size[4];
    put_int(&out, 16 + (int64_t)body->len, 4);
    put_int(&out, api, 2);
    put_int(&out, version, 2);
    put_int(&out, ++s->correlation, 4);
    put_int(&out, 6, 2);
    evs_buf_adds(&out, "doctor");
    evs_buf_add(&out, body->data, body->len);
    enum evs_rc rc = evs_probe_link_send(s->link, out.data, out.len, s->wait_ms, err);
    if (!rc)
        rc = evs_probe_link_recv(s->link, size, 4, s->wait_ms, err);
    int64_t n = rc ? 0 : get_int(size, 4);
    if (!rc && (n < 4 || n > REPLY_MAX))
        return evs_fail(err, EVS_RETRY, "the answer is not Kafka's");
    uint8_t chunk[512];
    evs_buf_reset(ret_reply);
    for (int64_t left = n; left > 0 && !rc;) {
        size_t take = left < (int64_t)sizeof(chunk) ? (size_t)left : sizeof(chunk);
        rc = evs_probe_link_recv(s->link, chunk, take, s->wait_ms, err);
        if (!rc)
            evs_buf_add(ret_reply, chunk, take);
        left -= (int64_t)take;
    }
    return rc;
}

static enum evs_rc handshake(struct scram *s, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(1024), reply = EVS_BUF_INIT(REPLY_MAX);
    put_int(&body, (int64_t)strlen(s->mechanism), 2);
    evs_buf_adds(&body, s->mechanism);
    enum evs_rc rc = ask(s, HANDSHAKE, 1, &body, &reply, err);
    if (!rc && (reply.len < 6 || get_int((const uint8_t *)reply.data + 4, 2)))
        return evs_fail(err, EVS_RETRY, "the broker does not take %s", s->mechanism);
    return rc;
}

/* Sends a SCRAM message; the broker's message as text, or EVS_FATAL: refused. */
static enum evs_rc say(struct scram *s, const char *text, size_t n, struct evs_buf *ret_text,
                       struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT(REPLY_MAX),
                                     reply = EVS_BUF_INIT(REPLY_MAX);
    put_int(&body, (int64_t)n, 4);
    evs_buf_add(&body, text, n);
    enum evs_rc rc = ask(s, AUTHENTICATE, 0, &body, &reply, err);
    if (rc)
        return rc;
    const uint8_t *p = (const uint8_t *)reply.data, *end = p + reply.len;
    int64_t code = reply.len >= 8 ? get_int(p + 4, 2) : -1;
    int64_t words = reply.len >= 8 ? get_int(p + 6, 2) : -1;
    p += 8;
    if (code)
        return evs_fail(err, code == AUTH_FAILED ? EVS_FATAL : EVS_RETRY, "%.*s",
                        words > 0 && words <= end - p ? (int)words : 7,
                        words > 0 && words <= end - p ? (const char *)p : "refused");
    p += words > 0 ? words : 0;
    int64_t len = end - p >= 4 ? get_int(p, 4) : -1;
    if (len < 0 || len > end - p - 4)
        return evs_fail(err, EVS_RETRY, "the answer is not Kafka's");
    evs_buf_reset(ret_text);
    evs_buf_add(ret_text, p + 4, (size_t)len);
    return EVS_OK;
}

/* The value of "x=" in "a=..,x=..": up to the next comma. */
static bool part(const char *text, char name, const char **ret_p, size_t *ret_n)
{
    for (const char *p = text; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (p[0] == name && p[1] == '=') {
            *ret_p = p + 2;
            *ret_n = strcspn(p + 2, ",");
            return true;
        }
    }
    return false;
}

static int digest_len(const struct scram *s)
{
    return EVP_MD_get_size(s->md);
}

static bool hmac(const struct scram *s, const uint8_t *key, const void *p, size_t n, uint8_t *to)
{
    unsigned len = 0;
    return HMAC(s->md, key, digest_len(s), p, n, to, &len) != NULL;
}

/* "c=biws,r=NONCE,p=PROOF" by RFC 5802. */
static enum evs_rc prove(const struct scram *s, const char *bare, const char *first,
                         struct evs_buf *out, struct evs_err *err)
{
    const char *nonce, *salt64, *rounds_text;
    size_t nonce_n, salt_n, rounds_n;
    int64_t rounds;
    uint8_t salt[SALT_MAX], salted[EVP_MAX_MD_SIZE], key[EVP_MAX_MD_SIZE], stored[EVP_MAX_MD_SIZE],
        sign[EVP_MAX_MD_SIZE];
    char digits[16];
    if (!part(first, 'r', &nonce, &nonce_n) || !part(first, 's', &salt64, &salt_n) ||
        !part(first, 'i', &rounds_text, &rounds_n) || salt_n >= SALT_MAX || salt_n % 4 ||
        !salt_n || rounds_n >= sizeof(digits))
        return evs_fail(err, EVS_RETRY, "the answer is not SCRAM's");
    snprintf(digits, sizeof(digits), "%.*s", (int)rounds_n, rounds_text);
    int n = EVP_DecodeBlock(salt, (const unsigned char *)salt64, (int)salt_n);
    n -= (salt64[salt_n - 1] == '=') + (salt64[salt_n - 2] == '=');
    if (n < 0 || evs_num_i64(digits, 1, ROUNDS_MAX, &rounds, err))
        return evs_fail(err, EVS_RETRY, "the answer is not SCRAM's");
    EVS_AUTO(evs_buf) struct evs_buf message = EVS_BUF_INIT(REPLY_MAX);
    evs_buf_printf(out, "c=biws,r=%.*s", (int)nonce_n, nonce);
    evs_buf_printf(&message, "%s,%s,%s", bare, first, evs_buf_str(out));
    unsigned len = 0;
    bool ok = PKCS5_PBKDF2_HMAC(s->password, (int)strlen(s->password), salt, n, (int)rounds, s->md,
                                digest_len(s), salted) == 1 &&
              hmac(s, salted, "Client Key", 10, key) &&
              EVP_Digest(key, (size_t)digest_len(s), stored, &len, s->md, NULL) == 1 &&
              hmac(s, stored, message.data, message.len, sign);
    for (int i = 0; ok && i < digest_len(s); i++)
        key[i] ^= sign[i];
    evs_buf_adds(out, ",p=");
    evs_buf_base64(out, key, (size_t)digest_len(s));
    return ok ? EVS_OK : evs_fail(err, EVS_RETRY, "OpenSSL cannot do it");
}

static enum evs_rc log_in(struct scram *s, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf bare = EVS_BUF_INIT(4096), hello = EVS_BUF_INIT(4096),
                                     first = EVS_BUF_INIT(REPLY_MAX), last = EVS_BUF_INIT(4096);
    uint8_t random[18];
    if (RAND_bytes(random, sizeof(random)) != 1)
        return evs_fail(err, EVS_RETRY, "no randomness");
    evs_buf_adds(&bare, "n=");
    for (const char *p = s->user; *p; p++)
        evs_buf_printf(&bare, *p == '=' ? "=3D" : *p == ',' ? "=2C" : "%c", *p);
    evs_buf_adds(&bare, ",r=");
    evs_buf_base64(&bare, random, sizeof(random));
    evs_buf_printf(&hello, "n,,%s", evs_buf_str(&bare));
    enum evs_rc rc = handshake(s, err);
    if (!rc)
        rc = say(s, hello.data, hello.len, &first, err);
    if (!rc)
        rc = prove(s, evs_buf_str(&bare), evs_buf_str(&first), &last, err);
    if (!rc)
        rc = say(s, last.data, last.len, &first, err);
    return rc;
}

enum evs_rc evs_probe_scram(const char *host, int port, const struct evs_client_conf *conf,
                            int64_t wait_ms, struct evs_err *err)
{
    struct evs_probe_link *link = NULL;
    const char *mechanism = evs_client_conf_get(conf, "sasl.mechanism");
    if (!mechanism)
        mechanism = evs_client_conf_get(conf, "sasl.mechanisms");
    struct scram s = {.md = mechanism && !strcasecmp(mechanism, "SCRAM-SHA-512") ? EVP_sha512()
                                                                                 : EVP_sha256(),
                      .wait_ms = wait_ms,
                      .user = evs_client_conf_get(conf, "sasl.username"),
                      .password = evs_client_conf_get(conf, "sasl.password"),
                      .mechanism = mechanism};
    if (!mechanism || strncasecmp(mechanism, "SCRAM-SHA-", 10) || !s.user || !s.password)
        return evs_fail(err, EVS_RETRY, "no SCRAM login is configured");
    enum evs_rc rc = evs_probe_link_open(host, port, conf, wait_ms, &link, err);
    if (rc)
        return rc;
    s.link = link;
    rc = log_in(&s, err);
    evs_probe_link_close(link);
    return rc;
}

#else

enum evs_rc evs_probe_scram(const char *host, int port, const struct evs_client_conf *conf,
                            int64_t wait_ms, struct evs_err *err)
{
    (void)conf;
    (void)wait_ms;
    return evs_fail(err, EVS_RETRY, "%s:%d: this build has no OpenSSL", host, port);
}
#endif
