#include "replay/audit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/meta.h"

enum { FILE_CAP = 16 << 20 };

static void make_folders(char *path)
{
    for (char *p = path + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            mkdir(path, 0700);
            *p = '/';
        }
    mkdir(path, 0700);
}

char *evs_audit_folder(const char *below)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    if (state && *state == '/')
        path = evs_xprintf("%s/eventscope%s", state, below);
    else if (home && *home == '/')
        path = evs_xprintf("%s/.local/state/eventscope%s", home, below);
    if (path)
        make_folders(path);
    return path;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            p += put;
            n -= (size_t)put;
        }
    }
    return true;
}

/* Who runs it: to tell later whether it was killed. */
static void put_process(struct evs_jsonw *w)
{
    char host[256] = "";
    if (gethostname(host, sizeof(host) - 1))
        host[0] = '\0';
    evs_jsonw_str(w, "host", host);
    evs_jsonw_i64(w, "pid", getpid());
}

static bool going(const struct evs_report *r)
{
    return !strcmp(r->state, "running");
}

static const char *user_name(char *room, size_t size)
{
    struct passwd entry, *pw = NULL;
    return !getpwuid_r(getuid(), &entry, room, size, &pw) && pw ? pw->pw_name : "?";
}

static enum evs_rc append_line(const char *folder, const struct evs_plan *p,
                               const struct evs_report *r, const char *cluster, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(FILE_CAP);
    struct evs_jsonw w;
    char when[EVS_NUM_LEN], room[4096];
    char *sink = evs_sink_mask(p->sink), *path = evs_xprintf("%s/audit.jsonl", folder);
    evs_jsonw_init(&w, &line);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_str(&w, "at", evs_num_iso(when, evs_clock_wall_ms()));
    evs_jsonw_str(&w, "user", user_name(room, sizeof(room)));
    put_process(&w);
    evs_jsonw_str(&w, "cluster", cluster);
    evs_jsonw_str(&w, "topic", p->topic);
    evs_jsonw_str(&w, "sink", sink);
    evs_jsonw_str(&w, "target", p->target);
    evs_jsonw_str(&w, "id", r->id);
    evs_jsonw_str(&w, "plan_hash", r->plan_hash);
    evs_jsonw_str(&w, "state", going(r) ? "begun" : r->state);
    evs_jsonw_i64(&w, "read", r->run_read);
    evs_jsonw_i64(&w, "written", evs_ckpt_total(&r->ckpt, EVS_CKPT_WRITTEN));
    evs_jsonw_i64(&w, "deleted", evs_ckpt_total(&r->ckpt, EVS_CKPT_DELETED));
    evs_jsonw_str(&w, "error", r->error);
    evs_jsonw_end(&w);
    evs_buf_addc(&line, '\n');
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || !write_all(fd, evs_buf_str(&line), line.len))
        evs_fail(err, EVS_AGAIN, "not in the audit log: %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    evs_free(path);
    evs_free(sink);
    return err->code;
}

static char *job_path(const char *folder, const char *id)
{
    char *path = evs_xprintf("%s/%s.json", folder, id);
    for (char *c = path + strlen(folder) + 1; *c; c++)
        if (*c == '/' || (unsigned char)*c < ' ')
            *c = '_';
    return path;
}

static void keep_job(const struct evs_plan *whole, const struct evs_report *r)
{
    struct evs_plan public = *whole, *p = &public;
    char *folder = evs_audit_folder("/jobs");
    if (!folder)
        return;
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(FILE_CAP);
    EVS_AUTO(evs_buf) struct evs_buf plan = EVS_BUF_INIT(EVS_PLAN_CAP);
    struct evs_jsonw w;
    p->sink = evs_sink_plain(whole->sink);
    if (p->on_error_text) /* dead-letter:SINK-URL */
        p->on_error_text = evs_sink_plain(whole->on_error_text);
    evs_plan_print(p, &plan);
    evs_free(p->sink);
    evs_free(p->on_error_text);
    evs_jsonw_init(&w, &text);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_i64(&w, "at", evs_clock_wall_ms());
    put_process(&w);
    evs_jsonw_obj(&w, "report");
    evs_report_json(r, &w);
    evs_jsonw_end(&w);
    evs_jsonw_raw(&w, "plan", evs_buf_str(&plan), plan.len - 1);
    evs_jsonw_end(&w);
    char *path = job_path(folder, r->id);
    char *temp = evs_xprintf("%s.%ld.%lld.new", path, (long)getpid(),
                             (long long)evs_clock_mono_us()); /* others share the folder */
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 && write_all(fd, evs_buf_str(&text), text.len);
    if (fd >= 0 && close(fd))
        ok = false;
    if (!ok || rename(temp, path)) {
        evs_log(EVS_LOG_WARN, "%s: %s", path, strerror(errno));
        unlink(temp);
    }
    evs_free(temp);
    evs_free(path);
    evs_free(folder);
}

enum evs_rc evs_audit_write(const struct evs_plan *p, const struct evs_report *r,
                            struct evs_client *c, struct evs_err *err)
{
    struct evs_err ignored = EVS_ERR_INIT;
    struct evs_meta *meta = NULL;
    char *folder = evs_audit_folder("");
    if (!folder)
        return evs_fail(err, EVS_AGAIN,
                        "not in the audit log: neither XDG_STATE_HOME nor HOME is"
                        " set");
    if (evs_meta_fetch(c, p->topic, &meta, &ignored))
        meta = NULL;
    enum evs_rc rc = append_line(folder, p, r, meta ? meta->cluster_id : NULL, err);
    evs_meta_free(meta);
    evs_free(folder);
    keep_job(p, r);
    return rc;
}

