"""`python -m services.eligibility`"""

from services.eligibility.app import main

if __name__ == "__main__":
    main()
