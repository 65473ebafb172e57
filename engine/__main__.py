"""`python -m voicelane`."""

import sys

from voicelane.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
