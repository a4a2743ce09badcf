"""Documents beside the answers, with a real browser and without scripts, on the whole system.

They are uploaded in the form, seen at the check, found on the application's page, added to, removed and saved. Every page is
held against axe's rules and photographed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tests import running
from tests.e2e.browser import Window
from tests.servers import Servers
from tests.unit.intake.documents import DOCX, JPEG, PDF, TEXT

NAME = "Enfance Protégée"


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("stack"), servers) as started:
        yield started


@pytest.fixture
def visitor(visitor: Window) -> Window:
    visitor.page.set_default_timeout(60_000)  # uploads wait for real writes
    return visitor


def choose_files(visitor: Window, kind: str, *files: Path) -> None:
    """Choose files in an entry of the page, as a person does in the browser's dialogue."""
    visitor.page.locator(f'[name="file.{kind}"]').set_input_files([str(each) for each in files])


def saved(visitor: Window, name: str) -> bytes:
    """What the browser saves when somebody follows the link of a file; it does not show it."""
    before = visitor.page.url
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name=name).click()
    assert download.value.suggested_filename == name
    assert visitor.page.url == before
    return Path(download.value.path()).read_bytes()


def test_documents_are_sent_with_the_form_and_kept_up_to_date_afterwards(visitor: Window, tmp_path: Path) -> None:
    certificate, policy, scan = tmp_path / "Récépissé 2021.pdf", tmp_path / "safeguarding.docx", tmp_path / "signed.jpg"
    certificate.write_bytes(PDF)
    policy.write_bytes(DOCX)
    scan.write_bytes(JPEG)
    program = tmp_path / "certificate.pdf"
    program.write_bytes(b"MZ\x90\x00" + bytes(200))

    visitor.open("/apply").choose("category", "civil_society_organisation").press("Continue")
    visitor.look("documents-1-list").press("Supporting documents")
    assert "No documents yet" in visitor.text
    visitor.look("documents-2-empty").press("Upload")
    assert "Choose a file first" in visitor.text
    choose_files(visitor, "registration", certificate, program)
    choose_files(visitor, "safeguarding_policy", policy)
    visitor.press("Upload")
    assert "Not every file was taken" in visitor.text
    assert "certificate.pdf: The file is a Windows program" in visitor.text
    visitor.look("documents-3-error")
    film = tmp_path / "film.mp4"
    with film.open("wb") as large:
        large.truncate(60 << 20)
    choose_files(visitor, "other", film)
    visitor.press("Upload")
    assert "film.mp4: The file is larger than 10 MB" in visitor.text
    choose_files(visitor, "registration", program)
    visitor.press("Upload")
    visitor.page.get_by_role("alert").get_by_role("link").first.click()
    assert visitor.page.evaluate("document.activeElement.name") == "file.registration"
    assert saved(visitor, certificate.name) == PDF
    choose_files(visitor, "other", scan)
    visitor.press("Upload and go back")
    assert "3 files" in visitor.text
    visitor.look("documents-4-list")

    visitor.press("The organisation and its contact")
    organisation = {
        "organisation.name": NAME,
        "organisation.country": "SN",
        "contact.name": "Paul Okoye",
        "contact.email": "paul.okoye@enfance.example",
    }
    visitor.fill(organisation).press("Save and continue")
    visitor.press("Back to your application").press("Check your answers and send")
    if "May we write to you" in visitor.heading:
        visitor.choose("consent", "no").press("Continue")
    assert policy.name in visitor.text
    visitor.look("documents-5-check")
    visitor.page.locator('a[href$="/documents?back=check"]').click()
    visitor.look("documents-6-sent-so-far").press(f"Remove {scan.name}")
    assert scan.name not in visitor.text
    visitor.press("Back to your answers").press("Send the application")
    visitor.press("See your application")

    assert "Your documents" in visitor.text
    assert certificate.name in visitor.text
    visitor.look("documents-7-status").press("Add or remove documents")
    note = tmp_path / "note.txt"
    note.write_bytes(TEXT)
    choose_files(visitor, "other", note)
    visitor.press("Upload").look("documents-8-added")
    assert saved(visitor, note.name) == TEXT
    visitor.press(f"Remove {policy.name}")
    assert policy.name not in visitor.text
    visitor.press("Back to the application")
    assert "A document was added: Anything else" in visitor.text
    assert "A document was removed: Your policy" in visitor.text
    visitor.look("documents-9-history").press("See everything we hold")
    assert note.name in visitor.text
    visitor.look("documents-10-export")
    visitor.press("Back to the application").press("Withdraw the application").press("Withdraw")
    visitor.page.get_by_role("link", name="Remove documents").click()
    assert "No more documents can be added" in visitor.text
    visitor.look("documents-11-withdrawn")


def test_the_secretariat_saves_a_document_with_headers_that_keep_it_from_running(
    stack: Stack, visitor: Window, tmp_path: Path
) -> None:
    certificate = tmp_path / "licence.pdf"
    certificate.write_bytes(PDF)
    visitor.open("/apply").choose("category", "financial_institution").press("Continue").press("Supporting documents")
    choose_files(visitor, "licence", certificate)
    visitor.press("Upload and go back").press("The organisation and its contact")
    contact = {"contact.name": "Ann", "contact.email": "ann@bank.example"}
    visitor.fill({"organisation.name": "Safe Bank", "organisation.country": "GB", **contact}).press("Save and continue")
    visitor.press("Back to your application").press("Check your answers and send")
    if "May we write to you" in visitor.heading:
        visitor.choose("consent", "no").press("Continue")
    visitor.press("Send the application")
    with stack.client("intake", "operator") as client:
        (found,) = [each for each in running.applications(stack) if each["organisation_name"] == "Safe Bank"]
        path = f"/v1/applications/{found['application_id']}/evidence"
        (listed,) = running.ask(client.get, path)["evidence"]
        answer = client.get(f"{path}/{listed['evidence_id']}")
    assert answer.content == PDF
    assert answer.headers["content-disposition"].startswith('attachment; filename="licence.pdf"')
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "private, no-store"
