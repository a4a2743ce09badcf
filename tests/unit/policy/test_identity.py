"""By what organisations are recognised: which spellings are one, which are not, and what says too little."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.application import Organisation, Submission
from shared.policy.identity import Identities, Identity, IdentityKey, registered, words
from tests.unit.policy.packs import mistakes, replace, small, small_pack, submission, weprotect

ALLIANCE = Identities(weprotect().document.identity, weprotect().document.lists)


def keys(name: str = "Example", country: str = "GB", website: str | None = None, **answers: str) -> set[IdentityKey]:
    """The keys of an organisation by the Alliance's policy; "Example" alone gives none."""
    made: Submission = submission(**answers)
    organisation = Organisation(name=name, country=country, website=website)
    return set(ALLIANCE.keys(made.model_copy(update={"organisation": organisation})))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Harbour Children's Trust", "HARBOUR CHILDRENS TRUST"),
        ("Harbour Children's Trust", "Harbour Children’s Trust Ltd."),
        ("Harbour Trust", "The Harbour  Trust, Limited"),
        ("Harbour & Quay", "Harbour and Quay"),
        ("Kinderschutz Nord e.V.", "Kinderschutz-Nord e. V."),
        ("Kinderschutz Nord", "KINDERSCHUTZ NORD EV"),
        ("Straßenkinder gGmbH", "STRASSENKINDER"),
        ("Lumen GmbH & Co. KG", "Lumen"),
        ("Łódź dla dzieci Sp. z o.o.", "Lodz dla dzieci sp. z o. o."),
        ("Niños Primero S.A. de C.V.", "Ninos Primero SA de CV"),
        ("Børns Vilkår A/S", "Borns Vilkar"),
        ("ООО «Детский дом»", "Детский Дом"),
        ("社会福祉法人こども", "社会福祉法人　こども"),
        ("ＨＡＲＢＯＵＲ　Ｔｒｕｓｔ", "Harbour Trust"),
        ("Har\u00adbour Tru\u200bst", "Harbour Trust"),
        ("Plan B e.V.", "Plan B eV"),
        ("Child Line", "ChildLine"),
        ("U.N. Children Office", "UN Children Office"),
        ("Example Devices Co. Ltd.", "Example Devices"),
        ("Ministry of Justice", "MINISTRY OF JUSTICE"),
    ],
)
def test_one_name_in_two_spellings(one: str, other: str) -> None:
    assert keys(one) == keys(other) != set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Harbour Trust North", "Harbour Trust South"),
        ("Ministry of Justice of Uganda", "Ministry of Education of Uganda"),
        ("बाल कि", "बाल कु"),
        ("Детский дом", "Детский сад"),
        ("Limited Children", "Children"),
        ("Co-operative Children", "Operative Children"),
    ],
)
def test_two_names_are_two(one: str, other: str) -> None:
    assert not keys(one) & keys(other)


def test_one_name_in_two_countries_is_two_organisations() -> None:
    assert not keys("Harbour Trust", "GB") & keys("Harbour Trust", "IE")


@pytest.mark.parametrize(
    "name", ["A", "A.B.", "Ltd", "n/a", "N.A.", "None", "TEST", "The Organisation", "Charity Ltd", "-"]
)
def test_what_anybody_may_write_as_a_name_matches_nobody(name: str) -> None:
    assert keys(name) == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://harbour.co.uk", "http://www.harbour.co.uk/about?x=1"),
        ("https://harbour.co.uk", "https://EN.Harbour.CO.UK.:8443/"),
        ("https://müller.de", "https://xn--mller-kva.de/"),
        ("https://justice.gov.uk", "https://apply.justice.gov.uk/"),
        ("https://gov.harbour.org", "https://harbour.org/"),
        ("https://govtech.si", "https://www.govtech.si/"),
    ],
)
def test_one_domain_in_two_addresses(one: str, other: str) -> None:
    assert keys(website=one) == keys(website=other) != set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://harbour.co.uk", "https://quay.co.uk"),
        ("https://justice.gov.uk", "https://education.gov.uk"),
        ("https://harbour.org", "https://harbour.com"),
    ],
)
def test_neighbours_under_a_public_suffix_are_two(one: str, other: str) -> None:
    assert not keys(website=one) & keys(website=other)


