"""http:// against a server that the test starts, and fsspec in memory: the figures of the local file."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.corpus.corpus import Outcome, parquet, xent
from xentcli.readers import web

ROWS = 3000


class Server:
    """Files by name, and what was asked. `refuse` answers with that code, so often."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.refuse: dict[str, list[int]] = {}
        self.ranges = True
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def url(self, name: str) -> str:
        """The address of a file, or of none."""
        return f"http://127.0.0.1:{self.http.server_port}/{name}"


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, server: Server, *args: Any) -> None:
        self.of = server
        super().__init__(*args)

    def do_GET(self) -> None:
        name = self.path.lstrip("/").split("?")[0]
        self.of.asked.append(name)
        codes = self.of.refuse.get(name, [])
        if name == "away":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif codes or name not in self.of.files:
            self.send_error(codes.pop(0) if codes else 404)
        else:
            self._send(self.of.files[name])

    def _send(self, data: bytes) -> None:
        asked = self.headers.get("Range", "")
        first, last = 0, len(data) - 1
        if asked and self.of.ranges:
            low, _, high = asked.removeprefix("bytes=").partition("-")
            first, last = int(low), min(int(high), last)
        self.send_response(206 if asked and self.of.ranges else 200)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("ETag", f'"{len(data)}"')
        self.end_headers()
        self.wfile.write(data[first : last + 1])

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on standard error."""


@pytest.fixture(scope="module")
def server(files: dict[str, bytes]) -> Iterator[Server]:
    made = Server()
    made.files = files
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same predictions in each format."""
    p = np.random.default_rng(0).dirichlet((1.0, 2.0), ROWS)
    y = np.random.default_rng(1).integers(0, 2, ROWS)
    folder = tmp_path_factory.mktemp("files")
    table = {"p0": p[:, 0], "p1": p[:, 1], "y": y}
    binary = parquet(folder / "p.parquet", table, row_group_size=1000).read_bytes()
    rows = zip(*(column.tolist() for column in table.values()), strict=True)
    text = "\n".join(["p0,p1,y", *(",".join(map(repr, row)) for row in rows), ""]).encode()
    stream = pa.BufferOutputStream()
    with pa.ipc.new_file(stream, pa.table(table).schema) as writer:
        writer.write_table(pa.table(table))
    return {
        "p.parquet": binary, "p.csv": text, "p.csv.gz": gzip.compress(text),
        "p.csv.zst": pa.Codec("zstd").compress(text, asbytes=True),
        "p.arrow": stream.getvalue().to_pybytes(), "empty.csv": b"",
    }  # fmt: skip


NAMES = ["p.parquet", "p.csv", "p.csv.gz", "p.csv.zst", "p.arrow"]


def local(files: dict[str, bytes], name: str, folder: Path) -> Outcome:
    """What the same file on disk gives."""
    path = folder / name
    path.write_bytes(files[name])
    return xent("score", path, "--json")


def same(far: Outcome, near: Outcome) -> None:
    """Both runs say the same, but for the name of the file."""
    assert near.code == 0, near.err
    assert far.code == 0, far.err
    for part in ("metrics", "classes", "reliability", "warnings", "definition"):
        assert far.report[part] == near.report[part]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_on_a_server(server: Server, files: dict[str, bytes], name: str, tmp_path: Path) -> None:
    url = server.url(name) + "?token=secret"
    found = xent("score", url, "--json", "--allow-remote")
    same(found, local(files, name, tmp_path))
    assert "secret" not in found.out + found.err


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_asked_without_the_option(server: Server, name: str) -> None:
    before = len(server.asked)
    found = xent("score", server.url(name))
    assert found.code == 2 and "--allow-remote" in found.err
    assert len(server.asked) == before


def test_two_shards_and_the_same_twice(server: Server) -> None:
    url = server.url("p.csv")
    both = xent("score", url, server.url("p.parquet"), "--json", "--allow-remote")
    assert both.code == 0 and both.report["data"]["rows"] == 2 * ROWS
    assert xent("score", url, url, "--allow-remote").code == 2


@pytest.mark.parametrize("name", ["none.parquet", "none.csv"])
def test_what_is_not_there(server: Server, name: str) -> None:
    assert xent("score", server.url(name), "--allow-remote").code == 2


def test_an_empty_file(server: Server) -> None:
    found = xent("score", server.url("empty.csv"), "--allow-remote")
    assert found.code == 3 and "0 bytes" in found.err


@pytest.mark.parametrize(
    ("codes", "code"), [([403], 3), ([401], 3), ([500], 0), ([503, 503], 0), ([500] * 50, 3), ([418], 3)]
)
@pytest.mark.parametrize("name", ["p.parquet", "p.csv"])
def test_a_server_that_refuses(server: Server, name: str, codes: list[int], code: int) -> None:
    server.refuse[name] = list(codes)
    before = len(server.asked)
    found = xent("score", server.url(name), "--allow-remote", "--only", "nll")
    server.refuse.clear()
    assert found.code == code, found.err
    assert code == 0 or len(server.asked) - before <= 3


def test_a_server_that_sends_no_parts(server: Server) -> None:
    server.ranges = False
    found = xent("score", server.url("p.parquet"), "--allow-remote")
    server.ranges = True
    assert found.code == 3 and "parts" in found.err


def test_a_redirect_to_a_file_of_this_machine(server: Server) -> None:
    found = xent("score", server.url("away"), "--allow-remote")
    assert found.code == 3 and "file://" in found.err


def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xentcli.readers.remote.CONNECT", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        found = xent("score", f"http://127.0.0.1:{silent.getsockname()[1]}/p.csv", "--allow-remote")
    assert found.code == 3


def test_nobody_listens() -> None:
    assert xent("score", "http://127.0.0.1:1/p.parquet", "--allow-remote").code == 3


def test_the_file_changes_on_the_server(server: Server, files: dict[str, bytes]) -> None:
    """The size and the tag of the answer are those of another file when the run ends."""
    seen = web.Web(server.url("p.csv"), 5.0, 1).look()
    server.files["other.csv"] = files["p.csv"] + b"0.5,0.5,1\n"
    assert web.Web(server.url("other.csv"), 5.0, 1).look() != seen


@pytest.mark.parametrize(
    "address", ["a::http://127.0.0.1:1/x.csv", "s3://b/x.parquet::y", "nosuch://b/x.csv"]
)
def test_what_is_refused(address: str) -> None:
    assert xent("score", address, "--allow-remote").code == 2


@pytest.mark.parametrize("name", NAMES)
def test_fsspec(files: dict[str, bytes], name: str, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe_file(f"/bucket/{name}", files[name])
    same(xent("score", f"memory://bucket/{name}", "--json"), local(files, name, tmp_path))
    assert xent("score", f"memory://bucket/none-{name}").code == 2
