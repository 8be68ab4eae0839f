"""s3:// against a server of moto that the test starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.corpus import xent
from tests.remote.test_web import NAMES, files, local, same

__all__ = ["files"]

boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")

BUCKET = "predictions"


@pytest.fixture(scope="module")
def endpoint(files: dict[str, bytes]) -> Iterator[str]:
    """host:port of a server that has every file, also under a name with spaces."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys: dict[str, Any] = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **keys)
    client.create_bucket(Bucket=BUCKET)
    for name, data in files.items():
        client.put_object(Bucket=BUCKET, Key=f"runs/{name}", Body=data)
        client.put_object(Bucket=BUCKET, Key=f"a b/{name}", Body=data)
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def url(endpoint: str, path: str) -> str:
    """An address on the server of the test."""
    return f"s3://{path}?scheme=http&endpoint_override={endpoint}"


@pytest.mark.parametrize("folder", ["runs", "a b"])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_in_a_bucket(
    endpoint: str, files: dict[str, bytes], name: str, folder: str, tmp_path: Path
) -> None:
    found = xent("score", url(endpoint, f"{BUCKET}/{folder}/{name}"), "--json")
    same(found, local(files, name, tmp_path))
    assert found.report["data"]["inputs"] == [f"s3://{BUCKET}/{folder}/{name}"]


@pytest.mark.parametrize(
    "path", [f"{BUCKET}/runs/none.parquet", "nobucket/p.parquet", f"{BUCKET}/runs", BUCKET]
)
def test_what_is_not_there(endpoint: str, path: str) -> None:
    found = xent("score", url(endpoint, path))
    assert found.code == 2, found.err


def test_an_empty_object(endpoint: str) -> None:
    found = xent("score", url(endpoint, f"{BUCKET}/runs/empty.csv"))
    assert found.code == 3 and "0 bytes" in found.err


def test_an_option_that_is_not_known(endpoint: str) -> None:
    found = xent("score", url(endpoint, f"{BUCKET}/runs/p.csv") + "&tls_verify=no")
    assert found.code == 2 and "tls_verify" in found.err


def test_nobody_listens() -> None:
    found = xent("score", url("127.0.0.1:1", f"{BUCKET}/p.parquet"))
    assert found.code == 3, found.err
