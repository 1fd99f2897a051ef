#include "kafka/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "kafka/probe_int.h"

static enum evs_rc lookup(const char *host, int port, struct addrinfo **ret_ai, struct evs_err *err)
{
    char service[16];
    struct addrinfo how = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    snprintf(service, sizeof(service), "%d", port);
    int e = getaddrinfo(host, service, &how, ret_ai);
    if (!e)
        return EVS_OK;
    evs_fail(err, EVS_RETRY, "the name %s does not resolve: %s", host, gai_strerror(e));
    return evs_hint(err, "check the spelling, /etc/resolv.conf and /etc/hosts: getent hosts %s",
                    host);
}

enum evs_rc evs_probe_resolve(const char *host, struct evs_probe_address *ret_a,
                              struct evs_err *err)
{
    struct addrinfo *ai = NULL;
    enum evs_rc rc = lookup(host, 0, &ai, err);
    if (rc)
        return rc;
    *ret_a = (struct evs_probe_address){.text = ""};
    getnameinfo(ai->ai_addr, ai->ai_addrlen, ret_a->text, sizeof(ret_a->text), NULL, 0,
                NI_NUMERICHOST);
    for (struct addrinfo *a = ai; a; a = a->ai_next)
        ret_a->count++;
    freeaddrinfo(ai);
    return EVS_OK;
}

/* 0, or errno. */
static int connect_one(const struct addrinfo *a, int64_t wait_ms, int *ret_fd)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    int e = 0;
    socklen_t len = sizeof(e);
    if (fd < 0)
        return errno;
    if (connect(fd, a->ai_addr, a->ai_addrlen) && errno != EINPROGRESS) {
        e = errno;
    } else {
        struct pollfd p = {fd, POLLOUT, 0};
        if (poll(&p, 1, (int)wait_ms) != 1)
            e = ETIMEDOUT;
        else
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len);
    }
    if (e) {
        close(fd);
        return e;
    }
    *ret_fd = fd;
    return 0;
}

enum evs_rc evs_probe_connect(const char *host, int port, int64_t wait_ms, int *ret_fd,
                              struct evs_err *err)
{
    struct addrinfo *ai = NULL;
    enum evs_rc rc = lookup(host, port, &ai, err);
    if (rc)
        return rc;
    int e = ETIMEDOUT;
    for (struct addrinfo *a = ai; a && e; a = a->ai_next)
        e = connect_one(a, wait_ms, ret_fd);
    freeaddrinfo(ai);
    if (!e)
        return EVS_OK;
    evs_fail_native(err, EVS_RETRY, "errno", e, "%s:%d: %s", host, port, strerror(e));
    if (e == ECONNREFUSED)
        return evs_hint(err, "nothing listens there: check the port, and that the broker runs");
    if (e == ETIMEDOUT || e == EHOSTUNREACH || e == ENETUNREACH)
        return evs_hint(err, "no answer: a firewall, a route or a security group drops it");
    return EVS_RETRY;
}

enum evs_rc evs_probe_tcp(const char *host, int port, int64_t wait_ms, double *ret_ms,
                          struct evs_err *err)
{
    int fd = -1;
    int64_t from = evs_clock_mono_us();
    enum evs_rc rc = evs_probe_connect(host, port, wait_ms, &fd, err);
    if (rc)
        return rc;
    *ret_ms = (double)(evs_clock_mono_us() - from) / 1000;
    close(fd);
    return EVS_OK;
}

/* Up to n bytes within wait_ms; bytes read, 0 closed, -1 nothing in time. */
static int receive(int fd, uint8_t *to, int n, int64_t wait_ms)
{
    struct pollfd p = {fd, POLLIN, 0};
    if (poll(&p, 1, (int)wait_ms) != 1)
        return -1;
    ssize_t got = recv(fd, to, (size_t)n, 0);
    return got < 0 ? 0 : (int)got;
}

static enum evs_rc judge_plain(const char *host, int port, const uint8_t *p, int n,
                               struct evs_err *err)
{
    static const uint8_t correlation[] = {0x65, 0x76, 0x73, 0x31};
    if (n >= 8 && !memcmp(p + 4, correlation, 4))
        return EVS_OK;
    if (n >= 1 && p[0] == 0x15) {
        evs_fail(err, EVS_RETRY, "%s:%d speaks TLS, but the configuration says plain", host, port);
        return evs_hint(err, "set security.protocol to ssl or sasl_ssl, or use the plain port");
    }
    if (n >= 4 && !memcmp(p, "HTTP", 4)) {
        evs_fail(err, EVS_RETRY, "%s:%d is a web server, no Kafka", host, port);
        return evs_hint(err, "use the broker's own port, often 9092 or 9093");
    }
    if (n <= 0) {
        evs_fail(err, EVS_RETRY, "%s:%d %s", host, port,
                 n ? "accepts the connection but does not answer as Kafka does"
                   : "closes the connection when asked in plain");
        return evs_hint(err, "if this port is for TLS, set security.protocol to ssl or sasl_ssl");
    }
    evs_fail(err, EVS_RETRY, "%s:%d answers, but not as Kafka does", host, port);
    return evs_hint(err, "check the port");
}

enum evs_rc evs_probe_plain(const char *host, int port, int64_t wait_ms, struct evs_err *err)
{
    /* size, ApiVersions, version 0, correlation "evs1", client id "doctor" */
    static const uint8_t ask[] = {0,    0,    0, 16, 0,   18,  0,   0,   0x65, 0x76,
                                  0x73, 0x31, 0, 6,  'd', 'o', 'c', 't', 'o',  'r'};
    uint8_t answer[64];
    int fd = -1, got = 0, more;
    enum evs_rc rc = evs_probe_connect(host, port, wait_ms, &fd, err);
    if (rc)
        return rc;
    if (send(fd, ask, sizeof(ask), MSG_NOSIGNAL) == (ssize_t)sizeof(ask))
        do {
            more = receive(fd, answer + got, (int)sizeof(answer) - got, wait_ms);
            got += more > 0 ? more : 0;
        } while (more > 0 && got < 8);
    else
        more = 0;
    close(fd);
    return judge_plain(host, port, answer, got ? got : more, err);
}
