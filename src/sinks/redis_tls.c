#include "sinks/redis_tls.h"

#include <string.h>

#include "core/xalloc.h"

void evs_redis_tls_opts_done(struct evs_redis_tls_opts *o)
{
    char *texts[] = {o->cacert, o->cert, o->key, o->sni};
    for (size_t i = 0; i < EVS_COUNT(texts); i++)
        evs_free(texts[i]);
    memset(o, 0, sizeof(*o));
}

enum evs_rc evs_redis_tls_opt(struct evs_redis_tls_opts *o, const char *name, const char *value,
                              struct evs_err *err)
{
    const struct {
        const char *name;
        char **to;
    } texts[] = {{"cacert", &o->cacert}, {"cert", &o->cert}, {"key", &o->key}, {"sni", &o->sni}};
    for (size_t i = 0; i < EVS_COUNT(texts); i++)
        if (!strcmp(name, texts[i].name) && *value) {
            evs_free(*texts[i].to);
            *texts[i].to = evs_xstrdup(value);
            return EVS_OK;
        }
    if (!strcmp(name, "insecure") && (!strcmp(value, "1") || !strcmp(value, "0"))) {
        o->insecure = *value == '1';
        return EVS_OK;
    }
    evs_fail(err, EVS_INVALID, "unknown option %s=%s", name, value);
    return evs_hint(err,
                    "rediss://host:port/db?cacert=FILE&cert=FILE&key=FILE&sni=NAME&insecure=1");
}

#ifdef HAVE_OPENSSL

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/thread.h"

enum { ROOM = 1 << 16, SLICE_MS = 100 };

struct way { /* bytes on their way in one direction */
    char data[ROOM];
    size_t from, to;
};

struct evs_redis_tls {
    SSL_CTX *ctx;
    SSL *ssl;
    int net, app; /* the server's socket; our end of the pair */
    struct evs_thread *thread;
    struct way out, in;
};

/* --- words ----------------------------------------------------------------------------------- */
static const char *why_not(char *to, size_t n)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;
    snprintf(to, n, "%s", reason ? reason : "the server closed the connection");
    ERR_clear_error();
    return to;
}

/* Why the handshake failed, and what helps. */
static enum evs_rc refused(const struct evs_redis_tls *t, const char *host, int port,
                           struct evs_err *err)
{
    char why[200];
    long verify = SSL_get_verify_result(t->ssl);
    unsigned long e = ERR_peek_last_error();
    int reason = ERR_GET_REASON(e);
    if (verify == X509_V_ERR_HOSTNAME_MISMATCH || verify == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        evs_fail(err, EVS_FATAL, "%s:%d: the server's certificate is for another name", host, port);
        evs_hint(err, "connect by a name that it has, or say that name with ?sni=NAME");
    } else if (verify != X509_V_OK) {
        evs_fail(err, EVS_FATAL, "%s:%d: the server's certificate is not trusted: %s", host, port,
                 X509_verify_cert_error_string(verify));
        evs_hint(err, "?cacert=FILE names the authority that signed it");
    } else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
        evs_fail(err, EVS_FATAL, "%s:%d: the server does not speak TLS on this port", host, port);
        evs_hint(err, "redis:// for a plain port");
    } else {
        evs_fail(err, EVS_FATAL, "%s:%d: TLS: %s", host, port, why_not(why, sizeof(why)));
        if (strstr(why, "certificate required") || strstr(why, "handshake failure"))
            evs_hint(err, "the server may ask for a certificate of ours: ?cert=FILE&key=FILE");
    }
    ERR_clear_error();
    return err->code;
}

/* --- connecting ------------------------------------------------------------------------------ */
static enum evs_rc wait_fd(int fd, short events, int64_t until_us, struct evs_stop *stop,
                           const char *host, int port, struct evs_err *err)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        if (stop && evs_stop_raised(stop))
            return evs_fail(err, EVS_EOF, "stopped");
        if (evs_clock_mono_us() > until_us)
            return evs_fail(err, EVS_RETRY, "%s:%d: no answer in time", host, port);
        if (poll(&p, 1, SLICE_MS) > 0)
            return EVS_OK;
    }
}

static enum evs_rc connect_one(const struct addrinfo *a, int64_t until_us, struct evs_stop *stop,
                               const char *host, int port, int *ret_fd, struct evs_err *err)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    int failed = fd < 0 ? errno : 0, one = 1;
    socklen_t n = sizeof(failed);
    enum evs_rc rc = EVS_OK;
    if (!failed && connect(fd, a->ai_addr, a->ai_addrlen) && errno != EINPROGRESS)
        failed = errno;
    if (!failed)
        rc = wait_fd(fd, POLLOUT, until_us, stop, host, port, err);
    if (!failed && !rc && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n))
        failed = errno;
    if (failed)
        rc = evs_fail_native(err, EVS_RETRY, "redis", failed, "%s:%d: %s", host, port,
                             strerror(failed));
    if (rc) {
        if (fd >= 0)
            close(fd);
        return rc;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    *ret_fd = fd;
    return EVS_OK;
}

