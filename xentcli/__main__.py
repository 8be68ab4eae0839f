"""`python -m xentcli`, and the console entry points."""

import signal


def run() -> None:
    """Run the command line. Ctrl-C before it is imported ends the process, too, without a traceback."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # not where a shell has asked to ignore it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from xentcli.cli.app import run as start

    signal.signal(signal.SIGINT, handler)
    start()


if __name__ == "__main__":
    run()
