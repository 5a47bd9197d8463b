"""A latent diffusion model of few random weights in the layout of diffusers, for probes and tests.

It has what Stable Diffusion and DiT have: an autoencoder, a text encoder with its tokenizer, a
U-Net that is given text, and a transformer of classes. The autoencoder halves the side once.
"""

from __future__ import annotations

import string
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.lab.distill.diffusion.pretrained import diffusers
from harness.lab.models.running import drawing_from

CLASSES = 4
_WIDTH = 16


def tiny_folder() -> Path:
    """The folder that holds it, made when first asked for; it vanishes with the process."""
    return Path(_made().name)


@cache
def _made() -> TemporaryDirectory[str]:
    place = TemporaryDirectory(prefix="probe-")
    with drawing_from(0, "cpu"):
        build(Path(place.name))
    return place


def build(place: Path) -> None:
    """Write all parts below `place`, and the autoencoder at its top too, as it is published."""
    library = diffusers()
    from transformers import CLIPTextConfig, CLIPTextModel

    autoencoder = library.AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        sample_size=16,
    )
    unet = library.UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        attention_head_dim=4,
        norm_num_groups=4,
        cross_attention_dim=_WIDTH,
    )
    tokenizer = _tokenizer()
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=_WIDTH,
        intermediate_size=_WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    library.StableDiffusionImg2ImgPipeline(
        vae=autoencoder,
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        unet=unet,
        # Stable Diffusion's.
        scheduler=library.PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            skip_prk_steps=True,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(place)
    autoencoder.save_pretrained(place)
    transformer = library.DiTTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=4,
        out_channels=8,
        num_layers=2,
        sample_size=8,
        num_embeds_ada_norm=CLASSES,
        attention_bias=True,
    )
    # As in the published one, every block's embeddings are the same.
    first, *others = (block.norm1.emb for block in transformer.transformer_blocks)
    for other in others:
        other.load_state_dict(first.state_dict())
    transformer.save_pretrained(place / "transformer")


def _tokenizer() -> Any:
    """One token for each letter and figure."""
    from transformers import CLIPTokenizer

    known = string.ascii_lowercase + string.digits
    tokens = [*known, *(f"{sign}</w>" for sign in known), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
