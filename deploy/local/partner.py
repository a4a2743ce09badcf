"""An example partner: a broker user who may do nothing but send applications and read the answers, and its client."""

import asyncio
import json
import secrets
import shlex
from collections.abc import Mapping
from typing import Any

import aio_pika

from deploy.local.errors import StoryFailed
from deploy.local.ports import LOOPBACK
from deploy.local.rabbitmq import RabbitServer
from shared.partners import permissions
from shared.topology import Topology

NAME = "example-partner"
ANSWER_SECONDS = 60


class ExamplePartner:
    """A partner at the local runner's own broker."""

    def __init__(self, rabbit: RabbitServer, namespace: str) -> None:
        self._rabbit = rabbit
        self._topology = Topology(namespace)
        self._password = secrets.token_hex(16)

    def admit(self) -> None:
        """Make its user, by the commands that `accede partners permissions` prints. For a broker that has none yet."""
        for command in permissions(NAME, self._topology):
            _, *arguments = shlex.split(command)
            if arguments[0] == "add_user":
                arguments.append(self._password)  # else it is asked for
            self._rabbit.ctl(*arguments)

    def send(self, submissions: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Send submissions by message id, and read the answer to each.

        Raises StoryFailed when one is not answered.
        """
        return asyncio.run(self._send(submissions))

    async def _send(self, submissions: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        connection = await aio_pika.connect(f"amqp://{NAME}:{self._password}@{LOOPBACK}:{self._rabbit.port}/")
        async with connection, connection.channel() as channel:
            replies = await channel.declare_queue(self._topology.reply_queue(NAME), durable=True)
            exchange = await channel.get_exchange(self._topology.partner_exchange, ensure=False)
            for message_id, submission in submissions.items():
                message = aio_pika.Message(
                    json.dumps(submission).encode(),
                    content_type="application/json",
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    message_id=message_id,
                    user_id=NAME,
                )
                await exchange.publish(message, routing_key="")
            answers: dict[str, dict[str, Any]] = {}
            try:
                async with replies.iterator(timeout=ANSWER_SECONDS) as coming:
                    async for answer in coming:
                        await answer.ack()
                        answers[str(answer.correlation_id)] = json.loads(answer.body)
                        if answers.keys() >= submissions.keys():
                            return answers
            except TimeoutError:
                pass
        raise StoryFailed(f"Of {len(submissions)} messages to the partners' queue, {len(answers)} were answered.")
