"""Codecs: which of them browsers play, and what people call the others."""

from __future__ import annotations

_PLAYED = (b"avc1", b"avc3", b"av01", b"vp08", b"vp09")
_CALLED = {
    "HEVC (H.265)": (b"hvc1", b"hev1", b"dvh1", b"dvhe", b"V_MPEGH/ISO/HEVC"),
    "VVC (H.266)": (b"vvc1", b"vvi1"),
    "MPEG-4 Part 2": (b"mp4v", b"V_MPEG4/ISO/ASP", b"V_MPEG4/ISO/SP"),
    "Apple ProRes": (b"apch", b"apcn", b"apcs", b"apco", b"ap4h", b"ap4x", b"V_PRORES"),
    "Motion JPEG": (b"jpeg", b"mjpa", b"mjpb", b"mjpg", b"V_MJPEG"),
    "H.263": (b"s263", b"h263"),
    "DNxHD": (b"AVdn", b"AVdh"),
    "an encrypted codec": (b"encv",),
}
_NAMES = {code: name for name, codes in _CALLED.items() for code in codes}
_WEBM_PLAYED = (b"V_VP8", b"V_VP9", b"V_AV1", b"V_MPEG4/ISO/AVC")
# Ten bits, 4:2:2 and 4:4:4: Chromium plays them, Safari and most devices do not.
_AVC_PROFILES = {110: "H.264 High 10", 122: "H.264 High 4:2:2", 244: "H.264 High 4:4:4"}


def codec_of_mp4(code: bytes, profile: bytes = b"") -> str | None:
    """The name of an MP4's codec that most browsers do not play; None: they play it.

    `code` is the four characters of its sample description, `profile` the byte of an `avcC`.
    """
    if code in _PLAYED:
        return _AVC_PROFILES.get(profile[0]) if profile and code.startswith(b"avc") else None
    return _NAMES.get(code) or _as_it_is(code)


def codec_of_webm(code: bytes) -> str | None:
    """The name of a WebM's codec (CodecID) that most browsers do not play; None: they play it."""
    code = code.rstrip(b"\0")
    return None if code in _WEBM_PLAYED else _NAMES.get(code) or _as_it_is(code)


def _as_it_is(code: bytes) -> str:
    text = "".join(c for c in code.decode("latin-1") if c.isascii() and c.isprintable()).strip()
    return f"“{text}”" if text else "a codec without a name"
