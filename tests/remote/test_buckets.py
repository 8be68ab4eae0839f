"""s3:// against a server of moto, gs:// against an emulator; both are started by the test."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from tests.corpus.corpus import xent
from tests.remote.test_web import NAMES, files, local, same

__all__ = ["files"]

BUCKET = "predictions"
FOLDERS = ("runs", "a b")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_EC2_METADATA_DISABLED": "1",
}
Url = Callable[[str], str]
"""The address of a path on the server of the test."""


@contextmanager
def s3(files: dict[str, bytes]) -> Iterator[Url]:
    """A server that has every file in every folder."""
    boto3 = pytest.importorskip("boto3")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    host = "{}:{}".format(*server.get_host_and_port())
    keys: dict[str, Any] = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    client = boto3.client("s3", endpoint_url=f"http://{host}", region_name="us-east-1", **keys)
    client.create_bucket(Bucket=BUCKET)
    for name, data in files.items():
        for folder in FOLDERS:
            client.put_object(Bucket=BUCKET, Key=f"{folder}/{name}", Body=data)
    yield lambda path: f"s3://{path}?scheme=http&endpoint_override={host}"
    server.stop()


@contextmanager
def gs(files: dict[str, bytes]) -> Iterator[Url]:
    """The same in a process of its own, as pyarrow holds the interpreter's lock while it waits for gs://."""
    pytest.importorskip("gcp_storage_emulator")
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
                for folder in FOLDERS:
                    with system.open_output_stream(f"{BUCKET}/{folder}/{name}", compression=None) as out:
                        out.write(data)
            yield lambda path: f"gs://{path}?scheme=http&endpoint_override={host}&anonymous=true"
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


@pytest.fixture(scope="module", params=[s3, gs])
def url(request: pytest.FixtureRequest, files: dict[str, bytes]) -> Iterator[Url]:
    with request.param(files) as found:
        yield found


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_file_in_a_bucket(
    url: Url, files: dict[str, bytes], name: str, folder: str, tmp_path: Path
) -> None:
    address = url(f"{BUCKET}/{folder}/{name}")
    found = xent("score", address, "--json")
    same(found, local(files, name, tmp_path))
    assert found.report["data"]["inputs"] == [address.partition("?")[0]]


@pytest.mark.parametrize(
    "path", [f"{BUCKET}/runs/none.parquet", "nobucket/p.parquet", f"{BUCKET}/runs", BUCKET]
)
def test_what_is_not_there(url: Url, path: str) -> None:
    found = xent("score", url(path))
    assert found.code == 2, found.err


def test_an_empty_object(url: Url) -> None:
    found = xent("score", url(f"{BUCKET}/runs/empty.csv"))
    assert found.code == 3 and "0 bytes" in found.err


def test_an_option_that_is_not_known(url: Url) -> None:
    found = xent("score", url(f"{BUCKET}/runs/p.csv") + "&zone=eu")
    assert found.code == 2 and "zone" in found.err


def test_nobody_listens() -> None:
    found = xent("score", f"s3://{BUCKET}/p.parquet?scheme=http&endpoint_override=127.0.0.1:1")
    assert found.code == 3, found.err
