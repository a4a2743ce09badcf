"""The mailbox's API and pages."""

import httpx
import pytest

from deploy.local.mailbox.behaviour import Behaviour
from deploy.local.mailbox.messages import MemorySpool, Messages
from deploy.local.mailbox.web import create_app

EMAIL = (
    b"From: Alliance <membership@alliance.example>\r\nTo: ann@org.example\r\nMessage-ID: <1@alliance.example>\r\n"
    b"Subject: =?utf-8?q?Received_=E2=80=93_thank_you?=\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nWe have it <here>.\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>We have it.</p><script>alert(1)</script>\r\n--b--\r\n"
)


@pytest.fixture
def messages() -> Messages:
    return Messages(MemorySpool())


@pytest.fixture
def client(messages: Messages) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(messages, Behaviour(), ["testserver"])), base_url="http://testserver"
    )


def fill(messages: Messages, count: int) -> None:
    for number in range(count):
        messages.add("a@alliance.example", (f"to-{number}@org.example",), EMAIL, 1_633_338_000.0 + number)


async def test_the_listing_is_read_page_by_page(client: httpx.AsyncClient, messages: Messages) -> None:
    fill(messages, 5)
    seen: list[int] = []
    query: dict[str, int] = {"limit": 2}
    while True:
        listing = (await client.get("/api/messages", params=query)).json()
        seen += [message["id"] for message in listing["messages"]]
        if listing["next"] is None:
            break
        query["before"] = listing["next"]
    assert seen == [5, 4, 3, 2, 1]
    assert listing["total"] == 5


async def test_the_listing_can_be_searched(client: httpx.AsyncClient, messages: Messages) -> None:
    fill(messages, 3)
    found = (await client.get("/api/messages", params={"to": "to-1@", "subject": "thank"})).json()
    assert [message["recipients"] for message in found["messages"]] == [["to-1@org.example"]]
    assert (await client.get("/api/count", params={"to": "to-1@"})).json() == {"count": 1}
    assert (await client.get("/api/count")).json() == {"count": 3}
    by_id = {"message_id": "<1@alliance.example>"}
    assert (await client.get("/api/count", params=by_id)).json() == {"count": 3}
    since = await client.get("/api/count", params={"since": "2021-10-04T09:00:02Z"})
    assert since.json() == {"count": 1}


async def test_a_message_is_parsed_for_who_asks(client: httpx.AsyncClient, messages: Messages) -> None:
    fill(messages, 1)
    message = (await client.get("/api/messages/1")).json()
    assert message["subject"] == "Received – thank you"
    assert message["text"].strip() == "We have it <here>."
    assert ["Message-ID", "<1@alliance.example>"] in message["headers"]
    assert (await client.get("/api/messages/1/raw")).content == EMAIL
    assert (await client.get("/api/messages/2")).status_code == 404


async def test_everything_can_be_deleted(client: httpx.AsyncClient, messages: Messages) -> None:
    fill(messages, 2)
    assert (await client.delete("/api/messages")).json() == {"deleted": 2}
    assert (await client.get("/api/count")).json() == {"count": 0}


async def test_the_switch_is_set_and_read(client: httpx.AsyncClient) -> None:
    assert (await client.put("/api/behaviour", json={"refuse_all": True})).status_code == 200
    assert (await client.get("/api/behaviour")).json()["refuse_all"] is True
    assert "refuse_all = True" in (await client.get("/")).text
    assert (await client.put("/api/behaviour", json={"delay_ms": -1})).status_code == 422


async def test_the_inbox_lists_searches_and_pages(client: httpx.AsyncClient, messages: Messages) -> None:
    fill(messages, 51)
    first = await client.get("/")
    assert "51 messages" in first.text
    assert "page_number=2" in first.text
    assert "to-0@org.example" not in first.text
    assert "to-0@org.example" in (await client.get("/", params={"page_number": 2})).text
    found = (await client.get("/", params={"to": "to-7@"})).text
    assert "1 message<" in found
    assert 'value="to-7@"' in found


async def test_an_empty_inbox_and_a_missing_message_say_so(client: httpx.AsyncClient) -> None:
    assert "No email has come yet" in (await client.get("/")).text
    assert (await client.get("/messages/9")).status_code == 404
    assert (await client.get("/messages/9/html")).status_code == 404


async def test_what_a_sender_wrote_cannot_run_in_the_page(client: httpx.AsyncClient, messages: Messages) -> None:
    fill(messages, 1)
    page = await client.get("/messages/1")
    assert "We have it &lt;here&gt;." in page.text
    assert "<script" not in page.text
    assert "<iframe sandbox" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    framed = await client.get("/messages/1/html")
    assert framed.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


async def test_pages_ask_for_nothing_from_elsewhere(client: httpx.AsyncClient, messages: Messages) -> None:
    fill(messages, 1)
    for address in ("/", "/messages/1", "/static/mailbox.css"):
        text = (await client.get(address)).text
        assert "http://" not in text
        assert "https://" not in text


async def test_another_name_that_points_here_is_not_answered(messages: Messages) -> None:
    transport = httpx.ASGITransport(create_app(messages, Behaviour(), ["127.0.0.1"]))
    stranger = httpx.AsyncClient(transport=transport, base_url="http://evil.example")
    assert (await stranger.get("/api/messages")).status_code == 400
