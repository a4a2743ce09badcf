"""A MongoDB of our own: a replica set of one member (transactions, majority writes) on the loopback interface alone."""

import signal
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.ports import LOOPBACK, free_port
from deploy.local.processes import Child, inherited_environment
from deploy.local.provide import TOOLS, mongod

START_SECONDS = 60
SET = "rs0"
_NOT_YET_INITIATED = 94


class MongoServer:
    """One mongod as a child process; its data stays in `data`. The port stays the same over restarts.

    Without `binary`, provide.mongod finds or downloads one.
    """

    def __init__(self, data: Path, port: int | None = None, *, binary: Path | None = None) -> None:
        self.data = data.resolve() / "mongodb"
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        self.port = free_port(port)
        log = data.resolve() / "logs" / "mongodb.log"
        self._mongod = Child("MongoDB", self._command(binary or mongod(TOOLS)), log=log, env=inherited_environment())

    @property
    def url(self) -> str:
        """The address of the replica set, for a client that waits for a primary; also known while it is stopped."""
        return f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={SET}"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._mongod.log

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._mongod.alive

    def start(self) -> None:
        """Start it and wait until it is primary; raises StartFailed."""
        self.begin()
        self.wait_ready()

    def begin(self) -> None:
        """Start it without waiting."""
        self._mongod.start()

    def wait_ready(self, timeout: float = START_SECONDS) -> None:
        """Wait until it takes writes, making the replica set when it is new; raises StartFailed after `timeout` s."""
        with self._client() as client:
            self._mongod.wait_ready(lambda: self._is_primary(client), timeout)

    def stop(self) -> None:
        """Stop it cleanly."""
        self._mongod.stop(timeout=30)

    def kill(self) -> None:
        """kill -9: journaled writes come back with `start`."""
        self._mongod.kill()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers, as when a machine hangs."""
        self._mongod.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._mongod.signal(signal.SIGCONT)

    def _client(self) -> "pymongo.MongoClient[dict[str, Any]]":
        return pymongo.MongoClient(
            LOOPBACK, self.port, directConnection=True, serverSelectionTimeoutMS=500, connectTimeoutMS=500
        )

    def _is_primary(self, client: "pymongo.MongoClient[dict[str, Any]]") -> bool:
        try:
            hello = client.admin.command("hello")
            if not hello["isWritablePrimary"]:
                self._join_itself(client)
            return bool(hello["isWritablePrimary"])
        except PyMongoError:
            return False

    def _join_itself(self, client: "pymongo.MongoClient[dict[str, Any]]") -> None:
        """Make the replica set, or tell it the server's new address after a start on another port."""
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != _NOT_YET_INITIATED:
                raise
            client.admin.command("replSetInitiate", self._config())
        else:
            if config["members"][0]["host"] != self._member()["host"]:
                config["members"] = [self._member()]
                config["version"] += 1
                client.admin.command("replSetReconfig", config, force=True)

    def _member(self) -> dict[str, object]:
        return {"_id": 0, "host": f"{LOOPBACK}:{self.port}"}

    def _config(self) -> dict[str, object]:
        # It has nobody to wait for when it elects itself again after a restart: the default would be ten seconds.
        return {"_id": SET, "members": [self._member()], "settings": {"electionTimeoutMillis": 500}}

    def _command(self, binary: Path) -> list[str]:
        options = {
            "--dbpath": str(self.data),
            "--bind_ip": LOOPBACK,
            "--port": str(self.port),
            "--replSet": SET,
            "--oplogSize": "512",  # MB; the default is 5 % of the disk
            "--wiredTigerCacheSizeGB": "0.5",
        }
        parameters = ["diagnosticDataCollectionEnabled=false", "shutdownTimeoutMillisForSignaledShutdown=100"]
        flat = [word for option in options.items() for word in option]
        return [str(binary), *flat, "--nounixsocket", "--quiet", *(f"--setParameter={one}" for one in parameters)]