/* --- the list -------------------------------------------------------------------------------- */
static char *text_at(const struct evs_json_tree *t, const char *path)
{
    const struct evs_json_node *n = evs_json_path(t, path);
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(EVS_PLAN_CAP);
    if (!n || n->type == EVS_JSON_NULL)
        return NULL;
    if (n->type == EVS_JSON_STRING)
        evs_json_unquote(&b, t->text + n->start, n->end - n->start);
    else
        evs_buf_add(&b, t->text + n->start, n->end - n->start);
    return evs_buf_steal(&b);
}

static int64_t number_of(const struct evs_json_tree *t, const struct evs_json_node *n)
{
    struct evs_err ignored = EVS_ERR_INIT;
    char digits[24] = "";
    int64_t v = 0;
    if (!n || n->type != EVS_JSON_NUMBER || n->end - n->start >= sizeof(digits))
        return 0;
    memcpy(digits, t->text + n->start, n->end - n->start);
    return evs_num_i64(digits, INT64_MIN, INT64_MAX, &v, &ignored) ? 0 : v;
}

/* A job that was never said to have ended, of a process of this machine that is no more. */
static bool interrupted(const struct evs_json_tree *t, const char *state)
{
    char host[256] = "", *where = text_at(t, "host");
    int64_t pid = number_of(t, evs_json_path(t, "pid"));
    bool here = where && !gethostname(host, sizeof(host) - 1) && !strcmp(host, where);
    evs_free(where);
    return state && !strcmp(state, "running") && here && pid > 0 && kill((pid_t)pid, 0) &&
           errno == ESRCH;
}

static bool read_job(const char *path, struct evs_job_entry *job)
{
    struct evs_err ignored = EVS_ERR_INIT;
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(FILE_CAP);
    struct evs_json_tree t = {0};
    if (evs_buf_read_file(&text, path, &ignored) ||
        evs_json_tree_read(&t, evs_buf_str(&text), text.len, &ignored)) {
        evs_json_tree_done(&t);
        return false;
    }
    char *sink = text_at(&t, "plan.sink.url");
    *job = (struct evs_job_entry){
        .id = text_at(&t, "report.id"),
        .topic = text_at(&t, "plan.source.topic"),
        .sink = sink ? evs_sink_mask(sink) : NULL,
        .target = text_at(&t, "plan.sink.target"),
        .state = text_at(&t, "report.state"),
        .error = text_at(&t, "report.error"),
        .path = evs_xstrdup(path),
        .at_ms = number_of(&t, evs_json_path(&t, "at")),
    };
    evs_free(sink);
    if (interrupted(&t, job->state))
        evs_ckpt_text(&job->state, "interrupted", strlen("interrupted"));
    const struct evs_json_node *parts = evs_json_path(&t, "report.partitions");
    size_t at = parts && parts->size ? (size_t)(parts - t.nodes) + 1 : 0;
    for (; at; at = t.nodes[at].next) {
        job->from += number_of(&t, evs_json_member(&t, &t.nodes[at], "from"));
        job->next += number_of(&t, evs_json_member(&t, &t.nodes[at], "next"));
        job->end += number_of(&t, evs_json_member(&t, &t.nodes[at], "end"));
    }
    evs_json_tree_done(&t);
    return job->id != NULL;
}

static int newest_first(const void *a, const void *b)
{
    const struct evs_job_entry *x = a, *y = b;
    return (y->at_ms > x->at_ms) - (y->at_ms < x->at_ms);
}

size_t evs_audit_jobs(struct evs_job_entry **ret_jobs)
{
    size_t n = 0;
    *ret_jobs = NULL;
    char *folder = evs_audit_folder("/jobs");
    DIR *dir = folder ? opendir(folder) : NULL;
    const struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL) {
        size_t len = strlen(e->d_name);
        if (len < 6 || strcmp(e->d_name + len - 5, ".json"))
            continue;
        char *path = evs_xprintf("%s/%s", folder, e->d_name);
        struct evs_job_entry job = {NULL};
        if (read_job(path, &job)) {
            *ret_jobs = evs_xgrow(*ret_jobs, n + 1, sizeof(**ret_jobs));
            (*ret_jobs)[n++] = job;
        }
        evs_free(path);
    }
    if (dir)
        closedir(dir);
    evs_free(folder);
    if (n)
        qsort(*ret_jobs, n, sizeof(**ret_jobs), newest_first);
    return n;
}

void evs_audit_jobs_free(struct evs_job_entry *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *texts[] = {jobs[i].id,    jobs[i].topic, jobs[i].sink, jobs[i].target,
                         jobs[i].state, jobs[i].error, jobs[i].path};
        for (size_t k = 0; k < EVS_COUNT(texts); k++)
            evs_free(texts[k]);
    }
    evs_free(jobs);
}

enum evs_rc evs_audit_plan(const char *path, struct evs_plan *p, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(FILE_CAP);
    struct evs_json_tree t = {0};
    enum evs_rc rc = evs_buf_read_file(&text, path, err);
    if (!rc)
        rc = evs_json_tree_read(&t, evs_buf_str(&text), text.len, err);
    const struct evs_json_node *plan = rc ? NULL : evs_json_path(&t, "plan");
    if (!rc && !plan)
        rc = evs_fail(err, EVS_INVALID, "there is no plan in it");
    if (!rc)
        rc = evs_plan_parse(p, t.text + plan->start, plan->end - plan->start, err);
    evs_json_tree_done(&t);
    return rc ? evs_wrap(err, "%s", path) : EVS_OK;
}
