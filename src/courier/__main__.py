"""`python -m courier`: the command line, also where its script is on no path."""

from courier.cli import main

main()
