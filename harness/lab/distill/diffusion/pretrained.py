"""Pretrained latent diffusion models, and conversion between images and their latents.

Models are read from folders in the layout of diffusers. A folder lies in `weights/` of the data
folder, by the name of the generator. Weights are read as safetensors only, and known by the digest
of their files.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from harness.errors import EvidenceError
from harness.lab.data.ragged import Ragged
from harness.lab.data.resize import cut
from harness.lab.distill.diffusion.generate import TINY
from harness.lab.models.weights import folder
from harness.lab.recipe import DatasetRef

USED = (
    "AutoencoderKL",
    "DDPMScheduler",
    "DiTTransformer2DModel",
    "PNDMScheduler",
    "StableDiffusionImg2ImgPipeline",
    "UNet2DConditionModel",
)
"""The classes of diffusers that are needed; it imports each when it is first asked for."""

PUBLISHED = {
    "stable-diffusion-1.5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "dit-xl-2-256": "facebook/DiT-XL-2-256",
    "sd-vae-ft-mse": "stabilityai/sd-vae-ft-mse",
}
"""Generators and autoencoders, and the names that they are published by."""


def diffusers() -> Any:
    """The library, which is an extra, silenced. Raises `EvidenceError` if it is not installed."""
    try:
        with warnings.catch_warnings(action="ignore"):
            # The libraries warn of what they use of torch, and import a class at its first use.
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


def stable_diffusion(name: str, device: str, precision: str) -> Any:
    """diffusers' pipeline from a latent and a prompt to an image, without its safety checker.

    Raises `EvidenceError` if the folder or the library is missing, or cannot be read.
    """
    library, place = diffusers(), _folder_of(name)
    from transformers import CLIPTextModel, CLIPTokenizer

    pipeline = library.StableDiffusionImg2ImgPipeline(
        vae=_network(place / "vae", library.AutoencoderKL, precision),
        unet=_network(place / "unet", library.UNet2DConditionModel, precision),
        text_encoder=_network(place / "text_encoder", CLIPTextModel, precision),
        tokenizer=_read(place / "tokenizer", CLIPTokenizer),
        scheduler=_read(place / "scheduler", library.PNDMScheduler),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def transformer(name: str, device: str, precision: str) -> Any:
    """A diffusion transformer of classes (DiT). Raises as `stable_diffusion`.

    In two places diffusers' own differs from the one that the published weights were trained in,
    and is mended here: the frequencies that tell the time, and what norms add to a variance.
    """
    kind_of = diffusers().DiTTransformer2DModel
    network = _network(_folder_of(name) / "transformer", kind_of, precision)
    for block in network.transformer_blocks:
        block.norm1.emb.time_proj.downscale_freq_shift = 0
        block.norm3.eps = 1e-6
    return network.to(device)


def autoencoder(name: str, device: str, precision: str) -> Any:
    """The network that maps images to latents and back. Raises as `stable_diffusion`."""
    return _network(_folder_of(name), diffusers().AutoencoderKL, precision).to(device)


def kind(precision: str) -> torch.dtype:
    """The type of numbers that a precision names."""
    found: torch.dtype = getattr(torch, precision)
    return found


STABLE_DIFFUSION = ("scheduler", "text_encoder", "tokenizer", "unet", "vae")
"""Folders of the parts that are read of a generator that is given text."""
READ = (".json", ".safetensors", ".txt")
"""Endings of the files that are read."""


def checked_fingerprint(name: str, parts: Sequence[str], wanted: str) -> str:
    """SHA-256 over the names and contents of the files that are read of a generator's parts.

    A part is a folder below the generator's, or empty for that itself. Copies of the weights in
    another precision, which a published folder may hold too, are not read and do not count.
    Raises `EvidenceError` if it is not the `wanted` one, where one is given.
    """
    root, digest = _folder_of(name), hashlib.sha256()
    for part in parts:
        for path in sorted((root / part).glob("*")):
            read = path.suffix in READ and "." not in path.stem
            if read:
                digest.update(f"{part}/{path.name}\n".encode())
                with path.open("rb") as stream:
                    digest.update(hashlib.file_digest(stream, "sha256").digest())
    found = digest.hexdigest()
    if wanted and found != wanted:
        raise EvidenceError(
            f"{root}: the fingerprint of its files is {found}, expected {wanted}; put the right "
            "files there, or name these in the spec"
        )
    return found


def _folder_of(name: str) -> Path:
    if name == TINY:
        from harness.lab.distill.diffusion.tiny import tiny_folder

        return tiny_folder()
    place = folder() / name
    if not place.is_dir():
        known = PUBLISHED.get(name)
        fetch = f": hf download {known} --local-dir {place}" if known else ""
        raise EvidenceError(
            f"no weights of generator '{name}': there is no folder {place}; put the published "
            f"folder there, with its weights as safetensors{fetch}"
        )
    return place


def _network(place: Path, kind_of: Any, precision: str) -> Any:
    """A network with all of its weights; the libraries would leave missing ones to chance."""
    network, told = _read(
        place,
        kind_of,
        use_safetensors=True,
        output_loading_info=True,
        low_cpu_mem_usage=False,
        dtype=kind(precision),
    )
    if lacking := sorted({*told["missing_keys"], *map(str, told["mismatched_keys"])}):
        raise EvidenceError(
            f"{place}: its weights are not those of {kind_of.__name__}: {lacking[0]} and "
            f"{len(lacking) - 1} more are missing; put the published folder there"
        )
    return network.eval().requires_grad_(False)


def _read(place: Path, kind_of: Any, **options: Any) -> Any:
    """Read from the folder alone; nothing is fetched behind the user's back."""
    try:
        # First weights are drawn before the file's take their place.
        with torch.random.fork_rng(devices=[]):
            return kind_of.from_pretrained(place, local_files_only=True, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        said = " ".join(str(error).split())[:300]
        raise EvidenceError(
            f"{place} cannot be read as {kind_of.__name__} ({said}); put the published folder "
            "there, with its weights as safetensors"
        ) from None


AT_ONCE = 8
"""Images that pass a generator together."""


def normal(like: Tensor, *generators: Generator) -> Tensor:
    """Standard normal numbers of a tensor's shape, type and device, drawn on the CPU.

    With as many generators as the tensor has rows, each draws its row; a single one draws all.
    """
    rows = like.shape if len(generators) == 1 else like[:1].shape
    drawn = [torch.randn(rows, generator=own, dtype=torch.float64) for own in generators]
    return torch.cat(drawn).to(like)


def square(
    images: Tensor | Ragged, boxes: Tensor, side: int, device: str, precision: str
) -> Tensor:
    """Cut boxes (n, 4) out of uint8 images and resize them: (n, c, side, side) in [0, 1].

    Resized before it is rounded to half precision.
    """
    wide = torch.float64 if precision == "float64" else torch.float32
    return (cut(images, boxes, side, wide) / 255).to(device, kind(precision))


def encoded(autoencoder: Any, pixels: Tensor, drawn: Generator) -> Tensor:
    """Latents (n, 4, h/8, w/8) drawn from the posteriors of images (n, 1 or 3, h, w) in [0, 1].

    Scaled to unit variance, as the diffusion was trained on them.
    """
    shown = 2 * pixels.expand(-1, 3, -1, -1) - 1
    with torch.no_grad():
        posterior = autoencoder.encode(shown).latent_dist
        draw = posterior.mean + posterior.std * normal(posterior.mean, drawn)
    latents: Tensor = draw * autoencoder.config.scaling_factor
    return latents


def decoded(autoencoder: Any, latents: Tensor) -> Tensor:
    """Images (n, 3, h, w) in [0, 1] of scaled latents."""
    with torch.no_grad():
        shown: Tensor = autoencoder.decode(latents / autoencoder.config.scaling_factor).sample
    return ((shown + 1) / 2).clamp(0, 1)


def as_pictures(pixels: np.ndarray, dataset: DatasetRef) -> np.ndarray:
    """Images (n, h, w, 3) in [0, 1] as uint8 at the resolution and channels of the data set.

    Rounded first and resized then, by Pillow's bicubic filter, as D4M does.
    Raises `EvidenceError` if a number is not finite, which would be kept as black.
    """
    if not np.isfinite(pixels).all():
        raise EvidenceError(
            "the generator made numbers that are not finite; give it more precision, or a lower "
            "learning rate where it is tuned"
        )
    size = (dataset.resolution, dataset.resolution)
    mode = "RGB" if dataset.channels == 3 else "L"
    made = [Image.fromarray(np.rint(image * 255).astype(np.uint8)) for image in pixels]
    small = [image.resize(size, Image.Resampling.BICUBIC).convert(mode) for image in made]
    return np.stack([np.asarray(image).reshape(*size, dataset.channels) for image in small])
