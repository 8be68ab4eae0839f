"""CSV and TSV, plain, gzip or zstd: one thread cuts blocks of whole records, any thread parses them.

pyarrow parses, with the types it is told; what it accepts and should not (numbers that overflow, quotes
inside fields) is looked for in its result, and every refusal is explained by reading the block again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from xentcli.columns.schema import PREVIEW_ROWS, Column, Preview
from xentcli.errors import DataError, UsageError, clean
from xentcli.readers import Options, Unit
from xentcli.readers.bytestream import ByteStream
from xentcli.readers.csverrors import Dialect, explain, header_again, repeats_header
from xentcli.readers.csvhead import describe, read_names
from xentcli.readers.textblocks import Block, Blocks, place, split, stray_quote

BLOCK_BYTES = 2 << 20
_HEAD_BYTES = 4 << 20
