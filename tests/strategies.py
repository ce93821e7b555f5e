"""What the API may answer, as hypothesis draws it: any JSON at all, and JSON shaped like a job."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cometvid_nb.job.ids import check_job_id

FIELDS = (
    "id",
    "task_id",
    "video_id",
    "object",
    "model",
    "model_name",
    "status",
    "state",
    "task_status",
    "progress",
    "seconds",
    "duration",
    "size",
    "prompt",
    "created_at",
    "submit_time",
    "completed_at",
    "finish_time",
    "expires_at",
    "video_url",
    "url",
    "result_url",
    "metadata",
    "output",
    "content",
    "error",
    "fail_reason",
    "remixed_from_video_id",
    "data",
    "code",
    "message",
    "result",
    "task_result",
    "videos",
    "video",
    "output_url",
    "thumbnail_url",
    "resultJson",
    "b64_json",
    "request_id",
    "task_ids",
    "success",
    "base_resp",
    "detail",
    "errors",
    "aspect_ratio",
    "width",
    "height",
)

NASTY_TEXTS = (
    "\ud800",
    "\x00\x1b[31mred\x1b[0m",
    "\u202egnp.exe\u202c",
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "javascript:alert(1)",
    "https://x/\"onload='alert(1)",
    "http://[bad",
    "http://host:99999999/clip.mp4",
    "http://a\u2100b/",
    "completed",
    "SUCCESS",
    "NaN",
    "Infinity",
    "1e999",
    "30%",
    "1280x720",
    "99999x1",
    "٣٠",
    "9" * 6000,
    "../../etc/passwd",
    "/cdn/clip.mp4",
    "data:video/mp4;base64,AAAA",
    '{"error": {"message": "{}"}, "url": ["https://x/a.mp4"]}',
    "2026-06-10T08:17:58Z",
    "9:16",
    "..",
    "{undefined}",
)

texts = st.one_of(st.text(st.characters(), max_size=40), st.sampled_from(NASTY_TEXTS))
scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from((10**400, -(10**400), 2**63)),
    st.floats(),
    texts,
)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.one_of(st.sampled_from(FIELDS), texts)
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4))


json_values = st.recursive(scalars, _nested, max_leaves=12)
"""Any JSON value, with what Python's parser lets through besides: NaN and lone surrogates."""

plausible_jobs = st.fixed_dictionaries(
    {},
    optional={
        "id": st.one_of(texts, st.just("video_1")),
        "status": st.one_of(st.sampled_from(("queued", "in_progress", "completed", "failed"))),
        "progress": st.one_of(scalars, st.integers(0, 100)),
        "size": st.one_of(st.sampled_from(("1280x720", "720x1280", "1x99999")), scalars),
        "seconds": scalars,
        "model": scalars,
        "prompt": scalars,
        "created_at": st.one_of(st.floats(1.7e9, 1.9e9), scalars),
        "completed_at": st.one_of(st.floats(1.7e9, 1.9e9), scalars),
        "expires_at": scalars,
        "video_url": st.one_of(texts, st.just("https://clips.example/a.mp4?signature=1&b=2")),
        "error": st.one_of(texts, st.fixed_dictionaries({"message": scalars, "code": scalars})),
    },
)
"""JSON objects that describe a job, more or less."""

payloads = st.one_of(
    json_values,
    plausible_jobs,
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8),
    st.fixed_dictionaries(
        {
            "code": st.just("success"),
            "data": st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8),
        }
    ),
)


def _is_id(text: str) -> bool:
    try:
        return check_job_id(text) == text
    except ValueError:
        return False


ids = st.one_of(
    st.text(st.sampled_from("aZ0_-.'\"{}$#%/\\=…é"), min_size=1, max_size=12),
    st.text(min_size=1, max_size=30),
).filter(_is_id)
"""Ids as servers may give them: quotation marks, braces, dollars, dashes in front and all."""
