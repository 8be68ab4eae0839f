"""The JSON Schemas of what xent prints. Objects may gain properties; those that are here stay as they are."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_NUMBER: Schema = {"type": "number"}
_FLAG: Schema = {"type": "boolean"}
_FREE: Schema = {"type": "object"}


def _maybe(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _each(schema: Schema) -> Schema:
    """An object whose names come from the data or are those of metrics."""
    return {"type": "object", "additionalProperties": schema}


def _object(optional: Schema | None = None, /, **required: Schema) -> Schema:
    names = {name.rstrip("_"): schema for name, schema in required.items()}
    return {"type": "object", "properties": {**names, **(optional or {})}, "required": list(names)}


def _document(kind: str, title: str, optional: Schema | None = None, /, **required: Schema) -> Schema:
    body = _object(optional, schema={"const": f"xent.{kind}/1"}, **required)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **body}


VALUE = _object(
    {"sign": {"enum": [1, -1]}, "bound": _NUMBER, "lower": _maybe(_NUMBER), "upper": _maybe(_NUMBER),
     "chance": _NUMBER, "p": _NUMBER, "redraws": _WHOLE},
    value=_maybe(_NUMBER), state={"enum": ["finite", "infinite", "undefined"]}, unit=_TEXT,
    better={"enum": ["lower", "higher", ""]}, n=_maybe(_WHOLE), se=_maybe(_NUMBER), lo=_maybe(_NUMBER),
    hi=_maybe(_NUMBER), why=_maybe(_TEXT),
)  # fmt: skip

SCORE = _document(
    "score", "What xent score found",
    {"verdict": {"enum": ["pass", "fail", "undefined", "inconclusive"]},
     "slice_gaps": _many(_object(by=_many(_TEXT), worst=_each(_maybe(_TEXT)), best=_each(_maybe(_TEXT)),
                                 compared=_WHOLE, gap=VALUE)),
     "label_errors": _object(
         suspected=_WHOLE, listed=_WHOLE, estimated=_NUMBER, noise_rate=_NUMBER,
         thresholds=_many(_maybe(_NUMBER)),
         pairs=_many(_object(label=_TEXT, suggested=_TEXT, rows=_WHOLE)))},
    definition=_TEXT,
    provenance=_object(xent=_TEXT, kind=_TEXT, n=_WHOLE, precision={"enum": ["float32", "float64"]},
                       seed=_WHOLE, ci=_maybe(_NUMBER), labels_hash=_TEXT),
    data=_object(
        {"positive": _TEXT, "weight_column": _TEXT, "effective_rows": _NUMBER, "notes": _many(_TEXT),
         "skipped_examples": _each(_many(_object(file=_TEXT, row=_WHOLE))),
         "recalibration": _object(how={"enum": ["rows", "sample", "cells", "grid"]}, rows=_WHOLE, of=_WHOLE,
                                  folds=_WHOLE, share=_NUMBER)},
        inputs=_many(_TEXT), rows=_WHOLE, scored=_WHOLE, ignored=_WHOLE, skipped=_each(_WHOLE),
        weight=_NUMBER, task=_TEXT, kind=_TEXT, pred=_TEXT, label=_TEXT, bound=_TEXT, classes=_many(_TEXT),
        ties=_WHOLE, evidence=_each(_TEXT),
    ),
    metrics=_each(VALUE),
    classes=_many(_object(class_=_TEXT, support=_maybe(_NUMBER), confused_with=_maybe(_TEXT),
                          metrics=_each(VALUE))),
    slices=_many(_object({"clusters": _WHOLE}, by=_each(_maybe(_TEXT)), rows=_WHOLE, metrics=_each(VALUE))),
    worst=_many(_object(
        {"p_predicted": _maybe(_NUMBER), "weight": _NUMBER, "target": _NUMBER, "wrong": _WHOLE},
        file=_TEXT, row=_maybe(_WHOLE), id=_maybe(_TEXT), label=_TEXT,
        predicted={"type": ["string", "boolean"]}, p_label=_maybe(_NUMBER), loss=_maybe(_NUMBER),
    )),
    reliability=_many(_object(pair=_TEXT, scheme=_TEXT, bins=_WHOLE, rows=_many(_object(
        lo=_NUMBER, hi=_NUMBER, n=_WHOLE, mean_p=_maybe(_NUMBER), mean_y=_maybe(_NUMBER))))),
    rules=_many(_object(
        {"why": _maybe(_TEXT)}, rule=_TEXT, metric=_TEXT, limit=_NUMBER, value=_maybe(_NUMBER),
        verdict={"enum": ["pass", "fail", "undefined", "inconclusive"]},
    )),
    warnings=_many(_object({"example": _TEXT}, id=_TEXT, message=_TEXT, remedy=_TEXT, count=_WHOLE)),
)  # fmt: skip

_READING = _object(
    task=_TEXT, kind=_TEXT, layout=_TEXT, pred=_TEXT, columns=_many(_TEXT), stored=_TEXT, label=_TEXT,
    bound=_TEXT, classes=_many(_TEXT), weight=_maybe(_TEXT), evidence=_each(_TEXT),
)  # fmt: skip

INSPECT = _document(
    "inspect", "What xent inspect saw",
    xent=_TEXT,
    files=_many(_object(path=_TEXT, format=_TEXT, bytes=_maybe(_WHOLE), rows=_maybe(_WHOLE),
                        rows_exact=_FLAG, facts=_FREE)),
    rows=_maybe(_WHOLE), rows_exact=_FLAG, sampled=_WHOLE,
    columns=_many(_object(
        name=_TEXT, type=_TEXT, stored=_TEXT, low={"type": ["number", "string", "null"]},
        high={"type": ["number", "string", "null"]}, sample={"type": "array"},
        role={"enum": ["scores", "label", "weight", "filter", ""]},
    )),
    reading=_maybe(_READING),
    labels=_many(_object(label=_TEXT, count=_WHOLE)),
    readings=_many(_object(options=_TEXT, means=_TEXT)),
    problems=_many(_object({"also": _TEXT}, id=_TEXT, exit_code=_WHOLE, message=_TEXT, where=_TEXT,
                           remedy=_TEXT)),
    notes=_many(_TEXT),
    estimate=_object(seconds=_maybe(_NUMBER), seconds_per_million_rows=_maybe(_NUMBER),
                     bytes=_maybe(_NUMBER)),
    exit_code={"enum": [0, 2, 3, 4]},
    commands=_many(_TEXT),
)  # fmt: skip

EXPLAIN = _document(
    "explain", "What xent explain says; without a name, all names",
    {"kind": {"enum": ["metric", "error", "warning", "exit_code", "method", "word"]}, "name": _TEXT,
     "cause": _TEXT, "remedy": _TEXT, "exit_code": _WHOLE, "example": _many(_TEXT), "says": _TEXT,
     "aliases": _many(_TEXT), "formula": _TEXT, "unit": _TEXT, "better": {"enum": ["lower", "higher", ""]},
     "range": _TEXT, "undefined": _TEXT, "interval": _TEXT, "coverage": _TEXT, "tasks": _many(_TEXT),
     "reading": _TEXT, "elsewhere": _TEXT, "source": _TEXT,
     "metrics": _each(_object(says=_TEXT, aliases=_many(_TEXT))), "ids": _each(_many(_TEXT)),
     "exit_codes": _each(_TEXT), "exact": _TEXT, "methods": _each(_TEXT), "words": _each(_TEXT)},
)  # fmt: skip

_GAIN = _object(
    {"sign": {"enum": [1, -1]}, "beyond_noise": {"type": ["boolean", "null"]}},
    value=_maybe(_NUMBER), state={"enum": ["finite", "infinite", "undefined"]}, unit=_TEXT,
    better={"enum": ["lower", "higher", ""]}, n=_maybe(_WHOLE), se=_maybe(_NUMBER), lo=_maybe(_NUMBER),
    hi=_maybe(_NUMBER), why=_maybe(_TEXT),
)  # fmt: skip

CALIBRATION = _document(
    "calibration", "A calibration map of xent calibrate fit, with what it gains on held-out rows",
    {"provenance": _FREE, "chosen": _TEXT, "tuning": _object(prior_rows=_NUMBER, map_bins=_WHOLE),
     "data": _FREE,
     "fit": _object(rows=_WHOLE, of=_WHOLE, sample=_maybe(_NUMBER), folds=_WHOLE,
                    folds_by={"enum": ["row", "id", "group"]}, folds_column=_maybe(_TEXT)),
     "before": _each(VALUE), "after": _each(VALUE), "gain": _GAIN, "in_sample": _each(VALUE),
     "methods": _many(_object(method=_TEXT, cross_entropy={"type": ["object", "null"]}, gain=_GAIN,
                              why=_maybe(_TEXT))),
     "rules": SCORE["properties"]["rules"], "verdict": SCORE["properties"]["verdict"],
     "warnings": SCORE["properties"]["warnings"]},
    method={"enum": ["temperature", "vector", "platt", "beta", "histogram", "isotonic"]},
    parameters=_FREE,
    reading=_object(
        task={"enum": ["binary", "multiclass"]}, kind=_TEXT, classes=_many(_TEXT), columns=_many(_TEXT),
        layout={"enum": ["columns", "list"]}, width={"type": "integer", "minimum": 1}, reverse=_FLAG,
        clip=_maybe(_NUMBER), renormalize=_FLAG,
    ),
)  # fmt: skip

KINDS: dict[str, Schema] = {
    "score": SCORE,
    "inspect": INSPECT,
    "explain": EXPLAIN,
    "calibration": CALIBRATION,
}