static enum evs_rc connect_net(struct evs_redis_tls *t, const char *host, int port,
                               int64_t until_us, struct evs_stop *stop, struct evs_err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    char service[16];
    snprintf(service, sizeof(service), "%d", port);
    int failed = getaddrinfo(host, service, &hints, &all);
    if (failed)
        return evs_fail(err, EVS_RETRY, "%s:%d: %s", host, port, gai_strerror(failed));
    enum evs_rc rc = EVS_RETRY;
    for (const struct addrinfo *a = all; a && rc == EVS_RETRY; a = a->ai_next)
        rc = connect_one(a, until_us, stop, host, port, &t->net, err);
    freeaddrinfo(all);
    return rc;
}

static int no_password(char *to, int size, int writing, void *ctx)
{
    (void)to;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1; /* never a prompt in the middle of a run */
}

static enum evs_rc load_files(struct evs_redis_tls *t, const struct evs_redis_tls_opts *o,
                              struct evs_err *err)
{
    char why[200];
    SSL_CTX_set_default_passwd_cb(t->ctx, no_password);
    const char *files[] = {o->cacert, o->cert, o->key};
    for (size_t i = 0; i < EVS_COUNT(files); i++)
        if (files[i] && access(files[i], R_OK))
            return evs_fail_errno(err, errno, "%s", files[i]);
    if (!o->cacert)
        SSL_CTX_set_default_verify_paths(t->ctx);
    else if (SSL_CTX_load_verify_file(t->ctx, o->cacert) != 1 &&
             SSL_CTX_load_verify_dir(t->ctx, o->cacert) != 1)
        return evs_fail(err, EVS_FATAL, "cacert %s: %s", o->cacert, why_not(why, sizeof(why)));
    ERR_clear_error();
    if (!o->cert != !o->key)
        return evs_fail(err, EVS_INVALID, "cert and key belong together");
    if (!o->cert)
        return EVS_OK;
    if (SSL_CTX_use_certificate_chain_file(t->ctx, o->cert) != 1)
        return evs_fail(err, EVS_FATAL, "cert %s: %s", o->cert, why_not(why, sizeof(why)));
    if (SSL_CTX_use_PrivateKey_file(t->ctx, o->key, SSL_FILETYPE_PEM) != 1)
        return evs_fail(err, EVS_FATAL, "key %s: %s", o->key, why_not(why, sizeof(why)));
    return EVS_OK;
}

static enum evs_rc prepare(struct evs_redis_tls *t, const struct evs_redis_tls_opts *o,
                           const char *host, struct evs_err *err)
{
    const char *name = o->sni ? o->sni : host;
    t->ctx = SSL_CTX_new(TLS_client_method());
    if (!t->ctx)
        return evs_fail(err, EVS_FATAL, "OpenSSL cannot start");
    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(t->ctx, o->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    enum evs_rc rc = load_files(t, o, err);
    if (rc)
        return rc;
    t->ssl = SSL_new(t->ctx);
    if (!t->ssl || SSL_set_fd(t->ssl, t->net) != 1)
        return evs_fail(err, EVS_FATAL, "OpenSSL cannot start");
    X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name) != 1) {
        SSL_set1_host(t->ssl, name);
        SSL_set_tlsext_host_name(t->ssl, name); /* an address is no server name */
    }
    ERR_clear_error();
    return EVS_OK;
}

static enum evs_rc shake(struct evs_redis_tls *t, const char *host, int port, int64_t until_us,
                         struct evs_stop *stop, struct evs_err *err)
{
    for (;;) {
        int done = SSL_connect(t->ssl);
        if (done == 1)
            return EVS_OK;
        int want = SSL_get_error(t->ssl, done);
        if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
            return refused(t, host, port, err);
        enum evs_rc rc = wait_fd(t->net, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until_us,
                                 stop, host, port, err);
        if (rc == EVS_RETRY)
            evs_hint(err, "does it speak TLS on this port? redis:// for a plain one");
        if (rc)
            return rc;
    }
}

/* --- carrying -------------------------------------------------------------------------------- */
enum { OVER = -1, STILL, MOVED };

/* The result of SSL_read or SSL_write: > 0 moved. */
static int judge(struct evs_redis_tls *t, int n, short *events)
{
    if (n > 0)
        return MOVED;
    int want = SSL_get_error(t->ssl, n);
    *events |= want == SSL_ERROR_WANT_READ ? POLLIN : want == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
    return want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE ? STILL : OVER;
}

