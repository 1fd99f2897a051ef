/* redis_swap.c - a view under another prefix becomes the view, in one script.
 *
 * A reader sees the old keys before the script and the new ones after it: Redis runs nothing else
 * meanwhile, about a second for a million keys. Rows of `latest` are found by their versions, so
 * that keys which eventscope did not write stay.
 */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "sinks/redis.h"

/* KEYS: checkpoint, lock. ARGV: epoch ("" to drop `from` only), from, to, old, partitions, ms. */
static const char script[] =
    "local parts = tonumber(ARGV[5]) "
    "local function keys(t, at, all) "
    "  local body, i = redis.call('GET', 'eventscope_version.' .. at .. ':' .. t) or '', 1 "
    "  while i < #body do "
    "    local n = struct.unpack('<I4', body, i) "
    "    all[#all + 1] = t .. ':' .. string.sub(body, i + 24, i + 23 + n) "
    "    i = i + 24 + n "
    "  end "
    "end "
    "local function names(t) "
    "  local all = {t, 'eventscope_sum:' .. t} "
    "  for p = 0, parts - 1 do "
    "    if redis.call('TYPE', t .. ':' .. p).ok == 'stream' then all[#all + 1] = t .. ':' .. p "
    "end "
    "  end "
    "  local n = redis.call('HGET', 'eventscope_version:' .. t, 'buckets') or 0 "
    "  for at = 0, n - 1 do "
    "    keys(t, at, all) "
    "    all[#all + 1] = 'eventscope_version.' .. at .. ':' .. t "
    "  end "
    "  all[#all + 1] = 'eventscope_version:' .. t "
    "  return all "
    "end "
    "local function other(name, a, b) "
    "  local beside = string.match(name, '^eventscope_version%.?%d*:') or 'eventscope_sum:' "
    "  if name == beside .. a then return beside .. b end "
    "  return b .. string.sub(name, #a + 1) "
    "end "
    "local function drop(t) "
    "  for _, name in ipairs(names(t)) do redis.call('UNLINK', name) end "
    "end "
    "local function move(a, b) "
    "  for _, name in ipairs(names(a)) do "
    "    if redis.call('EXISTS', name) == 1 then redis.call('RENAME', name, other(name, a, b)) end "
    "  end "
    "end "
    "if ARGV[1] == '' then drop(ARGV[2]) return 1 end "
    "if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end "
    "if redis.call('HGET', KEYS[1], 'state') == 'done' then return 1 end "
    "drop(ARGV[4]) move(ARGV[3], ARGV[4]) move(ARGV[2], ARGV[3]) "
    "redis.call('HSET', KEYS[1], 'state', 'done', 'updated_ms', ARGV[6]) "
    "redis.call('DEL', KEYS[2]) "
    "return 1";

static int partitions_of(const struct evs_ckpt *c)
{
    return c->n ? c->parts[c->n - 1].partition + 1 : 0;
}

enum evs_rc evs_redis_drop(struct evs_redis *s, const struct evs_ckpt *c, struct evs_err *err)
{
    return evs_redis_ask(s, NULL, err, "EVAL %s 2 %s %s %s %s %s %s %d %d", script, s->ckpt_key,
                         s->lock_key, "", s->target, "", "", partitions_of(c), 0);
}

enum evs_rc evs_redis_swap(struct evs_sink *sink, const char *target, struct evs_err *err)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    EVS_AUTO(evs_buf) struct evs_buf old = EVS_BUF_INIT(1 << 20);
    struct evs_ckpt now;
    redisReply *r = NULL;
    enum evs_rc rc = sink->ops->load(sink, &now, err);
    if (rc)
        return rc;
    evs_buf_printf(&old, "%s__old", target);
    rc = evs_redis_ask(s, &r, err, "EVAL %s 2 %s %s %lld %s %s %s %d %lld", script, s->ckpt_key,
                       s->lock_key, (long long)s->epoch, s->target, target, evs_buf_str(&old),
                       partitions_of(&now), (long long)evs_clock_wall_ms());
    evs_ckpt_done(&now);
    if (!rc && r->integer != 1)
        rc = evs_sink_fenced(err, s->id);
    if (r)
        freeReplyObject(r);
    return rc;
}
