"""`python -m endcap`."""

from endcap.cli.main import main

main()
