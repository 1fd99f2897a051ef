"""Certificates for brokers that speak TLS, right and wrong ones.

    ca = Authority(tmp_path)
    k = broker(listeners={"TLS": "SSL"}, properties=ca.broker_properties("TLS"))
    evs.at(k.address("TLS"))("topics", "-X", "security.protocol=ssl",
                             "-X", f"ssl.ca.location={ca.cert}")
"""
import contextlib
import datetime
import socket
import ssl
import subprocess
import threading


def _openssl(*args, **options):
    subprocess.run(["openssl", *map(str, args)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE, **options)


class Authority:
    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder / name, name
        self.folder.mkdir(parents=True)
        self.cert, self.key = self.folder / "ca.pem", self.folder / "ca.key"
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out",
                 self.cert, "-days", "30", "-subj", f"/CN=eventscope test {name}")

    def issue(self, name, hosts=("127.0.0.1", "localhost"), begins=-1, ends=30):
        """A PEM file with key and chain; valid from `begins` to `ends` days from now."""
        base = self.folder / name
        key, csr, crt = (base.with_suffix(s) for s in (".key", ".csr", ".crt"))
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", csr, "-subj",
                 f"/CN={name}")
        names = ",".join(("IP:" if h[0].isdigit() else "DNS:") + h for h in hosts)
        config = base.with_suffix(".cnf")
        config.write_text(
            f"[ca]\ndefault_ca = x\n[x]\ndatabase = {base}.index\nnew_certs_dir = {self.folder}\n"
            "rand_serial = yes\ndefault_md = sha256\npolicy = p\nunique_subject = no\n"
            f"[p]\ncommonName = supplied\n[e]\nsubjectAltName = {names}\n")
        base.with_suffix(".index").write_text("")
        now = datetime.datetime.now(datetime.timezone.utc)
        start, end = ((now + datetime.timedelta(days=d)).strftime("%Y%m%d%H%M%SZ")
                      for d in (begins, ends))
        _openssl("ca", "-batch", "-config", config, "-cert", self.cert, "-keyfile", self.key,
                 "-in", csr, "-out", crt, "-notext", "-extensions", "e", "-startdate", start,
                 "-enddate", end)
        pem = base.with_suffix(".pem")
        pem.write_text(key.read_text() + crt.read_text() + self.cert.read_text())
        return pem

    def broker_properties(self, listener, clients=False, **issue):
        """For KafkaBroker(properties=...): this listener's certificate; clients: mutual TLS."""
        prefix = f"listener.name.{listener.lower()}.ssl."
        pem = self.issue(f"broker-{listener.lower()}", **issue)
        return {
            prefix + "keystore.type": "PEM", prefix + "keystore.location": pem,
            prefix + "truststore.type": "PEM", prefix + "truststore.location": self.cert,
            prefix + "client.auth": "required" if clients else "none"}


class Front:
    """A TLS listener before a plain TCP server, as a proxy that ends TLS."""

    def __init__(self, pem, host, port):
        self.behind = (host, port)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                plain, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(plain,), daemon=True).start()

    def one(self, plain):
        with contextlib.suppress(OSError), \
                self.context.wrap_socket(plain, server_side=True) as client, \
                socket.create_connection(self.behind) as server:
            other = threading.Thread(target=self.pump, args=(server, client), daemon=True)
            other.start()
            self.pump(client, server)
            other.join()

    @staticmethod
    def pump(source, target):
        with contextlib.suppress(OSError):
            for data in iter(lambda: source.recv(65536), b""):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()