@pytest.mark.parametrize(
    "website",
    [
        "https://facebook.com/harbour",
        "https://de-de.facebook.com/harbour",
        "https://harbour.wordpress.com/",
        "https://sites.google.com/view/harbour",
        "https://www.gov.uk/government/organisations/home-office",
        "https://unit.un.org",
        "https://www.gov.si/mnz",
        "https://mz.gov.si/",
        "https://gov.wales/education",
        "https://www.government.bg/bg",
        "https://social.gouv.bj",
        "https://govt.lc",
        "https://gob.ar/salud",
        "https://harbour.mystrikingly.com",
        "https://harbour.canva.site/",
        "https://co.uk/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "https://localhost/",
        "https://..",
        "https://[",
        "https://xn--\u2603.\u2603/",
    ],
)
def test_an_address_that_many_share_or_that_is_none_matches_nobody(website: str) -> None:
    assert keys(website=website) == set()


def number(text: str, country: str | None = "GB", home: str = "GB") -> set[IdentityKey]:
    given_answers = {"registration__number": text, **({"registration__country": country} if country else {})}
    return keys(country=home, **given_answers)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HRB 104 117", "hrb-104117"),
        ("01089599", "1089599"),
        ("１０８９５９９", "1089599"),
        ("SC 098765/2", "SC0987652"),
    ],
)
def test_one_registration_in_two_spellings(one: str, other: str) -> None:
    assert number(one) == number(other) != set()


def test_a_number_is_of_its_register_s_country_or_else_of_the_organisation_s() -> None:
    assert number("1089599", "IE") != number("1089599", "GB") == number("1089599", None) == number("1089599", " ")
    assert number("1089599", "IE", home="FR") == number("1089599", "IE")


@pytest.mark.parametrize(
    "text", ["-", "", "n/a", "none yet", "pending", "1234", "12345", "123456789", "987654", "00000", "1111111", "AB-12"]
)
def test_a_placeholder_is_no_number(text: str) -> None:
    assert number(text) == set()


@given(st.text(max_size=60))
def test_a_name_stays_as_it_is_once_it_is_normalised(name: str) -> None:
    once = words(name)
    assert words(" ".join(once)) == once


@given(st.text(max_size=60))
def test_case_width_and_composition_never_make_two_names_of_one(name: str) -> None:
    """However Unicode lets one write the same letters; white space around and between words does not count either."""
    for same in (
        unicodedata.normalize("NFC", name),
        unicodedata.normalize("NFD", name),
        unicodedata.normalize("NFKC", name),
        f"  {name}\t",
    ):
        assert ALLIANCE.name(same) == ALLIANCE.name(name)


@given(
    st.text(alphabet=st.characters(max_codepoint=0x24F), max_size=40), st.sampled_from(["Ltd", "GmbH", "e.V.", "S.A."])
)
def test_a_legal_form_at_the_end_never_makes_two_names_of_one(name: str, form: str) -> None:
    """Unless a single letter before it makes another form of it: "A S.A." is nothing but the form "ASA"."""
    if words(name) and len(words(name)[-1]) > 1:
        assert ALLIANCE.name(f"{name} {form}") == ALLIANCE.name(name)


@given(st.text(max_size=80))
def test_no_address_and_no_number_breaks_it(text: str) -> None:
    for key in keys(f"x{text}", website=f"https://{text}/"[:300], registration__number=text):
        assert key.text == key.text.strip() != ""
    registered(text)


def test_a_pack_without_identity_compares_nobody(tmp_path: Path) -> None:
    document = small(tmp_path)
    assert document.identity is None
    assert Identities(document.identity, document.lists).keys(submission()) == ()
    assert "identity" not in document.model_dump(mode="json")


def test_what_identity_names_has_to_be_in_the_pack(tmp_path: Path) -> None:
    folder = small_pack(
        tmp_path / "small",
        identity={
            "registrations": [{"number": "a.flag", "country": "a.text"}, {"number": "a.nothing"}],
            "legal_forms": "forms",
        },
    )
    text = (folder / "pack.yaml").read_text(encoding="utf-8").splitlines()
    found = {(text[error.line - 1].strip().removeprefix("- "), error.message) for error in mistakes(folder)}
    assert found == {
        ("number: a.flag", "'a.flag' is a question of type boolean, not text"),
        ("country: a.text", "'a.text' is a question of type text, not country"),
        ("number: a.nothing", "unknown question 'a.nothing'"),
        ("legal_forms: forms", "unknown list 'forms'"),
    }


def test_identity_is_read_strictly(tmp_path: Path) -> None:
    folder = small_pack(tmp_path / "small", identity={"legal_form": "x"})
    line = replace(folder / "pack.yaml", "legal_form: x", "legal_form: x")
    assert [(each.line, each.message) for each in mistakes(folder)] == [
        (line, "identity.legal_form: unknown key 'legal_form'")
    ]


def test_the_identity_section_survives_the_journey_in_an_event() -> None:
    document = weprotect().document
    assert document.identity == Identity.model_validate(document.model_dump(mode="json")["identity"])
