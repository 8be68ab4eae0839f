"""gs:// against an emulator that the test starts in a process of its own, as pyarrow holds the
interpreter's lock while it waits for an answer: `pip install ".[remote-tests]"`."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import fs

from tests.corpus.corpus import xent
from tests.remote.test_web import NAMES, files, local, same

__all__ = ["files"]

pytest.importorskip("gcp_storage_emulator")

BUCKET = "predictions"


@pytest.fixture(scope="module")
def endpoint(files: dict[str, bytes]) -> Iterator[str]:
    """host:port of a server that has every file, also under a name with spaces."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    host = f"127.0.0.1:{port}"
    words = ["start", "--host", "127.0.0.1", "--port", f"{port}", "--default-bucket", BUCKET, "--in-memory"]
    with subprocess.Popen([sys.executable, "-m", "gcp_storage_emulator", *words, "--quiet"]) as server:
        try:
            wait(host)
            system = fs.GcsFileSystem(anonymous=True, scheme="http", endpoint_override=host)
            for name, data in files.items():
                for folder in ("runs", "a b"):
                    with system.open_output_stream(f"{BUCKET}/{folder}/{name}", compression=None) as out:
                        out.write(data)
            yield host
        finally:
            server.kill()


def wait(host: str) -> None:
    """Until the server answers, ten seconds at most."""
    until = time.monotonic() + 10
    while True:
        try:
            urllib.request.urlopen(f"http://{host}/", timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def url(endpoint: str, path: str) -> str:
    """An address on the server of the test."""
    return f"gs://{path}?scheme=http&endpoint_override={endpoint}&anonymous=true"


@pytest.mark.parametrize("folder", ["runs", "a b"])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_in_a_bucket(
    endpoint: str, files: dict[str, bytes], name: str, folder: str, tmp_path: Path
) -> None:
    found = xent("score", url(endpoint, f"{BUCKET}/{folder}/{name}"), "--json")
    same(found, local(files, name, tmp_path))
    assert found.report["data"]["inputs"] == [f"gs://{BUCKET}/{folder}/{name}"]


@pytest.mark.parametrize("path", [f"{BUCKET}/runs/none.parquet", "nobucket/p.parquet", f"{BUCKET}/runs"])
def test_what_is_not_there(endpoint: str, path: str) -> None:
    found = xent("score", url(endpoint, path))
    assert found.code == 2, found.err


def test_an_empty_object(endpoint: str) -> None:
    found = xent("score", url(endpoint, f"{BUCKET}/runs/empty.csv"))
    assert found.code == 3 and "0 bytes" in found.err


def test_an_option_that_is_not_known(endpoint: str) -> None:
    found = xent("score", url(endpoint, f"{BUCKET}/runs/p.csv") + "&region=eu")
    assert found.code == 2 and '"region" is not known' in found.err
