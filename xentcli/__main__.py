"""`python -m xentcli`."""

from xentcli.cli.app import run

run()
