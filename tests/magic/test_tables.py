"""The table of settings."""

from __future__ import annotations

from cometvid_nb.magic.tables import settings_bundle
from cometvid_nb.settings import Secret, Settings
from tests.simulated import KEY


def test_settings_show_every_value_and_mask_the_key() -> None:
    settings = Settings(api_key=Secret(KEY), save=False)
    bundle = settings_bundle(settings)
    for text in bundle.values():
        assert "0123456789" not in text
        assert f"••••{KEY[-4:]}" in text
        assert "off" in text
    assert "not set" in settings_bundle(Settings())["text/plain"]
