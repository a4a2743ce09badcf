"""A RabbitMQ node of our own: own data, ports, name, cookie and port mapper, on the loopback interface alone."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from deploy.local.ports import LOOPBACK, free_port, is_free
from deploy.local.processes import Child, inherited_environment
from deploy.local.provide import TOOLS, rabbitmq_server

START_SECONDS = 90
USER = "accede"
NODE = "accede@localhost"
_AMQP_HELLO = b"AMQP\x00\x00\x09\x01"

_CONFIG = """\
listeners.tcp.local = 127.0.0.1:{port}
default_user = {user}
default_pass = {password}
max_message_size = 16777216
log.console = true
log.file = false
log.connection.level = warning
"""


class RabbitServer:
    """One RabbitMQ node as a child process; its data stays in `data` until it is wiped.

    `script` is RabbitMQ's own `rabbitmq-server`; without it, the one that provide.rabbitmq_server finds or installs. The
    port stays the same over restarts.
    """

    def __init__(self, data: Path, port: int | None = None, *, script: Path | None = None) -> None:
        self.data = data.resolve() / "rabbitmq"
        self.port = free_port(port)
        self._script = script or rabbitmq_server(TOOLS)
        self._distribution_port = free_port()
        self._mapper_port = free_port()
        for folder in ("mnesia", "home"):
            (self.data / folder).mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        self._password = self._kept_password()
        log = data.resolve() / "logs"
        self._mapper = Child("RabbitMQ's port mapper", self._mapper_command(), log=log / "epmd.log", env=self._env())
        self._node = Child("RabbitMQ", [str(self._script)], log=log / "rabbitmq.log", env=self._env())

    @property
    def url(self) -> str:
        """The AMQP address, user and password in it; also known while the node is stopped."""
        return f"amqp://{USER}:{self._password}@{LOOPBACK}:{self.port}/"

    @property
    def log(self) -> Path:
        """The node's log file."""
        return self._node.log

    @property
    def alive(self) -> bool:
        """Whether the node's process runs."""
        return self._node.alive

    def start(self) -> None:
        """Start it and wait until it speaks AMQP; raises StartFailed."""
        self.begin()
        self.wait_ready()

    def begin(self) -> None:
        """Start it without waiting."""
        self._write_files()
        self._mapper.start()
        self._mapper.wait_ready(lambda: not is_free(self._mapper_port), timeout=10)
        self._node.start()

    def wait_ready(self, timeout: float = START_SECONDS) -> None:
        """Wait until it speaks AMQP; raises StartFailed after `timeout` seconds."""
        self._node.wait_ready(self.speaks, timeout)

    def speaks(self) -> bool:
        """Whether a client would be answered now (its listeners open last when it boots)."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=2) as connection:
                connection.sendall(_AMQP_HELLO)
                return connection.recv(1) == b"\x01"
        except OSError:
            return False

    def stop(self) -> None:
        """Stop it cleanly; its messages stay on disk."""
        self._node.stop(timeout=30)
        self._mapper.stop()

    def kill(self) -> None:
        """kill -9: durable queues with their confirmed messages come back with `start`."""
        self._node.kill()
        self._mapper.kill()

    def wipe(self) -> None:
        """Kill it and delete every queue, exchange and message; `start` begins with an empty node of the same url."""
        self.kill()
        shutil.rmtree(self.data / "mnesia")
        (self.data / "mnesia").mkdir()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers, as when a machine hangs."""
        self._node.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._node.signal(signal.SIGCONT)

    def ctl(self, *arguments: str, timeout: float = 30) -> str:
        """Run `rabbitmqctl` on this node and return its output; raises CalledProcessError. Takes a second or two."""
        command = [str(self._script.with_name("rabbitmqctl")), "--node", NODE, "--quiet", *arguments]
        done = subprocess.run(command, env=self._env(), capture_output=True, text=True, timeout=timeout, check=True)
        return done.stdout

    def _kept_password(self) -> str:
        # The node remembers the user it made when its data was new, so the password must be kept beside that data.
        file = self.data / "password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(16))
        return file.read_text()

    def _write_files(self) -> None:
        config = self.data / "rabbitmq.conf"
        config.touch(mode=0o600)
        config.write_text(_CONFIG.format(port=self.port, user=USER, password=self._password))
        (self.data / "enabled_plugins").write_text("[].\n")

    def _mapper_command(self) -> list[str]:
        erl = shutil.which("erl")
        beside_erl = Path(os.path.realpath(erl)).parent if erl else Path("/usr/lib/erlang/bin")
        epmd = shutil.which("epmd") or str(beside_erl / "epmd")
        return [epmd, "-port", str(self._mapper_port), "-address", LOOPBACK]

    def _env(self) -> dict[str, str]:
        data = self.data
        return {
            **inherited_environment("RABBITMQ_", "ERL_", "NOTIFY_SOCKET"),
            "HOME": str(data / "home"),  # where Erlang keeps the cookie
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": str(data / "mnesia"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(data / "generated"),
            "RABBITMQ_SCHEMA_DIR": str(data / "schema"),
            "RABBITMQ_LOG_BASE": str(data / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(data / "conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(data / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(data / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "enabled_plugins"),
            # The script then becomes the node instead of keeping it as its own child: signals by pid reach the node.
            "RUNNING_UNDER_SYSTEMD": "true",
        }