static int judge_app(ssize_t n)
{
    if (n > 0)
        return MOVED;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? STILL : OVER;
}

/* hiredis to the server. */
static int carry_out(struct evs_redis_tls *t, short *net, short *app)
{
    struct way *w = &t->out;
    int moved = STILL;
    if (w->from == w->to) {
        ssize_t n = recv(t->app, w->data, ROOM, MSG_DONTWAIT);
        moved = judge_app(n);
        *app |= POLLIN;
        if (moved != MOVED)
            return moved;
        w->from = 0;
        w->to = (size_t)n;
    }
    ERR_clear_error();
    int n = SSL_write(t->ssl, w->data + w->from, (int)(w->to - w->from));
    moved = judge(t, n, net);
    w->from += n > 0 ? (size_t)n : 0;
    return moved;
}

/* The server to hiredis. */
static int carry_in(struct evs_redis_tls *t, short *net, short *app)
{
    struct way *w = &t->in;
    if (w->from == w->to) {
        ERR_clear_error();
        int n = SSL_read(t->ssl, w->data, ROOM);
        int moved = judge(t, n, net);
        if (moved != MOVED)
            return moved;
        w->from = 0;
        w->to = (size_t)n;
    }
    ssize_t n = send(t->app, w->data + w->from, w->to - w->from, MSG_DONTWAIT | MSG_NOSIGNAL);
    int moved = judge_app(n);
    w->from += n > 0 ? (size_t)n : 0;
    *app |= moved == STILL ? POLLOUT : 0;
    return moved;
}

/* Until either side is over; then the other sees it by its end's closing. */
static void carry(void *ctx)
{
    struct evs_redis_tls *t = ctx;
    for (;;) {
        short net = 0, app = 0;
        int out = carry_out(t, &net, &app), in = carry_in(t, &net, &app);
        if (out == OVER || in == OVER)
            break;
        if (out == MOVED || in == MOVED)
            continue;
        struct pollfd fds[] = {{.fd = t->net, .events = net}, {.fd = t->app, .events = app}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (!net && fds[0].revents) /* over while nothing is wanted of it */
            break;
    }
    SSL_shutdown(t->ssl); /* says goodbye, waits for nothing */
    shutdown(t->app, SHUT_RDWR);
}

enum evs_rc evs_redis_tls_open(const struct evs_redis_tls_opts *o, const char *host, int port,
                               int64_t timeout_ms, struct evs_stop *stop,
                               struct evs_redis_tls **ret_t, int *ret_fd, struct evs_err *err)
{
    struct evs_redis_tls *t = evs_xcalloc(1, sizeof(*t));
    int64_t until_us = evs_clock_mono_us() + timeout_ms * 1000;
    int pair[2] = {-1, -1};
    t->net = t->app = -1;
    enum evs_rc rc = connect_net(t, host, port, until_us, stop, err);
    if (!rc)
        rc = prepare(t, o, host, err);
    if (!rc)
        rc = shake(t, host, port, until_us, stop, err);
    if (!rc && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        rc = evs_fail_errno(err, errno, "socketpair");
    t->app = pair[0];
    if (!rc)
        rc = evs_thread_start("evs-redis-tls", carry, t, &t->thread, err);
    if (rc) {
        if (pair[1] >= 0)
            close(pair[1]);
        evs_redis_tls_close(t);
        return rc;
    }
    *ret_t = t;
    *ret_fd = pair[1];
    return EVS_OK;
}

void evs_redis_tls_close(struct evs_redis_tls *t)
{
    if (!t)
        return;
    if (t->thread)
        shutdown(t->app, SHUT_RDWR); /* it is in poll: that ends it */
    evs_thread_join(t->thread);
    if (t->app >= 0)
        close(t->app);
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    if (t->net >= 0)
        close(t->net);
    evs_free(t);
}

#else

enum evs_rc evs_redis_tls_open(const struct evs_redis_tls_opts *o, const char *host, int port,
                               int64_t timeout_ms, struct evs_stop *stop,
                               struct evs_redis_tls **ret_t, int *ret_fd, struct evs_err *err)
{
    (void)o;
    (void)host;
    (void)port;
    (void)timeout_ms;
    (void)stop;
    (void)ret_t;
    (void)ret_fd;
    evs_fail(err, EVS_INVALID, "rediss: this eventscope was built without OpenSSL");
    return evs_hint(err, "a local stunnel or an SSH tunnel, and redis://127.0.0.1:PORT");
}

void evs_redis_tls_close(struct evs_redis_tls *t)
{
    (void)t;
}

#endif
