"""The class path of Kafka's own jars, and our two small Java programs compiled beside them."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from . import paths

SOURCES = [paths.SUPPORT / "java" / n for n in ("Broker.java", "Admin.java", "Consumers.java")]


def version():
    pom = (paths.SUPPORT / "pom.xml").read_text()
    return re.search(r"<kafka.version>(.*)</", pom).group(1)


def libs():
    path = paths.CACHE / f"kafka-{version()}"
    if not path.is_dir():
        subprocess.run([paths.SUPPORT / "deps.sh", "kafka"], check=True)
    return path


def classes():
    """Compile once for each version of the sources; the folder's name is their hash."""
    digest = hashlib.sha256(version().encode())
    for source in SOURCES:
        digest.update(source.read_bytes())
    target = paths.CACHE / f"classes-{digest.hexdigest()[:16]}"
    if not target.is_dir():
        jars = libs()
        tmp = pathlib.Path(tempfile.mkdtemp(dir=paths.CACHE))
        subprocess.run(["javac", "-nowarn", "-XDsuppressNotes", "-proc:none",
                        "-cp", f"{jars}/*", "-d", tmp, *SOURCES], check=True)
        tmp.chmod(0o755)
        try:
            os.rename(tmp, target)
        except OSError:
            shutil.rmtree(tmp)
    return target


def command(main, *args, heap="256m", options=()):
    """argv of a JVM running main with Kafka's jars and our classes."""
    return ["java", f"-Xmx{heap}", "-XX:+UseSerialGC" if heap == "256m" else "-XX:+UseG1GC",
            "-XX:-UsePerfData",
            f"-Dlog4j2.configurationFile={paths.SUPPORT / 'log4j2.properties'}",
            *options, "-cp", f"{classes()}:{libs()}/*", main, *map(str, args)]
