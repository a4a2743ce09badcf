"""`python -m services.eligibility`"""

import gc

gc.disable()  # until it runs (shared/service.py): a start makes what stays, and looking for garbage would take a tenth of it

from services.eligibility.app import main  # noqa: E402

if __name__ == "__main__":
    main()
