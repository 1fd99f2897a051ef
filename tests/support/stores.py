"""The sinks' servers: PostgreSQL, Redis, OpenSearch and Elasticsearch, each private, on a free
port, with its data in a temporary folder. Each has start(), stop(), kill(), remove(), .daemon and
.url."""
import base64
import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.request
import zipfile

from . import paths, proc


class Store:
    """What the three have in common; a restart keeps port and data."""

    name = ""
    user = None            # whom to run as when we are root
    stop_signal = signal.SIGTERM

    def __init__(self):
        self.port = proc.free_port()
        self.dir = proc.scratch(self.name, self.user)
        self.log = self.dir / "log"
        self.daemon = None
        self.prepare()

    def prepare(self):
        """Once, in the new folder."""

    def argv(self):
        raise NotImplementedError

    def env(self):
        return {}

    def ready(self):
        raise NotImplementedError

    def start(self, timeout=60):
        self.daemon = proc.Daemon.start(self.argv(), self.log, self.env(), self.user, self.dir)

        def up():
            if not self.daemon.alive():
                raise proc.Ended(f"{self.name} ended:\n{proc.tail(self.log)}")
            return self.ready()
        proc.wait_until(up, f"{self.name} on port {self.port}", timeout)
        return self

    def stop(self):
        if self.daemon:
            self.daemon.stop(self.stop_signal)

    def kill(self):
        """As a power cut for the process: kill -9, no clean shutdown."""
        if self.daemon:
            self.daemon.kill()

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *_):
        self.remove()


class Postgres(Store):
    name = "postgres"
    user = "postgres"
    initdb = ()                            # more options of it
    stop_signal = signal.SIGINT            # "fast": ends sessions instead of waiting for them

    def binary(self, name):
        found = shutil.which(name) or (
            sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}")) or [None])[-1]
        if not found:
            raise FileNotFoundError(f"{name}: PostgreSQL is not installed: run ./dev deps")
        return found

    def prepare(self):
        job = proc.Daemon.start(
            [self.binary("initdb"), "-D", self.dir / "data", "-U", "eventscope", "-A", "trust",
             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", *self.initdb], self.log, user=self.user,
            cwd=self.dir)
        proc.wait_until(lambda: not job.alive(), "initdb", 60)

    def argv(self):
        return [self.binary("postgres"), "-D", self.dir / "data", "-p", self.port,
                "-h", "127.0.0.1", "-k", self.dir]

    def ready(self):
        return subprocess.run(
            ["psql", "-X", "-q", "-d", f"{self.url}?connect_timeout=2", "-c", "select 1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0

    @property
    def url(self):
        return f"postgresql://eventscope@127.0.0.1:{self.port}/postgres"

    def sql(self, text):
        """Rows of a query as lists of text; '\\x00' never occurs, so fields are split by it."""
        return psql(self.url, text)


def psql(url, text):
    out = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-z", "-0", "-v", "ON_ERROR_STOP=1",
                          "-d", url, "-c", text], stdout=subprocess.PIPE, check=True).stdout
    rows = out.decode().split("\0")
    return rows


class Redis(Store):
    name = "redis"

    def argv(self):
        return ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--dir", self.dir,
                "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
                "--daemonize", "no"]

    def ready(self):
        with socket.create_connection(("127.0.0.1", self.port), 2) as s:
            s.sendall(b"PING\r\n")
            return s.recv(16).startswith(b"+PONG")

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"


class OpenSearch(Store):
    name, version = "opensearch", "2.19.1"
    user = "nobody"                        # it refuses to run as root
    config = ""

    def prepare(self):
        archive = paths.CACHE / f"{self.name}-{self.version}.zip"
        if not archive.is_file():
            subprocess.run([paths.SUPPORT / "deps.sh", self.name], check=True)
        with zipfile.ZipFile(archive) as z:
            for item in z.infolist():
                target = z.extract(item, self.dir)
                if item.external_attr >> 16:
                    os.chmod(target, (item.external_attr >> 16) | 0o600)
        self.home = next(self.dir.glob(f"{self.name}-*/"))
        self.transport = proc.free_port()
        (self.home / "config" / f"{self.name}.yml").write_text(
            f"cluster.name: eventscope\nhttp.port: {self.port}\n"
            f"transport.port: {self.transport}\nnetwork.host: 127.0.0.1\n"
            "discovery.type: single-node\n"
            f"cluster.routing.allocation.disk.threshold_enabled: false\n{self.config}")
        if os.getuid() == 0:
            for folder, _, files in os.walk(self.dir):
                for path in (folder, *(os.path.join(folder, f) for f in files)):
                    shutil.chown(path, self.user)

    def argv(self):
        return [self.home / "bin" / self.name]

    def env(self):
        java = os.path.realpath(shutil.which("java"))
        home = os.path.dirname(os.path.dirname(java))
        heap = "-Xms512m -Xmx512m"
        return {"OPENSEARCH_JAVA_HOME": home, "OPENSEARCH_JAVA_OPTS": heap,
                "ES_JAVA_HOME": home, "ES_JAVA_OPTS": heap, "HOME": str(self.dir)}

    def ready(self):
        with urllib.request.urlopen(f"{self.url}/_cluster/health", timeout=2) as r:
            return json.load(r)["status"] in ("green", "yellow")

    def kill(self):
        """Elasticsearch's server is a child of what was started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.daemon.pid, signal.SIGKILL)
        super().kill()
        proc.wait_until(lambda: not proc.listens(self.port), f"the end of {self.name}", 20)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


class Elasticsearch(OpenSearch):
    name, version = "elasticsearch", "8.15.0"
    config = "xpack.security.enabled: false\n"


class SecureElasticsearch(Elasticsearch):
    """With users, all with one password: `admin` may do everything, and one for each of `roles`:
    {name: [(index pattern, privileges), ...]}."""

    config = ("xpack.security.enabled: true\nxpack.security.http.ssl.enabled: false\n"
              "xpack.security.transport.ssl.enabled: false\n"
              "xpack.security.enrollment.enabled: false\nhttp.max_content_length: 1mb\n")
    password = "s3cr3t-pw"

    def __init__(self, roles):
        self.roles = roles
        super().__init__()

    def prepare(self):
        super().prepare()
        job = proc.Daemon.start(
            [self.home / "bin/elasticsearch-users", "useradd", "admin", "-p", self.password,
             "-r", "superuser"], self.log, self.env(), self.user, self.dir)
        proc.wait_until(lambda: not job.alive(), "a user", 60)
        config = self.home / "config"
        secret = (config / "users").read_text().strip().partition(":")[2]
        for name, indices in self.roles.items():
            rights = {"indices": [{"names": [n], "privileges": p} for n, p in indices]}
            for file, line in (("users", f"{name}:{secret}"), ("users_roles", f"{name}:{name}"),
                               ("roles.yml", f"{name}: {json.dumps(rights)}")):
                with open(config / file, "a", encoding="utf-8") as f:
                    f.write(line + "\n")

    def ready(self):
        token = base64.b64encode(f"admin:{self.password}".encode()).decode()
        request = urllib.request.Request(f"{self.url}/_cluster/health",
                                         headers={"Authorization": f"Basic {token}"})
        with urllib.request.urlopen(request, timeout=2) as r:
            return json.load(r)["status"] in ("green", "yellow")

    def url_of(self, name, password=None):
        return self.url.replace("//", f"//{name}:{password or self.password}@")
