/* probe_tls.c - the TLS layer of a connection: chain, name, expiry. */
#include "kafka/probe.h"

#ifdef HAVE_OPENSSL
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/probe_int.h"

struct session {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

static const char *last_error(char *to, size_t n)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;
    snprintf(to, n, "%s", reason ? reason : "the connection was closed");
    ERR_clear_error();
    return to;
}

static enum evs_rc add_pem(SSL_CTX *ctx, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert;
    int n = 0;
    while (bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert);
        X509_free(cert);
    }
    BIO_free(bio);
    ERR_clear_error();
    return n ? EVS_OK : EVS_INVALID;
}

static enum evs_rc load_trust(SSL_CTX *ctx, const struct evs_client_conf *conf, struct evs_err *err)
{
    char why[160];
    const char *file = evs_client_conf_get(conf, "ssl.ca.location");
    const char *pem = evs_client_conf_get(conf, "ssl.ca.pem");
    if (pem && add_pem(ctx, pem))
        return evs_fail(err, EVS_RETRY, "ssl.ca.pem holds no certificate");
    if (pem)
        return EVS_OK;
    if (!file || !strcmp(file, "probe")) {
        SSL_CTX_set_default_verify_paths(ctx);
        return EVS_OK;
    }
    if (SSL_CTX_load_verify_file(ctx, file) == 1 || SSL_CTX_load_verify_dir(ctx, file) == 1) {
        ERR_clear_error();
        return EVS_OK;
    }
    evs_fail(err, EVS_RETRY, "ssl.ca.location %s cannot be used: %s", file,
             last_error(why, sizeof(why)));
    return evs_hint(err, "it must be a PEM file or folder that this user can read");
}

static enum evs_rc load_own(SSL_CTX *ctx, const struct evs_client_conf *conf, struct evs_err *err)
{
    char why[160];
    const char *cert = evs_client_conf_get(conf, "ssl.certificate.location");
    const char *key = evs_client_conf_get(conf, "ssl.key.location");
    const char *password = evs_client_conf_get(conf, "ssl.key.password");
    if (!cert || !key)
        return EVS_OK;
    if (password)
        SSL_CTX_set_default_passwd_cb_userdata(ctx, (void *)(uintptr_t)password);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) == 1 &&
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1)
        return EVS_OK;
    evs_fail(err, EVS_RETRY, "the client certificate cannot be used: %s",
             last_error(why, sizeof(why)));
    return evs_hint(err, "check ssl.certificate.location, ssl.key.location and ssl.key.password");
}

static enum evs_rc prepare(struct session *s, const char *host, const struct evs_client_conf *conf,
                           struct evs_err *err)
{
    const char *check = evs_client_conf_get(conf, "ssl.endpoint.identification.algorithm");
    s->ctx = SSL_CTX_new(TLS_client_method());
    if (!s->ctx)
        return evs_fail(err, EVS_FATAL, "OpenSSL cannot start");
    SSL_CTX_set_verify(s->ctx, SSL_VERIFY_NONE, NULL); /* looked at afterwards, to tell why */
    if (load_trust(s->ctx, conf, err) || load_own(s->ctx, conf, err))
        return err->code;
    s->ssl = SSL_new(s->ctx);
    if (!s->ssl || SSL_set_fd(s->ssl, s->fd) != 1)
        return evs_fail(err, EVS_FATAL, "OpenSSL cannot start");
    SSL_set_tlsext_host_name(s->ssl, host);
    /* librdkafka 2.0 checks the name unless told otherwise. */
    if (!check || strcasecmp(check, "none") != 0) {
        X509_VERIFY_PARAM *param = SSL_get0_param(s->ssl);
        if (X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1)
            SSL_set1_host(s->ssl, host);
        ERR_clear_error();
    }
    return EVS_OK;
}

