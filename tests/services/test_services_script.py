"""./dev services: idempotent start, honest status, recovery from a killed service, clean stop."""
import json
import os
import signal
import subprocess

import pytest

from support import paths, proc


@pytest.fixture
def dev(tmp_path):
    def run(*args):
        return subprocess.run([paths.ROOT / "dev", "services", *args], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              env={**os.environ, "EVENTSCOPE_SERVICES_DIR": str(tmp_path)})
    yield run
    run("stop")


def test_start_twice_kill_start_stop(dev, tmp_path):
    first = dev("start", "redis")
    assert first.returncode == 0 and "REDIS_URL=redis://127.0.0.1:" in first.stdout
    assert dev("start", "redis").stdout == first.stdout, "a second start changes nothing"
    state = json.loads((tmp_path / "redis.json").read_text())
    (pid, born), = state["daemons"]
    os.kill(pid, signal.SIGKILL)
    proc.wait_until(lambda: not proc.Daemon(pid, born).alive(), "the killed server to go")
    assert dev("status", "redis").stdout.split() == ["redis:", "stopped"]
    again = dev("start", "redis")
    assert again.returncode == 0 and "REDIS_URL=" in again.stdout
    assert not os.path.exists(state["dir"]), "the data of the dead service is cleared away"
    assert dev("stop", "redis").stdout.split() == ["redis:", "stopped"]
    assert not (tmp_path / "redis.env").exists()


def test_a_reused_pid_is_not_signalled(dev, tmp_path):
    """A stale state file may name a pid that now belongs to somebody else."""
    mine = subprocess.Popen(["sleep", "60"])
    try:
        folder = tmp_path / "data"
        folder.mkdir()
        (tmp_path / "redis.json").write_text(
            json.dumps({"daemons": [[mine.pid, 1]], "dir": str(folder)}))
        dev("stop", "redis")
        assert mine.poll() is None
    finally:
        mine.kill()
        mine.wait()


def test_unknown_names_are_refused(dev):
    got = dev("start", "mongo")
    assert got.returncode == 2 and "unknown service: mongo" in got.stdout
