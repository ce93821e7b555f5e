"""Names: every field name and word that was seen in an answer, by what it means.

Names are written in snake_case; `layers.snake_case` brings `videoUrl` and `video-url` to that form.
A name that a new dialect brings belongs here and nowhere else; status words belong to `status`.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Where a job's description lies.

WRAPPERS = _words("data result task job output response video item body")
"""Names under which the rest of a job's description may lie."""
IDS = _words("id task_id video_id job_id generation_id task_ids video_ids ids")
WEAK_IDS = _words("request_id name")
"""Names of an id that may be another's: used only where nothing else names one."""
STATES = _words("status state task_status job_status video_status generation_status")
JOB_FIELDS = frozenset(
    _words(
        "task_id video_id job_id task_status job_status video_status model model_name prompt "
        "progress seconds duration size created_at submit_time completed_at finish_time expires_at "
        "video_url remixed_from_video_id fail_reason"
    )
)
"""Fields that only the description of a job has, never the envelope around one."""

# What it says.

MODELS = _words("model model_name model_id origin_model_name")
PROMPTS = _words("prompt orig_prompt text_prompt")
PROGRESSES = _words("progress progress_percent percent percentage task_progress")
DURATIONS = _words(
    "seconds duration duration_seconds duration_s duration_sec video_duration clip_length "
    "video_length"
)
CREATED = _words(
    "created_at submit_time created create_time created_time submitted_at gmt_create "
    "creation_time start_time started_at"
)
COMPLETED = _words(
    "completed_at finish_time finished_at complete_time completed_time completion_time end_time "
    "ended_at"
)
EXPIRES = _words("expires_at expire_at expired_at expire_time url_expires_at")
REMIXED = _words("remixed_from_video_id remixed_from")
SEEDS = _words("seed used_seed random_seed")
SIZES = _words("size resolution video_size video_resolution dimensions output_size")
WIDTHS = _words("width video_width output_width")
HEIGHTS = _words("height video_height output_height")
RATIOS = ("aspect_ratio", "ratio", "video_ratio", "aspect", "orientation", *SIZES)
SHAPE_HOLDERS = _words(
    "metadata meta video videos video_params parameters params output outputs result results "
    "task_result properties content size resolution"
)
"""Where a clip's size, ratio and length may lie beside the job's own fields."""

# What went wrong.

MESSAGES = _words(
    "message msg detail error_message error_msg err_msg errmsg reason fail_reason fail_msg "
    "failure_reason failure_message failure description error_description title status_msg "
    "status_message text error errors details cause base_resp"
)
"""Names of a message inside an error, the most telling first."""
CODES = _words("code error_code err_code fail_code status_code")
"""Names of a code. Inside an error `type` is one as well; of a job it says what is made."""
FAILURES = _words(
    "error errors fail_reason failure failure_reason failure_message error_message error_msg "
    "err_msg fail_msg fail_message reason task_status_msg status_msg status_message status_reason "
    "base_resp fault"
)
"""Names that tell of a failure by themselves."""
REMARKS = _words("message msg detail details")
"""Names of a remark, which is the reason if the job failed and nothing else is."""
NO_REASONS = frozenset(
    _words("success successful succeed succeeded ok okay none null nil undefined no_error")
)
"""What gateways write where there is no error."""
ENVELOPE_ERRORS = frozenset(_words("error fail"))
"""Words that an envelope says of the request, as JSend does, beside those for success."""

# What leads to a clip: the words of each name on the way.

CLIP_WORDS = frozenset(_words("video videos clip clips movie movies mp4 webm"))
"""A name with one of these words means the clip, if none of `OTHER_WORDS` stands beside it."""
ADDRESS_WORDS = frozenset(_words("url urls uri uris link links href src"))
LINK_WORDS = ADDRESS_WORDS | frozenset(
    _words(
        "output outputs result results download downloads media content contents file files asset "
        "assets artifact artifacts final generated signed public remote cdn hd sd play list"
    )
)
"""A name of these words alone may hold a link."""
HOLDER_WORDS = LINK_WORDS | frozenset(
    _words(
        "data response task job metadata meta sample samples generate generation generations "
        "creation creations item items work works prediction predictions record records info json "
        "body"
    )
)
"""A name of these words alone may hold an object or a list in which links are."""
OTHER_WORDS = frozenset(
    _words(
        "thumb thumbs thumbnail thumbnails cover covers poster posters preview previews image "
        "images img imgs picture pictures photo photos frame frames first last tail input inputs "
        "source sources original origin reference references ref refs remix remixed parent "
        "previous audio sound music voice subtitle subtitles caption captions sprite spritesheet "
        "mask icon logo avatar watermark watermarked callback webhook status cancel poll delete "
        "id ids name path key prompt request error errors log logs page html text duration size "
        "type count"
    )
)
"""A name with one of these words never leads to a clip."""
INPUT_WORDS = frozenset(_words("input reference source cover thumbnail poster first last"))
"""What an entry of a list says of itself that went into the clip, or is a picture of it."""
CONTENT_NAMES = frozenset(_words("b64_json video_base64 base64 bytes_base64_encoded b64"))
"""Names of a clip as bare base64, without the head of a data URL."""