static enum evs_rc shake(struct session *s, const char *host, int port, int64_t wait_ms,
                         struct evs_err *err)
{
    int64_t until = evs_clock_mono_us() + wait_ms * 1000;
    for (;;) {
        int rc = SSL_connect(s->ssl);
        if (rc == 1)
            return EVS_OK;
        int want = SSL_get_error(s->ssl, rc);
        struct pollfd p = {s->fd, want == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN, 0};
        int64_t left = (until - evs_clock_mono_us()) / 1000;
        if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
            break;
        if (left <= 0 || poll(&p, 1, (int)left) != 1) {
            evs_fail(err, EVS_RETRY, "%s:%d does not answer the TLS greeting", host, port);
            return evs_hint(err, "if this is a plain port, set security.protocol to plaintext or "
                                 "sasl_plaintext");
        }
    }
    char why[160];
    last_error(why, sizeof(why));
    bool plain = strstr(why, "wrong version number") || strstr(why, "closed") ||
                 strstr(why, "unexpected eof");
    evs_fail(err, EVS_RETRY, "%s:%d: the TLS handshake fails: %s", host, port, why);
    return plain ? evs_hint(err, "if this is a plain port, set security.protocol to plaintext or "
                                 "sasl_plaintext")
                 : evs_hint(err, "see ssl.* in the configuration; openssl s_client -connect %s:%d",
                            host, port);
}

static int64_t time_of(const ASN1_TIME *t)
{
    struct tm tm;
    if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
        return -1;
    return (int64_t)timegm(&tm) * 1000;
}

static enum evs_rc judge_chain(long result, const char *host, const struct evs_client_conf *conf,
                               const struct evs_probe_tls *tls, struct evs_err *err)
{
    const char *verify = evs_client_conf_get(conf, "enable.ssl.certificate.verification");
    if (result == X509_V_OK || (verify && !strcmp(verify, "false")))
        return EVS_OK;
    evs_fail_native(err, EVS_RETRY, "x509", (int)result, "the broker's certificate is refused: %s",
                    X509_verify_cert_error_string(result));
    if (result == X509_V_ERR_CERT_HAS_EXPIRED)
        return evs_hint(err, "it has expired: the broker needs a new certificate");
    if (result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH)
        return evs_hint(err,
                        "it is not for the name %s: connect by the name that it has, or add this "
                        "name to its subjectAltName",
                        host);
    return evs_hint(err,
                    "its issuer is not trusted here (%.100s): set ssl.ca.location to the PEM file "
                    "of that authority",
                    tls->issuer);
}

static void done(struct session *s)
{
    SSL_free(s->ssl);
    SSL_CTX_free(s->ctx);
    close(s->fd);
}

enum evs_rc evs_probe_tls(const char *host, int port, const struct evs_client_conf *conf,
                          int64_t wait_ms, struct evs_probe_tls *ret_tls, struct evs_err *err)
{
    struct session s = {NULL, NULL, -1};
    struct evs_probe_tls tls = {.not_after_ms = -1};
    enum evs_rc rc = evs_probe_connect(host, port, wait_ms, &s.fd, err);
    if (rc)
        return rc;
    rc = prepare(&s, host, conf, err);
    if (!rc)
        rc = shake(&s, host, port, wait_ms, err);
    if (!rc) {
        X509 *cert = SSL_get1_peer_certificate(s.ssl);
        snprintf(tls.version, sizeof(tls.version), "%s", SSL_get_version(s.ssl));
        if (cert) {
            X509_NAME_oneline(X509_get_subject_name(cert), tls.subject, sizeof(tls.subject));
            X509_NAME_oneline(X509_get_issuer_name(cert), tls.issuer, sizeof(tls.issuer));
            tls.not_after_ms = time_of(X509_get0_notAfter(cert));
            X509_free(cert);
        }
        rc = judge_chain(SSL_get_verify_result(s.ssl), host, conf, &tls, err);
        *ret_tls = tls;
    }
    done(&s);
    return rc;
}

