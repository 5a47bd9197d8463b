"""diffusers, which is an extra: asked for in one place, and silent."""

from __future__ import annotations

import warnings
from typing import Any

from harness.errors import EvidenceError

USED = (
    "AutoencoderKL",
    "DDPMScheduler",
    "DiTTransformer2DModel",
    "PNDMScheduler",
    "StableDiffusionImg2ImgPipeline",
    "UNet2DConditionModel",
)


def diffusers() -> Any:
    """The library. Raises `EvidenceError` if it is not installed."""
    try:
        with warnings.catch_warnings(action="ignore"):
            # What they still use of torch is their concern. They import when first asked for.
            import diffusers as library
            import transformers

            for part in USED:
                getattr(library, part)
    except ImportError:
        raise EvidenceError(
            "making images by latent diffusion needs diffusers and transformers; install the extra "
            "`diffusion` of this package"
        ) from None
    for noisy in (library, transformers):
        noisy.utils.logging.set_verbosity_error()
        noisy.utils.logging.disable_progress_bar()
    return library
