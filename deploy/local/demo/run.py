"""The demo from beginning to end."""

from pathlib import Path

from deploy.local import commands
from deploy.local.demo import campaign, casework, chapters, look, review
from deploy.local.demo.apis import Apis
from deploy.local.demo.checks import everything_arrived
from deploy.local.demo.story import Story
from deploy.local.partner import ExamplePartner
from deploy.local.printing import Printer
from deploy.local.stack import Stack


def run(data: Path, printer: Printer, *, leave: bool) -> None:
    """Tell the story on empty databases. With `leave`, stop everything at the end; else keep it running to look around.

    Raises LocalError when something does not start, and StoryFailed when the end is not what it has to be.
    """
    printer.title("Accede: a year of an alliance's membership applications")
    with commands.running(data, printer, before=lambda: commands.wipe_data(data)) as stack:
        printer.done("RabbitMQ, MongoDB, a mailbox and three services are running.")
        tell(stack, printer)
        if not leave:
            commands.show(data, printer)
            printer.hint("Look around; Ctrl-C stops it all.")
            commands.until_interrupted()


def tell(stack: Stack, printer: Printer) -> None:
    """The chapters, on a stack that runs and is empty."""
    with Apis(stack) as apis:
        partner = ExamplePartner(stack.servers.rabbit, stack.namespace) if stack.servers else None
        samples = stack.data / "samples"
        story = Story(
            apis,
            stack.mailbox,
            printer,
            samples_folder=samples,
            policy=stack.policy,
            partner=partner,
            inbound_port=stack.inbound_port,
        )
        chapters.october(story)
        casework.november(story)
        review.december(story)
        chapters.new_year(story)
        campaign.campaign(story)
        chapters.january(story)
        campaign.again(story)
        casework.late_january(story)
        campaign.closed(story)
        look.around(story)
        everything_arrived(story)