/* --- bytes over it ---------------------------------------------------------------------------- */

struct evs_probe_link {
    struct session s; /* ssl NULL: in plain */
};

enum evs_rc evs_probe_link_open(const char *host, int port, const struct evs_client_conf *conf,
                                int64_t wait_ms, struct evs_probe_link **ret_l,
                                struct evs_err *err)
{
    const char *protocol = evs_client_conf_get(conf, "security.protocol");
    struct evs_probe_link *l = evs_xcalloc(1, sizeof(*l));
    struct evs_probe_tls tls = {.not_after_ms = -1};
    l->s.fd = -1;
    enum evs_rc rc = evs_probe_connect(host, port, wait_ms, &l->s.fd, err);
    bool secure = protocol && strcasestr(protocol, "ssl");
    if (!rc && secure)
        rc = prepare(&l->s, host, conf, err);
    if (!rc && secure)
        rc = shake(&l->s, host, port, wait_ms, err);
    if (!rc && secure)
        rc = judge_chain(SSL_get_verify_result(l->s.ssl), host, conf, &tls, err);
    if (rc)
        evs_probe_link_close(l);
    else
        *ret_l = l;
    return rc;
}

void evs_probe_link_close(struct evs_probe_link *l)
{
    if (l && l->s.fd >= 0)
        done(&l->s);
    evs_free(l);
}

/* Moves some bytes one way; > 0 moved, 0 wait for `events`, < 0 over. */
static int move(struct evs_probe_link *l, bool out, void *p, size_t n, short *ret_events)
{
    *ret_events = out ? POLLOUT : POLLIN;
    if (!l->s.ssl) {
        ssize_t got = out ? send(l->s.fd, p, n, MSG_NOSIGNAL) : recv(l->s.fd, p, n, 0);
        return got > 0 ? (int)got : got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    }
    int got = out ? SSL_write(l->s.ssl, p, (int)n) : SSL_read(l->s.ssl, p, (int)n);
    if (got > 0)
        return got;
    int want = SSL_get_error(l->s.ssl, got);
    *ret_events = want == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
    return want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static enum evs_rc move_all(struct evs_probe_link *l, bool out, void *p, size_t n, int64_t wait_ms,
                            struct evs_err *err)
{
    int64_t until = evs_clock_mono_us() + wait_ms * 1000;
    for (size_t at = 0; at < n;) {
        struct pollfd fd = {l->s.fd, 0, 0};
        int got = move(l, out, (uint8_t *)p + at, n - at, &fd.events);
        int64_t left = (until - evs_clock_mono_us()) / 1000;
        if (got < 0)
            return evs_fail(err, EVS_RETRY, "the connection was closed");
        if (!got && (left <= 0 || poll(&fd, 1, (int)left) < 0))
            return evs_fail(err, EVS_RETRY, "no answer in time");
        at += (size_t)got;
    }
    return EVS_OK;
}

enum evs_rc evs_probe_link_send(struct evs_probe_link *l, const void *p, size_t n, int64_t wait_ms,
                                struct evs_err *err)
{
    return move_all(l, true, (void *)(uintptr_t)p, n, wait_ms, err);
}

enum evs_rc evs_probe_link_recv(struct evs_probe_link *l, void *p, size_t n, int64_t wait_ms,
                                struct evs_err *err)
{
    return move_all(l, false, p, n, wait_ms, err);
}

#else

enum evs_rc evs_probe_tls(const char *host, int port, const struct evs_client_conf *conf,
                          int64_t wait_ms, struct evs_probe_tls *ret_tls, struct evs_err *err)
{
    (void)conf;
    (void)wait_ms;
    (void)ret_tls;
    evs_fail(err, EVS_AGAIN, "%s:%d: this build cannot look into TLS", host, port);
    return evs_hint(err, "install libssl-dev and run ./configure again");
}
#endif
