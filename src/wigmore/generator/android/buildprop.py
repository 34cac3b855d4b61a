"""Android build.prop: lines of key=value.

Source: AOSP build/make/tools/buildinfo.sh.
"""

from __future__ import annotations

from datetime import datetime

from wigmore.generator.clocks import posix


def build_properties(model: str, manufacturer: str, release: str, sdk: int, patch: str, built: datetime) -> bytes:
    """A system build.prop."""
    stamp = built.strftime("%a %b %d %H:%M:%S UTC %Y")
    fingerprint = f"{manufacturer.lower()}/{model.lower()}/{model.lower()}:{release}/GENERATED.001/1:user/release-keys"
    lines = (
        "# begin common build properties",
        f"ro.system.build.date={stamp}",
        f"ro.system.build.date.utc={posix(built)}",
        f"ro.system.build.fingerprint={fingerprint}",
        "ro.build.id=GENERATED.001",
        f"ro.build.version.sdk={sdk}",
        f"ro.build.version.release={release}",
        f"ro.build.version.security_patch={patch}",
        f"ro.build.date={stamp}",
        f"ro.build.date.utc={posix(built)}",
        "ro.build.type=user",
        f"ro.product.system.model={model}",
        f"ro.product.model={model}",
        f"ro.product.brand={manufacturer.lower()}",
        f"ro.product.manufacturer={manufacturer}",
        f"ro.build.fingerprint={fingerprint}",
        "# end common build properties",
        "",
    )
    return "\n".join(lines).encode()
