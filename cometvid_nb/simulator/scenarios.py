"""SCENARIOS: the jobs that a new simulator has from the start."""

from __future__ import annotations

from cometvid_nb.simulator.clips import CLIPS
from cometvid_nb.simulator.dialects import DIALECTS, FAILING_DIALECTS, OVER_HTTP, PORTRAIT_DIALECTS
from cometvid_nb.simulator.faults import LATE
from cometvid_nb.simulator.script import Scenario

# Text that may break a page, a template, a terminal or a log: markup, template syntax, escape
# sequences, control characters, direction overrides.
_MARKUP = (
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    "\"><svg/onload=window.hacked=1> '{{7*7}}' ${alert(1)} %s \\n `rm` &lt;b&gt; </script><!-- "
    "\u202egnp.exe\u202c \u2066\u200b\x00\x07\x1b[31mred\x1b[0m\x85\u2028\ufffe "
)

_OF_FAMILIES = {"seedance": ("doubao-seedance-2-0", "9:16"), "veo": ("veo3.1", "9x16")}
LATE_S = 20.0
"""How long after the end the clip of a job `video_late_…` comes; real ones took up to a minute."""

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("video_demo", queue_s=4, run_s=36),
    Scenario(
        "video_portrait",
        prompt="Aurora curtains over a calm northern sea, a lighthouse blinking on its rock",
        size="720x1280",
        queue_s=3,
        run_s=24,
    ),
    Scenario(
        "video_square",
        prompt="A great moon rising behind violet dunes while a small comet passes",
        model="wan2.6",
        size="960x960",
        queue_s=3,
        run_s=20,
    ),
    Scenario(
        "video_fails",
        prompt="A famous actor wearing a well-known superhero costume",
        steps=(0, 10, 20, 30),
        ending="failed",
        error_code="moderation_blocked",
        error_message="Your request was blocked by our moderation system.",
    ),
    Scenario("video_stuck", queue_s=1, run_s=6, steps=(0, 10, 20, 30), ending="never"),
    Scenario("video_paused", queue_s=1, ending="never", status_word="paused_by_moderation"),
    Scenario("video_early", unknown_polls=2),
    Scenario("video_no_link", link="none"),
    Scenario("video_expiring", link_life_s=2),
    Scenario("video_dead_link", link="dead"),
    Scenario("video_plateau", steps=(10, 10, 20, 20, 20, 30, 30, 30, 30, 30)),
    Scenario("video_jump", steps=(0, 0, 0, 90)),
    Scenario("video_zero", steps=(0,)),
    Scenario("video_markup", prompt=_MARKUP * 12, model=_MARKUP),
    Scenario(
        "video_markup_fails",
        prompt=_MARKUP * 12,
        model=_MARKUP,
        ending="failed",
        error_message=_MARKUP * 12,
    ),
    *(
        Scenario(
            f"video_dialect_{name}",
            queue_s=1,
            run_s=6,
            dialect=name,
            ending="failed" if name in FAILING_DIALECTS else "completed",
            size="720x1280" if name in PORTRAIT_DIALECTS else "1280x720",
        )
        for name in (*DIALECTS, *OVER_HTTP)
        if name not in ("plain", *_OF_FAMILIES)
    ),
    *(
        Scenario(
            f"video_dialect_{name}",
            queue_s=1,
            run_s=6,
            dialect=name,
            model=model,
            size=size,
            clip="sound",
        )
        for name, (model, size) in _OF_FAMILIES.items()
    ),
    *(Scenario(f"video_clip_{clip}", queue_s=1, run_s=6, clip=clip) for clip in CLIPS if clip),
    *(
        Scenario(f"video_late_{name}", queue_s=1, run_s=6, late=name, late_s=LATE_S)
        for name in LATE
    ),
    Scenario("video_other_size", queue_s=1, run_s=6, clip_size="960x960"),
    Scenario("video_variant_ignored", queue_s=1, run_s=6, ignores_variant=True),
)
"""The jobs that exist from the start."""
