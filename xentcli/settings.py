"""Everything that `score` can be asked for, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping

from xentcli.binding import Rules
from xentcli.columns import Ask
from xentcli.metrics.names import Metric
from xentcli.readers import Options
from xentcli.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that `score` can be asked for; see the options of the command line."""

    ask: Ask = field(default_factory=Ask)
    reading: Options = field(default_factory=Options)
    rules: Rules = field(default_factory=Rules)
    metrics: tuple[Metric, ...] = ()
    bins: int = 15
    binning: str = "width"
    threshold: float = 0.5
    clip: float | None = None
    precision: str = "auto"
    renormalize: bool = False
    prior: str | Mapping[str, float] | None = None
    label_smoothing: float | None = None
    class_weights: str | Mapping[str, float] | None = None
    pos_weight: float | str | Mapping[str, float] | None = None
    compat: str | None = None
    compat_bins: int | None = None
    level: float | None = 0.95
    seed: int = 0
    limit: int | None = None
    all_classes: bool = False
    matrix: bool = False
    verbose: bool = False
    jobs: int | None = None
    sha256: str | None = None
    labels: str | None = None
    rows_to: str | None = None
    top: int = 0
    label_errors: str | None = None
