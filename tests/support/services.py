"""./dev services: start, stop and show the real parts the tests and people run against.

State lies in $EVENTSCOPE_SERVICES_DIR (.services/ by default), two files a service: NAME.env, to
be sourced by a shell, and NAME.json with processes (pid and birth) and folders. Data lies in a
temporary folder. A state whose processes are gone is cleared away and started anew.
"""
import fcntl
import json
import shlex
import shutil
import sys

from . import java, kafka, paths, proc, stores


def _kafka(nodes, prefix):
    def make():
        return kafka.KafkaBroker(nodes=nodes, lasting=True).start()

    def env(k):
        return {f"{prefix}_BOOTSTRAP": k.bootstrap, f"{prefix}_LOG": str(k.log(1)),
                f"{prefix}_LIBS": str(java.libs())}
    return make, env


def _store(cls, name):
    def make():
        s = cls()
        try:
            return s.start()
        except BaseException:
            s.remove()
            raise
    return make, lambda s: {name: s.url}


KINDS = {
    "kafka": _kafka(1, "KAFKA"),
    "kafka3": _kafka(3, "KAFKA3"),
    "postgres": _store(stores.Postgres, "PGURL"),
    "redis": _store(stores.Redis, "REDIS_URL"),
    "opensearch": _store(stores.OpenSearch, "OPENSEARCH_URL"),
    "elasticsearch": _store(stores.Elasticsearch, "ELASTICSEARCH_URL"),
}


def _daemons(service):
    return getattr(service, "daemons", None) or {0: service.daemon}


class State:
    """One service's two files."""

    def __init__(self, name):
        paths.SERVICES.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.env_file = paths.SERVICES / f"{name}.env"
        self.file = paths.SERVICES / f"{name}.json"

    def load(self):
        try:
            return json.loads(self.file.read_text())
        except (OSError, ValueError):
            return None

    def running(self):
        state = self.load()
        return bool(state) and self.env_file.exists() and all(
            proc.Daemon(*d).alive() for d in state["daemons"])

    def env(self):
        pairs = (shlex.split(line)[0].split("=", 1)
                 for line in self.env_file.read_text().splitlines())
        return dict(pairs)

    def save(self, service, env):
        self.file.write_text(json.dumps({
            "daemons": [[d.pid, d.born] for d in _daemons(service).values()],
            "dir": str(service.dir)}))
        self.env_file.write_text("".join(f"{k}={shlex.quote(v)}\n" for k, v in env.items()))

    def clear(self):
        state = self.load()
        if state:
            daemons = [proc.Daemon(*d) for d in state["daemons"]]
            for d in daemons:
                d.send(15)
            for d in daemons:
                d.stop()
            shutil.rmtree(state["dir"], ignore_errors=True)
        self.env_file.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)


def ensure(name):
    """Start a service unless it runs; answer (its addresses, whether this call started it)."""
    state = State(name)
    with open(paths.SERVICES / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if state.running():
            return state.env(), False
        state.clear()
        make, env_of = KINDS[name]
        service = make()
        state.save(service, env_of(service))
        return state.env(), True


def main(argv):
    action, names = (argv or [""])[0], argv[1:]
    unknown = [n for n in names if n not in KINDS]
    if action not in ("start", "stop", "status") or unknown:
        print(f"usage: ./dev services start|stop|status [{'|'.join(KINDS)}]..."
              + (f"\nunknown service: {unknown[0]}" if unknown else ""), file=sys.stderr)
        return 2
    for name in names or KINDS:
        state = State(name)
        if action == "start":
            try:
                ensure(name)
            except Exception as e:  # noqa: BLE001 - one line for people, whatever it was
                print(f"dev: {name} does not start: {e}", file=sys.stderr)
                return 1
        elif action == "stop":
            state.clear()
        up = state.running()
        shown = " ".join(f"{k}={v}" for k, v in state.env().items()) if up else "stopped"
        print(f"{name + ':':<12}{shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
