/* trace_lane.c - "TOPIC", "TOPIC,header:NAME" and "TOPIC,json:PATH" as lanes. */
#include <string.h>

#include "browse/trace.h"

static enum evs_rc read_by(const char *text, struct evs_trace_lane *lane, struct evs_err *err)
{
    lane->by = EVS_TRACE_BY_KEY;
    lane->name = NULL;
    if (!strcmp(text, "key"))
        return EVS_OK;
    if (!strncmp(text, "header:", 7) && text[7]) {
        lane->by = EVS_TRACE_BY_HEADER;
        lane->name = text + 7;
        return EVS_OK;
    }
    if (!strncmp(text, "json:", 5) && text[5]) {
        lane->by = EVS_TRACE_BY_JSON;
        lane->name = text + 5;
        return EVS_OK;
    }
    return evs_fail(err, EVS_INVALID, "'%s': neither key, header:NAME nor json:PATH", text);
}

enum evs_rc evs_trace_lane_first(const char *topic, const char *by, struct evs_trace_opts *o,
                                 struct evs_err *err)
{
    o->n_lanes = 1;
    o->lanes[0].topic = topic;
    return read_by(by, &o->lanes[0], err);
}

enum evs_rc evs_trace_lane_add(char *text, const char *by, struct evs_trace_opts *o,
                               struct evs_err *err)
{
    if (o->n_lanes == EVS_TRACE_LANES)
        return evs_fail(err, EVS_INVALID, "--with: at most %d topics", EVS_TRACE_LANES);
    struct evs_trace_lane *lane = &o->lanes[o->n_lanes++];
    size_t len = strcspn(text, ",");
    enum evs_rc rc = read_by(text[len] ? text + len + 1 : by, lane, err);
    text[len] = '\0';
    lane->topic = text;
    return rc;
}
