"""What the terminal shows."""

import io

from rich.console import Console

from deploy.local.printing import Printer


def printed(width: int = 60) -> tuple[Printer, io.StringIO]:
    stream = io.StringIO()
    return Printer(Console(file=stream, width=width, highlight=False)), stream


def test_texts_are_shown_as_they_are_and_never_read_as_markup() -> None:
    printer, stream = printed()
    printer.step("Association [bold]")
    printer.card("Card [x]", "[red]text[/]")
    printer.error("[/nonsense]")
    assert all(text in stream.getvalue() for text in ("Association [bold]", "[red]text[/]", "[/nonsense]"))


def test_an_address_is_never_broken_over_lines() -> None:
    printer, stream = printed(width=40)
    address = "http://127.0.0.1:8080/status/" + "x" * 100
    printer.addresses([("Status page", address)])
    assert address in stream.getvalue()


def test_a_table_ends_with_the_sum() -> None:
    printer, stream = printed()
    printer.table("Heading", ["Category", "All"], [["First", "1"], ["All", "1"]])
    assert stream.getvalue().index("First") < stream.getvalue().rindex("All")


def test_progress_counts_up_to_its_total() -> None:
    printer, stream = printed()
    with printer.progress("Importing", 3) as advance:
        advance(2)
        advance(5)
    assert "3/3" in stream.getvalue()
