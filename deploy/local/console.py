"""The secretariat's console of a local stack: an account, and a link that signs it in once."""

from http import HTTPStatus

from deploy.local.errors import LocalError
from deploy.local.http import local_client

ACCOUNT = {
    "name": "secretariat",
    "full_name": "The secretariat",
    "role": "admin",
    "why": "Made by the local runner, so that there is somebody to sign in.",
}


def sign_in_link(eligibility_url: str, admin_key: str) -> str:
    """An address that signs the secretariat's account in once, within a day; the account is opened if it is not there.
    Raises LocalError."""
    headers = {"Authorization": f"Bearer {admin_key}"}
    with local_client(base_url=eligibility_url, headers=headers, timeout=30) as client:
        opened = client.post("/v1/accounts", json=ACCOUNT)
        if not opened.is_success and opened.status_code != HTTPStatus.CONFLICT:  # somebody has changed it since
            raise LocalError(f"The console's account could not be opened: {opened.status_code} {opened.text}")
        answer = client.post(f"/v1/accounts/{ACCOUNT['name']}/sign-in-link")
        if not answer.is_success:
            raise LocalError(f"There is no link to the console: {answer.status_code} {answer.text}")
        return str(answer.json()["url"])
